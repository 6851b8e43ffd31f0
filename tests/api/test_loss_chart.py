"""The curve of a training: places of points, round ticks, and nothing that cannot be drawn."""

from __future__ import annotations

import math

import pytest

from droptune.api.pages.loss_chart import MOST_POINTS, loss_chart
from droptune.api.pages.run_documents import objects, read_rows
from droptune.api.pages.run_view import figures

from .world import MemoryBlobs


def a_training(steps: int = 10):
    return [{"step": n, "train_loss": 2 / n, "valid_loss": 2.2 / n} for n in range(1, steps + 1)]


def points(line: str) -> list[tuple[float, float]]:
    return [tuple(map(float, pair.split(","))) for pair in line.split()]


def test_curve_goes_down_as_the_loss_does():
    """The first step is at the left and high, the last at the right and low."""
    chart = loss_chart(a_training())

    train = points(chart["train"])
    assert train[0][0] == chart["left"]
    assert train[-1][0] == chart["right"]
    assert [y for _, y in train] == sorted(y for _, y in train)
    assert len(points(chart["valid"])) == 10
    assert "from 2 at step 1 to 0.2 at step 10" in chart["summary"]


@pytest.mark.parametrize("steps", [[], a_training(1), [{"step": 1}], [{"train_loss": 2.0}] * 5])
def test_curve_begins_with_the_second_step(steps):
    """One point is no curve."""
    assert loss_chart(steps) is None


@pytest.mark.parametrize("value", [None, "2", True, math.nan, math.inf, 10**400, -(10.0**20)])
def test_value_that_cannot_be_drawn_is_left_out(value):
    """What a service may send beside numbers neither fails nor moves the others."""
    steps = [*a_training(), {"step": 5, "train_loss": value}]

    assert loss_chart(steps) == loss_chart(a_training())


@pytest.mark.parametrize(
    ("low", "high", "first", "last"), [(0.1, 2.03, 0, 2.5), (1.9, 2.1, 1.9, 2.1), (2, 2, 2, 2.5)]
)
def test_ticks_are_round_and_enclose_the_curve(low, high, first, last):
    """From zero, unless that wastes half of the picture."""
    chart = loss_chart([{"step": 1, "train_loss": high}, {"step": 2, "train_loss": low}])

    labels = [float(label) for _, label in chart["y_ticks"]]
    assert (labels[0], labels[-1]) == (first, last)
    assert all(chart["top"] <= y <= chart["bottom"] for _, y in points(chart["train"]))


def test_axis_reaches_to_the_end_of_the_training():
    """A training half way shows how much is left."""
    chart = loss_chart(a_training(), last_step=20)

    assert points(chart["train"])[-1][0] < (chart["left"] + chart["right"]) / 2 + 5


def test_checkpoints_are_marked_where_they_were_made():
    """Only those that lie on the axis, each with its model's name."""
    marks = [{"step": 5, "model": "m:5"}, {"step": 99, "model": "m:99"}, {"model": "m:none"}]

    [mark] = loss_chart(a_training(), marks)["checkpoints"]

    assert (mark["step"], mark["model"]) == ("5", "m:5")


def test_long_training_is_thinned_and_keeps_its_last_point():
    """A page stays light however long the training was."""
    chart = loss_chart(a_training(5_000))

    train = points(chart["train"])
    assert len(train) <= MOST_POINTS + 1
    assert train[-1] == chart["last"]


def test_table_of_figures_is_thinned_and_ends_with_the_last_step():
    """Columns that nobody filled are left out."""
    shown = figures(a_training(1_000))

    assert shown["columns"] == ["step", "train_loss", "valid_loss"]
    assert len(shown["rows"]) <= 40
    assert shown["rows"][-1][0] == 1_000


@pytest.mark.parametrize("stored", [b"null", b"5", b"[1]", b'{"x": 1}', b"{", b'{"steps": "x"}'])
def test_metrics_of_another_shape_show_nothing(stored):
    """What is not a list of steps is left out, never a failure."""
    blobs = MemoryBlobs()
    blobs.put("m.json", stored)

    assert read_rows(blobs, "m.json") == []
    assert objects(None) == []

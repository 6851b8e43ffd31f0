"""Losses as characters."""

from __future__ import annotations

import io

from droptune.cli.app_client import AppClient
from droptune.cli.curve import Losses, chart, draw_losses, read_losses, sparkline
from droptune.cli.terminal import Terminal
from tests.cli.canned_app import CannedApp

FALLING = tuple((step, 4.0 / step) for step in range(1, 9))


def test_falling_loss_falls_from_left_to_right() -> None:
    """The first step is at the top left, the last at the bottom right, with both figures named."""
    lines = chart(Losses(training=FALLING), width=8, height=4)

    assert lines[0] == "   4.000 |•       "
    assert lines[3].startswith("   0.500 |")
    assert lines[3].endswith("•")
    assert lines[5].split() == ["1", "step", "8"]


def test_validation_has_a_mark_of_its_own() -> None:
    """The legend names validation only where there is some."""
    both = chart(Losses(training=FALLING, validation=((1, 5.0), (8, 1.0))))
    one = chart(Losses(training=FALLING))

    assert "o validation loss" in both[-1]
    assert "o" in both[0]
    assert "validation" not in one[-1]


def test_many_steps_are_averaged_into_the_width() -> None:
    """A thousand noisy steps become as many points as there is room for."""
    noisy = tuple((step, 1.0 + step % 2) for step in range(1000))

    lines = chart(Losses(training=noisy), width=20, height=4)

    assert max(line.count("•") for line in lines[:4]) == 20


def test_too_few_points_draw_nothing() -> None:
    """One point is no curve."""
    stream = io.StringIO()

    draw_losses(Losses(training=((1, 2.0),)), Terminal(stream))

    assert stream.getvalue() == ""


def test_sparkline_keeps_the_shape_in_a_few_characters() -> None:
    """The highest value is a full bar and the lowest the thinnest."""
    line = sparkline(FALLING, 4)

    assert len(line) == 4
    assert (line[0], line[-1]) == ("█", "▁")
    assert sparkline((), 4) == ""


def test_losses_are_read_from_the_runs_metrics(app: CannedApp) -> None:
    """Steps that report no validation loss count for training alone."""
    steps = [{"step": 1, "train_loss": 3.0, "valid_loss": 3.5}, {"step": 2, "train_loss": 2.0}]
    app.answer("GET /api/runs/r/metrics", {"steps": steps})

    losses = read_losses(AppClient(app.url), "r")

    assert losses.training == ((1, 3.0), (2, 2.0))
    assert losses.validation == ((1, 3.5),)


def test_run_without_metrics_has_no_losses(app: CannedApp) -> None:
    """A run that has not trained yet is no error."""
    app.answer("GET /api/runs/r/metrics", {"detail": "not yet"}, 404)

    assert read_losses(AppClient(app.url), "r") == Losses()

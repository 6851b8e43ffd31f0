"""Pictures of a report: every bar is an example's, and nothing is drawn outside."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.api.pages.report_charts import HEIGHT, WIDTH, histogram_chart, limit_chart
from droptune.validation.figures import histogram_of

counts = st.lists(st.integers(0, 200_000), min_size=1, max_size=60)


def a_file(found: list[int], limit: int | None = None) -> dict[str, Any]:
    """Return a file of a document, whose examples have so many tokens."""
    figures = histogram_of(found).figures().to_payload()
    over = None if limit is None else sum(count > limit for count in found)
    return {"name": "training.jsonl", "tokens": {"whole": figures}, "over_limit": over}


@given(found=counts)
def test_every_bar_lies_in_the_picture_and_none_is_lost(found: list[int]) -> None:
    """A bar that stands for something can be seen."""
    chart = histogram_chart(a_file(found), 65_536)

    if chart is None:
        assert not any(found)
        return
    for bar in chart["bars"]:
        assert 0 <= bar["x"] <= bar["x"] + bar["width"] <= WIDTH
        assert 0 <= bar["y"] <= bar["y"] + bar["height"] <= HEIGHT
        assert (bar["height"] >= 1.5) is (not bar["says"].endswith(" 0 examples"))
    assert all(0 <= x <= WIDTH for x, _ in chart["x_ticks"])
    assert all(0 <= mark["x"] <= WIDTH for mark in chart["marks"])


@given(found=counts, limit=st.integers(1, 300_000))
def test_lengths_lie_in_order_on_the_scale(found: list[int], limit: int) -> None:
    """Shortest, median, longest from left to right, and the limit among them."""
    chart = limit_chart(a_file(found, limit), limit)

    assert chart is not None
    assert 0 <= chart["least"] <= chart["median"] <= chart["most"] <= WIDTH
    assert chart["limit"] <= chart["end"]
    assert (chart["most"] > chart["limit"]) <= chart["over"]


def test_bars_beyond_the_limit_are_marked() -> None:
    """They are what is cut."""
    chart = histogram_chart(a_file([*range(90, 110), 150, 190]), 140)

    assert chart is not None
    marked = [bar["says"] for bar in chart["bars"] if bar["over"] and " 0 " not in bar["says"]]
    assert len(marked) == 2


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([10, 20, 50], "The longest example has 50 tokens: 50% of the 100 that the model takes."),
        ([10, 20, 2], "The longest example has 20 tokens: 20% of the 100 that the model takes."),
        ([4], "The longest example has 4 tokens: 4.0% of the 100 that the model takes."),
        ([101, 5], "1 example longer than the 100 tokens that the model takes."),
        ([101, 500], "2 examples longer than the 100 tokens that the model takes."),
    ],
)
def test_length_against_the_limit_is_said_in_words_too(found: list[int], says: str) -> None:
    """Who does not see the picture reads the same."""
    chart = limit_chart(a_file(found, 100), 100)

    assert chart is not None
    assert chart["says"] == says


def test_without_a_limit_nothing_is_compared() -> None:
    """A model that is not known has none."""
    assert limit_chart(a_file([5]), None) is None

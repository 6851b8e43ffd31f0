"""How long to wait between two looks."""

from __future__ import annotations

import pytest

from droptune.domain.poll_schedule import delay


@pytest.mark.parametrize(
    ("polls", "seconds"),
    [(-1, 30), (0, 30), (1, 60), (2, 120), (4, 480), (5, 600), (6, 600), (10**9, 600)],
)
def test_delay_doubles_up_to_the_longest(polls: int, seconds: float) -> None:
    """From half a minute to ten minutes, however many looks were made."""
    assert delay(first_seconds=30, longest_seconds=600, polls=polls) == seconds


def test_longest_delay_binds_the_first_one() -> None:
    """A longest delay below the first is kept."""
    assert delay(first_seconds=30, longest_seconds=10, polls=0) == 10

"""Campaigns: how long they go on, and what is said of those that ran too few."""

from __future__ import annotations

import pytest

from simulation.__main__ import main
from simulation.campaign import Extent

TWELVE_MINUTES = Extent(seconds=720, at_least=6000, longest=1500)


@pytest.mark.parametrize(
    ("schedules", "elapsed", "is_over"),
    [
        (6000, 719, False),
        (9000, 719, False),
        (6000, 720, True),
        (5999, 720, False),
        (5999, 1499, False),
        (6000, 900, True),
        (4400, 1500, True),
    ],
)
def test_campaign_fills_its_time_and_then_goes_on_to_the_least(
    schedules: int, elapsed: float, is_over: bool
) -> None:
    """As many as fit the time, at least so many, and never beyond the longest."""
    assert TWELVE_MINUTES.is_reached(schedules, elapsed) is is_over


def test_campaign_without_an_extent_runs_every_seed() -> None:
    """Neither number nor time ends it."""
    assert not Extent().is_reached(10**6, 1e9)


def test_too_few_schedules_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    """Who reads the output learns that the promise of so many was not kept."""
    main(["--seeds", "0-3", "--profile", "calm", "--at-least", "5"])

    assert "ONLY 4 of at least 5 schedules were run" in capsys.readouterr().out

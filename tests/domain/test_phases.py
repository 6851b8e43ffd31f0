"""The phases of a run: their order, their ends, and the one way forward."""

from __future__ import annotations

import itertools

import pytest

from droptune.domain.phases import LINE, PHASE_COUNT, TERMINAL, Outcome, Phase

ENDS = ["succeeded", "rejected", "failed", "cancelled", "superseded"]


def test_line_is_the_documented_one() -> None:
    """Status documents and dashboards show these words in this order."""
    assert [phase.value for phase in LINE] == [
        "received",
        "settling",
        "validating",
        "estimating",
        "checking",
        "awaiting_approval",
        "queued",
        "uploading",
        "training",
        "deploying",
        "testing",
        "evaluating",
        "awaiting_promotion",
        "promoting",
        "baking",
    ]
    assert sorted(TERMINAL) == sorted(ENDS)


def test_positions_count_from_one_and_all_ends_are_last() -> None:
    """A progress bar can be drawn from position and count."""
    assert [phase.position for phase in LINE] == list(range(1, PHASE_COUNT))
    assert {phase.position for phase in TERMINAL} == {PHASE_COUNT}


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in TERMINAL])
def test_run_may_end_from_every_phase(phase: Phase) -> None:
    """Every phase can be cancelled, and may fail."""
    assert not phase.is_terminal
    assert all(end.may_follow(phase) for end in TERMINAL)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_follows_an_end(end: str) -> None:
    """A run that has ended stays as it ended."""
    assert Phase(end).is_terminal
    assert not any(phase.may_follow(Phase(end)) for phase in Phase)


def test_run_goes_only_forward() -> None:
    """A repeated or late step cannot take a run back."""
    for earlier, later in itertools.combinations(LINE, 2):
        assert later.may_follow(earlier)
        assert not earlier.may_follow(later)


def test_phase_of_a_later_version_is_unrecognised_and_no_end() -> None:
    """An older app can show and end a newer app's run."""
    phase = Phase("polishing")

    assert phase is Phase.UNRECOGNISED
    assert not phase.is_terminal
    assert phase.position == 0
    assert Phase.TRAINING.may_follow(phase)
    assert Outcome("celebrated") is Outcome.UNRECOGNISED


def test_outcomes_are_the_documented_ones() -> None:
    """What a run brought about is one of five words."""
    assert {each.value for each in Outcome} - {"unrecognised"} == {
        "planned",
        "trained",
        "promoted",
        "not_promoted",
        "none",
    }

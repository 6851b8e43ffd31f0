"""Collecting a dataset until it has settled."""

from __future__ import annotations

from typing import Any

import pytest

from devhost.durable.replay import OrchestrationFailedError, Replay
from orchestrators.collect_dataset import collect_dataset

IDLE = {"value": {"state": "idle"}}
SETTLED = {"value": {"state": "settled", "fingerprint": "a"}}
UNSETTLED = {"value": {"state": "unsettled", "fingerprint": "a", "wait_seconds": 10}}
STARTED = {"value": {}}


def a_replay(*looks: Any, start: Any = STARTED) -> Replay:
    """Return a replay with the answers of the looks, in turn."""
    return Replay(
        input={"dataset": {"project": "shop", "version": "v1"}},
        answers={
            "look_at_dataset": list(looks),
            "start_run": start,
            "note_failed_collection": {"value": {}},
        },
    )


def test_two_looks_that_agree_start_one_run() -> None:
    """A folder that stops changing gets its run, and is looked at once more."""
    replay = a_replay(UNSETTLED, SETTLED, IDLE)

    replay.run(collect_dataset)

    assert replay.names() == ["look_at_dataset", "look_at_dataset", "start_run", "look_at_dataset"]


def test_looks_are_as_far_apart_as_the_look_says() -> None:
    """The installation's `settle_seconds` lie between two looks."""
    replay = a_replay(UNSETTLED, SETTLED, IDLE)

    replay.run(collect_dataset)

    assert [round(sleep.total_seconds()) for sleep in replay.sleeps] == [10, 1]


def test_idle_folder_starts_nothing() -> None:
    """A folder without anything new ends the collection."""
    replay = a_replay(IDLE)

    replay.run(collect_dataset)

    assert replay.names() == ["look_at_dataset"]


def test_each_look_is_told_what_the_last_one_saw() -> None:
    """The second look compares with the first one's fingerprint."""
    replay = a_replay(UNSETTLED, IDLE)

    replay.run(collect_dataset)

    assert [given["fingerprint"] for _, given in replay.calls] == ["", "a"]


def test_run_is_started_for_the_folder_that_settled() -> None:
    """The start is told the fingerprint on which the looks agreed."""
    replay = a_replay(SETTLED, IDLE)

    replay.run(collect_dataset)

    [start] = [given for name, given in replay.calls if name == "start_run"]
    assert start["fingerprint"] == "a"


def test_registration_that_cannot_be_made_yet_is_tried_after_another_look() -> None:
    """A blob that changes while it is hashed sends the collection back to looking."""
    replay = a_replay(SETTLED, SETTLED, IDLE, start=[{"later": 1}, STARTED])

    replay.run(collect_dataset)

    assert replay.names().count("start_run") == 2
    assert [given["fingerprint"] for name, given in replay.calls if name == "look_at_dataset"] == [
        "",
        "",
        "",
    ]


def test_folder_that_cannot_be_looked_at_is_looked_at_later() -> None:
    """Storage that is away for a minute costs a minute."""
    replay = a_replay({"later": 60, "reason": "busy"}, UNSETTLED, SETTLED, IDLE)

    replay.run(collect_dataset)

    assert replay.names().count("start_run") == 1
    assert round(replay.sleeps[0].total_seconds()) == 60


@pytest.mark.parametrize("step", ["look_at_dataset", "start_run"])
def test_step_that_fails_for_good_fails_the_collection(step: str) -> None:
    """The sweep starts it again; nothing is lost but minutes."""
    error = {"error": {"code": "request-rejected", "message": "403", "remedy": ""}}
    replay = a_replay(SETTLED, IDLE)
    replay.answers = dict(replay.answers) | {step: error}

    with pytest.raises(OrchestrationFailedError):
        replay.run(collect_dataset)

    [noted] = [given for name, given in replay.calls if name == "note_failed_collection"]
    assert noted["dataset"] == {"project": "shop", "version": "v1"}
    assert (noted["problem"]["code"], noted["problem"]["message"]) == ("request-rejected", "403")


def test_failure_that_cannot_be_noted_fails_the_collection_all_the_same() -> None:
    """What keeps the dataset from being taken up may keep it from being said, too."""
    error = {"error": {"code": "request-rejected", "message": "403", "remedy": ""}}
    replay = a_replay(error)
    replay.answers = dict(replay.answers) | {"note_failed_collection": error}

    with pytest.raises(OrchestrationFailedError, match="403"):
        replay.run(collect_dataset)


def test_folder_that_never_rests_keeps_a_short_history() -> None:
    """However long somebody writes, no execution grows."""
    lengths = []

    for looks in (10, 300):
        replay = a_replay(*[UNSETTLED] * looks, IDLE)
        replay.run(collect_dataset)
        lengths.append(replay.longest_history)

    assert len(set(lengths)) == 1
    assert lengths[0] < 20

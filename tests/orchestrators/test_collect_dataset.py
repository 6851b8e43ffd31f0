"""Collecting a dataset until it has settled."""

from __future__ import annotations

from typing import Any

from devhost.durable.replay import Replay
from orchestrators.collect_dataset import collect_dataset

IDLE = {"value": {"state": "idle"}}
SETTLED = {"value": {"state": "settled", "fingerprint": "a"}}
UNSETTLED = {"value": {"state": "unsettled", "fingerprint": "a", "wait_seconds": 10}}


def a_replay(*looks: Any, start: Any = None) -> Replay:
    return Replay(
        input={"dataset": {"project": "shop", "version": "v1"}},
        answers={"look_at_dataset": list(looks), "start_run": start or {"value": {}}},
    )


def test_two_looks_that_agree_start_one_run() -> None:
    """A folder that stops changing gets its run, and is looked at once more."""
    replay = a_replay(UNSETTLED, SETTLED, IDLE)

    replay.run(collect_dataset)

    assert replay.names() == ["look_at_dataset", "look_at_dataset", "start_run", "look_at_dataset"]


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


def test_registration_that_cannot_be_made_yet_is_tried_after_another_look() -> None:
    """A blob that changes while it is hashed sends the collection back to looking."""
    replay = a_replay(SETTLED, SETTLED, IDLE, start=[{"later": 1}, {"value": {}}])

    replay.run(collect_dataset)

    assert replay.names().count("start_run") == 2

"""The test harness for orchestrators: real replays, canned answers, virtual time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from devhost.durable.replay import OrchestrationFailedError, Replay, StuckError
from tests.devhost.hub import Steps


def asks(context: Any) -> Steps:
    first = yield context.call_activity("ask", context.get_input())
    yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
    second = yield context.call_sub_orchestrator("child", first)
    return [first, second]


def child(context: Any) -> Steps:
    return (yield context.call_activity("ask", "child"))


def waits(context: Any) -> Steps:
    yield context.call_activity("ask", 1)
    yield context.wait_for_external_event("wake")
    return "woken"


def test_answers_are_given_by_name_and_time_jumps() -> None:
    """A sub-orchestrator is canned like an activity; sleeps are counted, not slept."""
    replay = Replay(input=1, answers={"ask": lambda given: given + 1, "child": "canned"})

    assert replay.run(asks) == [2, "canned"]
    assert replay.calls == [("ask", 1), ("child", 2)]
    assert replay.sleeps == [timedelta(hours=2)]


def test_sub_orchestrator_runs_when_it_is_given() -> None:
    """Its activities are answered too, in turn; the last answer stays."""
    replay = Replay(input=1, answers={"ask": ["a", "b"]}, orchestrators=(child,))

    assert replay.run(asks) == ["a", "b"]


def test_answer_that_is_an_exception_is_raised() -> None:
    """An orchestration that does not catch it has failed."""
    with pytest.raises(OrchestrationFailedError, match="no luck"):
        Replay(input=1, answers={"ask": ValueError("no luck")}).run(asks)


def test_event_is_raised_once_its_function_has_answered() -> None:
    """The instance that waits for it goes on."""
    replay = Replay(input=1, answers={"ask": 1}, events=[("wake", "ask")])

    assert replay.run(waits) == "woken"


def test_orchestration_that_hangs_is_stuck() -> None:
    """A hang in Azure is one here, and a test sees it at once."""
    with pytest.raises(StuckError, match="ask"):
        Replay(input=1, answers={"ask": 1}).run(waits)


def test_activity_without_an_answer_fails_by_name() -> None:
    """The test forgot it, or the orchestrator mistyped it."""
    with pytest.raises(OrchestrationFailedError, match="no activity 'ask'"):
        Replay(input=1, answers={}).run(asks)

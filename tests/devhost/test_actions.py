"""How a list of actions is awaited against a history; actions and rows are written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devhost.durable.actions import (
    Action,
    NonDeterminismError,
    UnsupportedActionError,
    await_actions,
)
from devhost.durable.history import Kind, Row, row

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = [row(Kind.ORCHESTRATOR_STARTED, NOW), row(Kind.EXECUTION_STARTED, NOW)]


def test_first_call_is_scheduled_with_id_zero() -> None:
    """Ids count the scheduled things from 0."""
    outcome = await_actions([activity("a"), activity("b")], STARTED)

    assert [(d.event_id, d.name) for d in outcome.decisions] == [(0, "a")]
    assert not outcome.is_over


def test_second_call_is_scheduled_once_the_first_has_completed() -> None:
    """The list is awaited one by one."""
    history = [*STARTED, scheduled(0, "a"), completed(0)]

    outcome = await_actions([activity("a"), activity("b")], history)

    assert [(d.event_id, d.name) for d in outcome.decisions] == [(1, "b")]


def test_failed_call_is_waited_for_like_a_completed_one() -> None:
    """What an error means is the SDK's affair."""
    history = [*STARTED, scheduled(0, "a"), failed(0)]

    outcome = await_actions([activity("a"), activity("b")], history)

    assert [d.name for d in outcome.decisions] == ["b"]


def test_everything_awaited_and_nothing_open_is_over() -> None:
    """Only then may the instance end."""
    history = [*STARTED, scheduled(0, "a"), completed(0)]

    assert await_actions([activity("a")], history).is_over


def test_no_actions_are_over_at_once() -> None:
    """An orchestrator that asks for nothing ends in its first episode."""
    assert await_actions([], STARTED).is_over


def test_when_all_schedules_everything_and_waits_for_the_last() -> None:
    """The action after it waits too."""
    actions = [when_all(activity("a"), activity("b")), activity("c")]
    history = [*STARTED, scheduled(0, "a"), scheduled(1, "b"), completed(1)]

    at_first = await_actions(actions, STARTED)
    half_way = await_actions(actions, history)
    at_last = await_actions(actions, [*history, completed(0)])

    assert [d.name for d in at_first.decisions] == ["a", "b"]
    assert half_way.decisions == []
    assert [(d.event_id, d.name) for d in at_last.decisions] == [(2, "c")]


def test_when_all_waits_for_the_others_after_a_failure() -> None:
    """The host waits for all, whatever the SDK has decided."""
    actions = [when_all(activity("a"), activity("b")), activity("c")]
    history = [*STARTED, scheduled(0, "a"), scheduled(1, "b"), failed(0)]

    assert await_actions(actions, history).decisions == []


def test_when_any_goes_on_with_the_first() -> None:
    """The loser stays open."""
    actions = [when_any(activity("a"), activity("b")), activity("c")]
    history = [*STARTED, scheduled(0, "a"), scheduled(1, "b"), completed(1)]

    outcome = await_actions(actions, history)

    assert [d.name for d in outcome.decisions] == ["c"]


def test_loser_of_a_race_keeps_the_instance_from_ending() -> None:
    """Nothing ends while a task is open."""
    history = [*STARTED, scheduled(0, "a"), scheduled(1, "b"), completed(1)]

    outcome = await_actions([when_any(activity("a"), activity("b"))], history)

    assert outcome.decisions == []
    assert not outcome.is_over


@pytest.mark.parametrize("kind", [11, 12])
def test_empty_compound_is_over_at_once(kind: int) -> None:
    """There is nothing to wait for."""
    assert await_actions([{"actionType": kind, "compoundActions": []}], STARTED).is_over


def test_nested_compounds_are_awaited_inside_out() -> None:
    """WhenAny of WhenAll is done when all of the inner ones are."""
    actions = [when_any(when_all(activity("a"), activity("b")), wait("x")), activity("c")]
    history = [*STARTED, scheduled(0, "a"), scheduled(1, "b"), completed(0)]

    half_way = await_actions(actions, history)
    at_last = await_actions(actions, [*history, completed(1)])

    assert half_way.decisions == []
    assert [d.name for d in at_last.decisions] == ["c"]


def test_timer_is_scheduled_for_its_time() -> None:
    """A decision carries the aware time."""
    (decision,) = await_actions([timer(NOW + timedelta(hours=1))], STARTED).decisions

    assert (decision.kind, decision.fire_at) == (Kind.TIMER_CREATED, NOW + timedelta(hours=1))


def test_cancelled_timer_is_over_at_once_and_open_no_more() -> None:
    """So a WhenAny that holds it is over too, before any row is read."""
    actions = [when_any(timer(NOW, cancelled=True), wait("x")), activity("c")]

    outcome = await_actions(actions, STARTED)

    assert [(d.event_id, d.cancelled) for d in outcome.decisions] == [(0, True), (1, False)]


def test_retry_makes_a_timer_after_a_failure_and_tries_again_then() -> None:
    """Ids: task 0, timer 1, task 2; the timer is due one interval after the failure."""
    actions = [activity_with_retry("a", attempts=3)]
    later = NOW + timedelta(minutes=5)
    history = [*STARTED, scheduled(0, "a"), row(Kind.ORCHESTRATOR_STARTED, later), failed(0)]

    (pause,) = await_actions(actions, history).decisions
    after = [*history, timer_created(1), timer_fired(1)]
    (again,) = await_actions(actions, after).decisions

    assert (pause.event_id, pause.fire_at) == (1, later + timedelta(seconds=1))
    assert (again.event_id, again.name) == (2, "a")


def test_last_failure_makes_one_more_timer_that_is_due_at_once() -> None:
    """The SDK waits for it too."""
    actions = [activity_with_retry("a", attempts=1), activity("b")]
    history = [*STARTED, scheduled(0, "a"), failed(0)]

    (pause,) = await_actions(actions, history).decisions
    (after,) = await_actions(actions, [*history, timer_created(1), timer_fired(1)]).decisions

    assert (pause.event_id, pause.fire_at) == (1, NOW)
    assert (after.event_id, after.name) == (2, "b")


def test_retry_that_succeeds_makes_no_timer() -> None:
    """A first success is all there is."""
    history = [*STARTED, scheduled(0, "a"), completed(0)]

    outcome = await_actions([activity_with_retry("a", attempts=3)], history)

    assert (outcome.decisions, outcome.is_over) == ([], True)


def test_event_that_comes_after_the_wait_ends_it() -> None:
    """A wait takes no id."""
    history = [*STARTED, event("x")]

    outcome = await_actions([wait("x"), activity("a")], history)

    assert [(d.event_id, d.name) for d in outcome.decisions] == [(0, "a")]


def test_event_that_came_before_the_wait_is_kept_for_it() -> None:
    """The host keeps every event that nobody waits for."""
    history = [*STARTED, scheduled(0, "a"), event("x"), completed(0)]

    assert await_actions([activity("a"), wait("x")], history).is_over


def test_one_event_ends_one_wait() -> None:
    """Two waits need two events."""
    history = [*STARTED, scheduled(0, "a"), event("x"), completed(0)]
    actions = [activity("a"), wait("x"), wait("x")]

    assert not await_actions(actions, history).is_over
    assert await_actions(actions, [*history, event("x")]).is_over


def test_event_goes_to_the_youngest_wait() -> None:
    """Waits of one name are a stack."""
    old, young = when_any(wait("x"), timer(NOW)), when_any(wait("x"), activity("slow"))
    history = [*STARTED, timer_created(0), timer_fired(0), scheduled(1, "slow"), event("x")]

    outcome = await_actions([old, young, activity("next")], history)

    assert [d.name for d in outcome.decisions] == ["next"]


def test_names_of_events_are_compared_without_regard_to_case() -> None:
    """The extension's dictionaries are."""
    assert await_actions([wait("Wake")], [*STARTED, event("wAKE")]).is_over


def test_event_that_nobody_waits_for_changes_nothing() -> None:
    """It is kept until the execution ends."""
    outcome = await_actions([activity("a")], [*STARTED, event("x")])

    assert [d.name for d in outcome.decisions] == ["a"]


def test_waits_alone_do_not_keep_an_instance_open() -> None:
    """A wait that lost its race is no open task."""
    actions = [when_any(wait("x"), activity("a"))]
    history = [*STARTED, scheduled(0, "a"), completed(0)]

    assert await_actions(actions, history).is_over


def test_continue_as_new_carries_its_input() -> None:
    """It is over once all before it is."""
    history = [*STARTED, scheduled(0, "a"), completed(0)]

    outcome = await_actions([activity("a"), {"actionType": 4, "input": "7"}], history)

    assert (outcome.is_over, outcome.continues, outcome.continue_input) == (True, True, "7")


@pytest.mark.parametrize("kind", [7, 8, 9, 10])
def test_unsupported_action_is_refused_by_name(kind: int) -> None:
    """Entities and durable HTTP calls are not done here."""
    with pytest.raises(UnsupportedActionError, match=rf"(ENTITY|HTTP) \({kind}\)"):
        await_actions([{"actionType": kind}], STARTED)


@pytest.mark.parametrize(
    "actions",
    [[], [{"actionType": 0, "functionName": "b"}], [{"actionType": 2, "functionName": "a"}]],
    ids=["gone", "renamed", "another kind"],
)
def test_history_that_was_not_asked_for_is_non_deterministic(actions: list[Action]) -> None:
    """The framework kills such an instance."""
    with pytest.raises(NonDeterminismError, match="Non-Deterministic"):
        await_actions(actions, [*STARTED, scheduled(0, "a")])


def test_answer_to_an_unknown_id_changes_nothing() -> None:
    """The framework logs a duplicate and goes on."""
    outcome = await_actions([activity("a")], [*STARTED, scheduled(0, "a"), completed(9)])

    assert (outcome.decisions, outcome.is_over) == ([], False)


def test_sub_orchestration_carries_its_id() -> None:
    """Without one the engine makes one up."""
    call = {"actionType": 2, "functionName": "child", "input": "1", "instanceId": "c-1"}

    (decision,) = await_actions([call], STARTED).decisions

    assert (decision.kind, decision.instance_id) == (Kind.SUB_CREATED, "c-1")


def activity(name: str) -> Action:
    return {"actionType": 0, "functionName": name, "input": "null"}


def activity_with_retry(name: str, *, attempts: int) -> Action:
    options = {"firstRetryIntervalInMilliseconds": 1000, "maxNumberOfAttempts": attempts}
    return {"actionType": 1, "functionName": name, "retryOptions": options}


def timer(at: datetime, *, cancelled: bool = False) -> Action:
    return {"actionType": 5, "fireAt": at.isoformat(), "isCanceled": cancelled}


def wait(name: str) -> Action:
    return {"actionType": 6, "externalEventName": name}


def when_any(*actions: Action) -> Action:
    return {"actionType": 11, "compoundActions": list(actions)}


def when_all(*actions: Action) -> Action:
    return {"actionType": 12, "compoundActions": list(actions)}


def scheduled(event_id: int, name: str) -> Row:
    return row(Kind.TASK_SCHEDULED, NOW, event_id=event_id, Name=name)


def completed(event_id: int) -> Row:
    return row(Kind.TASK_COMPLETED, NOW, TaskScheduledId=event_id, Result="null")


def failed(event_id: int) -> Row:
    return row(Kind.TASK_FAILED, NOW, TaskScheduledId=event_id, Reason="r", Details="d")


def timer_created(event_id: int) -> Row:
    return row(Kind.TIMER_CREATED, NOW, event_id=event_id, FireAt=NOW.isoformat())


def timer_fired(event_id: int) -> Row:
    return row(Kind.TIMER_FIRED, NOW, TimerId=event_id)


def event(name: str) -> dict[str, Any]:
    return row(Kind.EVENT_RAISED, NOW, Name=name, Input="null")

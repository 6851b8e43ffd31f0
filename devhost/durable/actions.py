"""The extension's side of an episode: awaits the SDK's actions one by one against the history.

A port of the behaviour of the out-of-process shim and of the framework below it: an action after a
WhenAny or WhenAll is scheduled only when the wait before it is over; event ids are counted as
things are scheduled; retries are made here, with a timer between two attempts and one more after
the last; a cancelled timer is over at once; a history that does not fit kills the instance.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from devhost.durable.futures import Future, compound, finished
from devhost.durable.history import SCHEDULED, Kind, Row, parse_stamp

Action = dict[str, Any]


class ActionKind(IntEnum):
    """Kinds of actions that the SDK sends."""

    CALL_ACTIVITY = 0
    CALL_ACTIVITY_WITH_RETRY = 1
    CALL_SUB = 2
    CALL_SUB_WITH_RETRY = 3
    CONTINUE_AS_NEW = 4
    CREATE_TIMER = 5
    WAIT_FOR_EVENT = 6
    CALL_ENTITY = 7
    CALL_HTTP = 8
    SIGNAL_ENTITY = 9
    SCHEDULED_SIGNAL_ENTITY = 10
    WHEN_ANY = 11
    WHEN_ALL = 12


class UnsupportedActionError(Exception):
    """The orchestrator asked for something that this engine does not do."""


class NonDeterminismError(Exception):
    """The history holds something that the orchestrator does not ask for on this replay."""


@dataclass(kw_only=True)
class Decision:
    """Something to schedule: an activity, a sub-orchestration or a timer."""

    kind: Kind
    event_id: int
    name: str = ""
    input: str | None = None
    instance_id: str | None = None
    fire_at: datetime | None = None
    cancelled: bool = False


@dataclass(kw_only=True)
class Outcome:
    """What an episode leads to.

    Attributes:
        decisions: everything that is not in the history yet.
        is_over: all actions were awaited, and nothing is open.
        continues: the orchestrator continues as new, with `continue_input`.
    """

    decisions: list[Decision] = field(default_factory=list)
    is_over: bool = False
    continues: bool = False
    continue_input: Any = None


def await_actions(actions: Sequence[Action], history: Sequence[Row]) -> Outcome:
    """Replay the action list against the history and say what comes next.

    Raises UnsupportedActionError or NonDeterminismError.
    """
    return _Episode(actions).run(history)


class _Episode:
    """One replay."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = actions
        self._now = datetime(1, 1, 1, tzinfo=UTC)
        self._decisions: list[Decision] = []
        self._scheduled: set[int] = set()
        self._open: dict[int, Future] = {}
        self._waiting: dict[str, list[Future]] = defaultdict(list)
        self._events: dict[str, int] = defaultdict(int)
        self._outcome = Outcome()

    def run(self, history: Sequence[Row]) -> Outcome:
        """Feed the history row by row; the list is awaited as far as each row allows."""
        waits = self._await_all()
        pending = next(waits, None)
        for row in history:
            self._feed(row)
            while pending is not None and pending.is_done:
                pending = next(waits, None)
        fresh = [d for d in self._decisions if d.event_id not in self._scheduled]
        self._outcome.decisions = fresh
        self._outcome.is_over = pending is None and not self._open
        return self._outcome

    def _await_all(self) -> Iterator[Future]:
        for action in self._actions:
            future = self._schedule(action)
            if not future.is_done:
                yield future

    def _schedule(self, action: Action) -> Future:
        kind = ActionKind(action["actionType"])
        if kind in (ActionKind.CALL_ACTIVITY, ActionKind.CALL_SUB):
            return self._call(action)
        if kind in (ActionKind.CALL_ACTIVITY_WITH_RETRY, ActionKind.CALL_SUB_WITH_RETRY):
            return self._retry(action)
        if kind is ActionKind.CREATE_TIMER:
            return self._timer(parse_stamp(action["fireAt"]), cancelled=action["isCanceled"])
        if kind is ActionKind.WAIT_FOR_EVENT:
            return self._wait(_folded(action["externalEventName"]))
        if kind in (ActionKind.WHEN_ANY, ActionKind.WHEN_ALL):
            futures = [self._schedule(each) for each in action["compoundActions"]]
            return compound(futures, any_of=kind is ActionKind.WHEN_ANY)
        if kind is ActionKind.CONTINUE_AS_NEW:
            self._outcome.continues, self._outcome.continue_input = True, action["input"]
            return finished()
        raise UnsupportedActionError(f"the local engine does not do {kind.name} ({kind.value})")

    def _call(self, action: Action) -> Future:
        is_sub = action["actionType"] in (ActionKind.CALL_SUB, ActionKind.CALL_SUB_WITH_RETRY)
        return self._decide(
            Decision(
                kind=Kind.SUB_CREATED if is_sub else Kind.TASK_SCHEDULED,
                event_id=len(self._decisions),
                name=action["functionName"],
                input=action.get("input"),
                instance_id=action.get("instanceId"),
            )
        )

    def _timer(self, fire_at: datetime, *, cancelled: bool = False) -> Future:
        return self._decide(
            Decision(
                kind=Kind.TIMER_CREATED,
                event_id=len(self._decisions),
                fire_at=fire_at,
                cancelled=cancelled,
            )
        )

    def _decide(self, decision: Decision) -> Future:
        self._decisions.append(decision)
        if decision.cancelled:
            return finished()
        future = Future()
        self._open[decision.event_id] = future
        return future

    def _retry(self, action: Action) -> Future:
        options, outer = action["retryOptions"], Future()
        interval = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])

        def attempt(number: int) -> None:
            future = self._call(action)
            future.then(lambda: judge(number, future))

        def judge(number: int, future: Future) -> None:
            if not future.has_failed:
                outer.finish()
            elif number < options["maxNumberOfAttempts"]:
                self._timer(self._now + interval).then(lambda: attempt(number + 1))
            else:
                self._timer(self._now).then(lambda: outer.finish(failed=True))

        attempt(1)
        return outer

    def _wait(self, name: str) -> Future:
        if self._events[name]:
            self._events[name] -= 1
            return finished()
        future = Future()
        self._waiting[name].append(future)
        return future

    def _feed(self, row: Row) -> None:
        kind = row["EventType"]
        if kind == Kind.ORCHESTRATOR_STARTED:
            self._now = parse_stamp(row["Timestamp"])
        elif kind in SCHEDULED:
            self._recognise(row)
        elif kind == Kind.EVENT_RAISED:
            self._raise(_folded(row["Name"]))
        elif kind in (Kind.TASK_COMPLETED, Kind.SUB_COMPLETED):
            self._finish(row["TaskScheduledId"])
        elif kind in (Kind.TASK_FAILED, Kind.SUB_FAILED):
            self._finish(row["TaskScheduledId"], failed=True)
        elif kind == Kind.TIMER_FIRED:
            self._finish(row["TimerId"])

    def _recognise(self, row: Row) -> None:
        """Hold a scheduled row against what the orchestrator has asked for up to here."""
        event_id, kind = row["EventId"], Kind(row["EventType"])
        asked = self._decisions[event_id] if event_id < len(self._decisions) else None
        if asked is None or asked.kind is not kind or asked.name != row.get("Name", ""):
            what = f"{kind.name} {row.get('Name', '')}".strip()
            raise NonDeterminismError(
                f"Non-Deterministic workflow detected: event {event_id} of the history is {what}, "
                f"and the orchestrator does not ask for it there"
            )
        self._scheduled.add(event_id)

    def _raise(self, name: str) -> None:
        stack = self._waiting[name]
        if stack:
            stack.pop().finish()
        else:
            self._events[name] += 1

    def _finish(self, event_id: int, *, failed: bool = False) -> None:
        future = self._open.pop(event_id, None)
        if future is not None:
            future.finish(failed=failed)


def _folded(event: str) -> str:
    """Return an event's name as the extension compares it: without regard to case."""
    return event.casefold()

"""The extension's side of an episode: awaits the SDK's actions one by one against the history.

A port of the behaviour of the out-of-process shim: an action after a WhenAny or WhenAll is
scheduled
only when the wait before it is over; event ids are counted as things are scheduled; retries are
made here, with a timer between two attempts and one more after the last.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

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
    WHEN_ANY = 11
    WHEN_ALL = 12


class UnsupportedActionError(Exception):
    """The orchestrator asked for something that this engine does not do."""


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
        continue_input: input of the next generation, when the orchestrator continues as new.
    """

    decisions: list[Decision] = field(default_factory=list)
    is_over: bool = False
    continues: bool = False
    continue_input: Any = None


class _Future:
    """Something that is awaited."""

    def __init__(self) -> None:
        self.is_done = False
        self.has_failed = False
        self._callbacks: list[Callable[[], None]] = []

    def then(self, callback: Callable[[], None]) -> None:
        if self.is_done:
            callback()
        else:
            self._callbacks.append(callback)

    def finish(self, *, failed: bool = False) -> None:
        if self.is_done:
            return
        self.is_done, self.has_failed = True, failed
        for callback in self._callbacks:
            callback()


def await_actions(actions: Sequence[Action], history: Sequence[Row]) -> Outcome:
    """Replay the action list against the history and say what comes next."""
    return _Episode(actions).run(history)


class _Episode:
    """One replay."""

    def __init__(self, actions: Sequence[Action]) -> None:
        self._actions = actions
        self._now = datetime(1, 1, 1, tzinfo=UTC)
        self._next_id = 0
        self._decisions: list[Decision] = []
        self._open: dict[int, _Future] = {}
        self._waiting: dict[str, list[_Future]] = defaultdict(list)
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
        known = {row["EventId"] for row in history if row["EventType"] in SCHEDULED}
        self._outcome.decisions = [d for d in self._decisions if d.event_id not in known]
        self._outcome.is_over = pending is None and not self._open
        return self._outcome

    def _await_all(self) -> Iterator[_Future]:
        for action in self._actions:
            future = self._schedule(action)
            if not future.is_done:
                yield future

    def _schedule(self, action: Action) -> _Future:
        kind = action["actionType"]
        if kind in (ActionKind.CALL_ACTIVITY, ActionKind.CALL_SUB):
            return self._call(action)
        if kind in (ActionKind.CALL_ACTIVITY_WITH_RETRY, ActionKind.CALL_SUB_WITH_RETRY):
            return self._retry(action)
        if kind == ActionKind.CREATE_TIMER:
            return self._timer(parse_stamp(action["fireAt"]), cancelled=action["isCanceled"])
        if kind == ActionKind.WAIT_FOR_EVENT:
            return self._wait(action["externalEventName"])
        if kind in (ActionKind.WHEN_ANY, ActionKind.WHEN_ALL):
            return self._compound(action, any_of=kind == ActionKind.WHEN_ANY)
        if kind == ActionKind.CONTINUE_AS_NEW:
            self._outcome.continues, self._outcome.continue_input = True, action["input"]
            return _finished()
        raise UnsupportedActionError(f"the local engine does not do action type {kind}")

    def _call(self, action: Action) -> _Future:
        is_sub = action["actionType"] in (ActionKind.CALL_SUB, ActionKind.CALL_SUB_WITH_RETRY)
        return self._decide(
            Decision(
                kind=Kind.SUB_CREATED if is_sub else Kind.TASK_SCHEDULED,
                event_id=self._next_id,
                name=action["functionName"],
                input=action.get("input"),
                instance_id=action.get("instanceId"),
            )
        )

    def _timer(self, fire_at: datetime, *, cancelled: bool = False) -> _Future:
        return self._decide(
            Decision(
                kind=Kind.TIMER_CREATED,
                event_id=self._next_id,
                fire_at=fire_at,
                cancelled=cancelled,
            )
        )

    def _decide(self, decision: Decision) -> _Future:
        self._next_id += 1
        self._decisions.append(decision)
        future = _Future()
        if not decision.cancelled:
            self._open[decision.event_id] = future
        return future

    def _retry(self, action: Action) -> _Future:
        options, outer = action["retryOptions"], _Future()
        interval = timedelta(milliseconds=options["firstRetryIntervalInMilliseconds"])

        def attempt(number: int) -> None:
            future = self._call(action)
            future.then(lambda: judge(number, future))

        def judge(number: int, future: _Future) -> None:
            if not future.has_failed:
                outer.finish()
            elif number < options["maxNumberOfAttempts"]:
                self._timer(self._now + interval).then(lambda: attempt(number + 1))
            else:
                self._timer(self._now).then(lambda: outer.finish(failed=True))

        attempt(1)
        return outer

    def _wait(self, name: str) -> _Future:
        future = _Future()
        if self._events[name]:
            self._events[name] -= 1
            future.finish()
        else:
            self._waiting[name].append(future)
        return future

    def _compound(self, action: Action, *, any_of: bool) -> _Future:
        futures = [self._schedule(each) for each in action["compoundActions"]]
        outer = _Future()

        def look() -> None:
            done = [future.is_done for future in futures]
            if (any(done) if any_of else all(done)) or not futures:
                outer.finish()

        for future in futures:
            future.then(look)
        look()
        return outer

    def _feed(self, row: Row) -> None:
        kind = row["EventType"]
        if kind == Kind.ORCHESTRATOR_STARTED:
            self._now = parse_stamp(row["Timestamp"])
        elif kind == Kind.EVENT_RAISED:
            self._raise(row["Name"])
        elif kind in (Kind.TASK_COMPLETED, Kind.SUB_COMPLETED):
            self._finish(row["TaskScheduledId"])
        elif kind in (Kind.TASK_FAILED, Kind.SUB_FAILED):
            self._finish(row["TaskScheduledId"], failed=True)
        elif kind == Kind.TIMER_FIRED:
            self._finish(row["TimerId"])

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


def _finished() -> _Future:
    future = _Future()
    future.finish()
    return future

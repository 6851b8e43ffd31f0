"""Runs orchestrations: takes messages in, replays, writes what follows, one transaction a step."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol

from devhost.durable.actions import Decision, UnsupportedActionError, await_actions
from devhost.durable.history import Kind, Row, row, stamp
from devhost.durable.store import Instance, QueuedActivity, Store

LARGE_PAYLOAD = 16 << 10
_LABEL = "$OutOfProcData$:"
_logger = logging.getLogger(__name__)


class Clock(Protocol):
    """The engine's time."""

    def now(self) -> datetime:
        """Return the aware UTC time."""


@dataclass(frozen=True, kw_only=True)
class Functions:
    """The functions that the engine runs, by name.

    Attributes:
        orchestrators: as registered: take the protocol's JSON text, return JSON text.
        activities: take the input's JSON text, return the result's; raise to fail.
    """

    orchestrators: Mapping[str, Callable[[str], str]]
    activities: Mapping[str, Callable[[str | None], str]]


@dataclass(kw_only=True)
class _Result:
    """What an orchestrator answered."""

    actions: list[dict[str, Any]] = field(default_factory=list)
    is_done: bool = False
    output: str | None = None
    error: str | None = None
    custom_status: str | None = None


class AlreadyLiveError(Exception):
    """An instance of that id has not ended."""


class Engine:
    """Durable orchestrations over a store; `step` does one thing, so that tests decide the
    order."""

    def __init__(
        self,
        functions: Functions,
        store: Store,
        clock: Clock,
        *,
        choose: Callable[[Sequence[Any]], int] = lambda _: 0,
    ) -> None:
        """Run `functions`; `choose` picks among what could go next."""
        self._functions, self.store, self._clock, self._choose = functions, store, clock, choose

    def start(self, name: str, instance_id: str, text: str | None) -> None:
        """Create an instance; raises AlreadyLiveError. An ended one is replaced."""
        with self.store.transaction():
            present = self.store.find_instance(instance_id)
            if present is not None and present.is_live:
                raise AlreadyLiveError(instance_id)
            self._create(
                name, instance_id, text, execution=(present.execution if present else 0) + 1
            )

    def _create(
        self,
        name: str,
        instance_id: str,
        text: str | None,
        *,
        execution: int,
        parent: str | None = None,
        parent_event: int | None = None,
    ) -> None:
        now = self._clock.now()
        self.store.clear(instance_id)
        self.store.put_instance(
            Instance(
                id=instance_id,
                name=name,
                status="Pending",
                input=text,
                output=None,
                custom_status=None,
                created_at=stamp(now),
                updated_at=stamp(now),
                execution=execution,
                parent=parent,
                parent_event=parent_event,
            )
        )
        self.store.send(instance_id, now, {"kind": "start"})

    def raise_event(self, instance_id: str, name: str, text: str) -> None:
        """Send an event."""
        self._tell(instance_id, {"kind": "event", "name": name, "input": text})

    def terminate(self, instance_id: str, reason: str) -> None:
        """End an instance as soon as it is looked at."""
        self._tell(instance_id, {"kind": "terminate", "reason": reason})

    def suspend(self, instance_id: str, reason: str) -> None:
        """Hold an instance; what comes meanwhile waits."""
        self._tell(instance_id, {"kind": "suspend", "reason": reason})

    def resume(self, instance_id: str, reason: str) -> None:
        """Let a held instance go on."""
        self._tell(instance_id, {"kind": "resume", "reason": reason})

    def _tell(self, instance_id: str, body: Row) -> None:
        with self.store.transaction():
            self.store.send(instance_id, self._clock.now(), body)

    def step(self) -> bool:
        """Do the next thing that can be done; return whether there was one."""
        ready = self.store.ready(self._clock.now())
        queued = self.store.activities()
        things: list[Any] = [*ready, *queued]
        if not things:
            return False
        chosen = things[self._choose(things)]
        if isinstance(chosen, QueuedActivity):
            self.run_activity(chosen)
        else:
            self.run_episode(chosen)
        return True

    def run_activity(self, activity: QueuedActivity) -> None:
        """Run an activity and write its answer; a crash before the write makes it run again."""
        body: Row
        try:
            result = self._activity(activity.name)(activity.input)
            _warn_if_large(activity.name, result)
            body = {"kind": "completed", "id": activity.event_id, "result": result}
        except Exception as error:
            _logger.warning("Activity %s raised", activity.name, exc_info=error)
            said = f"{type(error).__name__}: {error}"
            body = {"kind": "failed", "id": activity.event_id, "reason": said}
        with self.store.transaction():
            if self.store.forget_activity(activity.id):
                now, execution = self._clock.now(), activity.execution
                self.store.send(activity.instance, now, body, execution=execution)

    def _activity(self, name: str) -> Callable[[str | None], str]:
        found = self._functions.activities.get(name)
        if found is None:
            raise LookupError(f"there is no activity {name!r}; Azure would wait for ever here")
        return found

    def run_episode(self, instance_id: str) -> None:
        """Take an instance's due messages in, replay it, and write all that follows at once."""
        with self.store.transaction():
            instance = self.store.find_instance(instance_id)
            messages = self.store.due(instance_id, self._clock.now())
            if instance is None or not instance.is_live:
                for message_id, _, _ in messages:
                    self.store.forget_message(message_id)
                return
            self._advance(instance, messages)

    def _advance(self, instance: Instance, messages: Sequence[tuple[int, int | None, Row]]) -> None:
        now = self._clock.now()
        held = instance.status == "Suspended"
        rows: list[Row] = []
        for message_id, execution, body in messages:
            kind = body["kind"]
            if kind == "terminate":
                self._end(instance, "Terminated", json.dumps(body["reason"]))
                return
            if kind in ("suspend", "resume"):
                held = kind == "suspend"
            elif held:
                continue
            elif execution in (None, instance.execution):
                rows.extend(_taken_in(body, instance, now))
            self.store.forget_message(message_id)
        status = "Suspended" if held else "Running"
        if status != instance.status:
            instance = replace(instance, status=status, updated_at=stamp(now))
            self.store.put_instance(instance)
        if rows and not held:
            self._replay(instance, rows, now)

    def _replay(self, instance: Instance, rows: list[Row], now: datetime) -> None:
        past = [each | {"IsPlayed": True} for each in self.store.history(instance.id)]
        fresh = [row(Kind.ORCHESTRATOR_STARTED, now), *rows]
        history = [*past, *fresh]
        result = self._ask(instance, history, is_replaying=bool(past))
        try:
            outcome = await_actions(result.actions, history)
        except UnsupportedActionError as error:
            result.error, outcome = str(error), await_actions([], history)
        if outcome.is_over and outcome.continues and result.error is None:
            self._continue(instance, outcome.continue_input, result, now)
            return
        if outcome.is_over and result.error is not None:
            self._end(instance, "Failed", json.dumps(result.error), result.custom_status)
            return
        if outcome.is_over and result.is_done:
            self._end(instance, "Completed", result.output, result.custom_status)
            return
        written = [self._schedule(instance, decision, now) for decision in outcome.decisions]
        self.store.append(instance.id, [*fresh, *written, row(Kind.ORCHESTRATOR_COMPLETED, now)])
        status = result.custom_status or instance.custom_status
        self.store.put_instance(replace(instance, custom_status=status, updated_at=stamp(now)))

    def _ask(self, instance: Instance, history: list[Row], *, is_replaying: bool) -> _Result:
        orchestrator = self._functions.orchestrators.get(instance.name)
        if orchestrator is None:
            return _Result(error=f"there is no orchestrator {instance.name!r}")
        body = {
            "history": history,
            "input": instance.input,
            "instanceId": instance.id,
            "isReplaying": is_replaying,
            "parentInstanceId": instance.parent,
            "upperSchemaVersion": 2,
            "maximumShortTimerDuration": "6.00:00:00",
            "longRunningTimerIntervalDuration": "3.00:00:00",
            "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
        }
        try:
            return _read(json.loads(orchestrator(json.dumps(body))))
        except Exception as error:  # noqa: BLE001 - an orchestrator may raise anything
            return _failed(error)

    def _schedule(self, instance: Instance, decision: Decision, now: datetime) -> Row:
        event_id = decision.event_id
        if decision.kind is Kind.TIMER_CREATED:
            fire_at = decision.fire_at or now
            if not decision.cancelled:
                body = {"kind": "timer", "id": event_id, "fire_at": stamp(fire_at)}
                self.store.send(instance.id, fire_at, body, execution=instance.execution)
            return row(decision.kind, now, event_id=event_id, FireAt=stamp(fire_at))
        _warn_if_large(decision.name, decision.input or "")
        if decision.kind is Kind.TASK_SCHEDULED:
            self.store.queue_activity(
                instance.id, instance.execution, event_id, decision.name, decision.input
            )
            return row(
                decision.kind, now, event_id=event_id, Name=decision.name, Input=decision.input
            )
        child = decision.instance_id or f"{instance.id}:{instance.execution}:{event_id}"
        self._start_child(instance, child, decision, now)
        return row(
            decision.kind,
            now,
            event_id=event_id,
            Name=decision.name,
            Input=decision.input,
            InstanceId=child,
        )

    def _start_child(self, parent: Instance, child: str, decision: Decision, now: datetime) -> None:
        present = self.store.find_instance(child)
        if child in (parent.id, parent.parent) or (present is not None and present.is_live):
            said = f"an instance {child!r} is live already"
            body = {"kind": "sub_failed", "id": decision.event_id, "reason": said}
            self.store.send(parent.id, now, body, execution=parent.execution)
            return
        self._create(
            decision.name,
            child,
            decision.input,
            execution=(present.execution if present else 0) + 1,
            parent=parent.id,
            parent_event=decision.event_id,
        )

    def _continue(self, instance: Instance, given: Any, result: _Result, now: datetime) -> None:
        """Begin anew: an empty history, and no event that found no waiter."""
        text = given if isinstance(given, str) or given is None else json.dumps(given)
        self.store.clear(instance.id)
        self.store.put_instance(
            replace(
                instance,
                input=text,
                execution=instance.execution + 1,
                custom_status=result.custom_status or instance.custom_status,
                updated_at=stamp(now),
            )
        )
        self.store.send(instance.id, now, {"kind": "start"})

    def _end(
        self,
        instance: Instance,
        status: str,
        output: str | None,
        custom_status: str | None = None,
    ) -> None:
        now = self._clock.now()
        self.store.clear(instance.id)
        self.store.put_instance(
            replace(
                instance,
                status=status,
                output=output,
                custom_status=custom_status or instance.custom_status,
                updated_at=stamp(now),
            )
        )
        if instance.parent is None:
            return
        parent = self.store.find_instance(instance.parent)
        if parent is not None and parent.is_live:
            body: Row = {"kind": "sub_completed", "id": instance.parent_event, "result": output}
            if status != "Completed":
                reason = json.loads(output) if output else status
                body = {"kind": "sub_failed", "id": instance.parent_event, "reason": reason}
            self.store.send(parent.id, now, body, execution=parent.execution)


def _taken_in(body: Row, instance: Instance, now: datetime) -> list[Row]:
    """Return the history rows that a message becomes."""
    kind = body["kind"]
    if kind == "start":
        return [
            row(
                Kind.EXECUTION_STARTED,
                now,
                Name=instance.name,
                Version="",
                Input=instance.input,
                OrchestrationInstance={
                    "InstanceId": instance.id,
                    "ExecutionId": f"{instance.id}:{instance.execution}",
                },
            )
        ]
    if kind == "event":
        return [row(Kind.EVENT_RAISED, now, Name=body["name"], Input=body["input"])]
    if kind == "timer":
        return [row(Kind.TIMER_FIRED, now, TimerId=body["id"], FireAt=body["fire_at"])]
    sub = kind.startswith("sub_")
    if kind.endswith("completed"):
        done = Kind.SUB_COMPLETED if sub else Kind.TASK_COMPLETED
        return [row(done, now, TaskScheduledId=body["id"], Result=body["result"])]
    failed = Kind.SUB_FAILED if sub else Kind.TASK_FAILED
    reason = body["reason"]
    return [row(failed, now, TaskScheduledId=body["id"], Reason=reason, Details=reason)]


def _read(document: Mapping[str, Any]) -> _Result:
    actions = [action for batch in document.get("actions", []) for action in batch]
    output, status = document.get("output"), document.get("customStatus")
    return _Result(
        actions=actions,
        is_done=bool(document.get("isDone")),
        output=json.dumps(output) if "output" in document else None,
        error=document.get("error"),
        custom_status=json.dumps(status) if status else None,
    )


def _failed(error: Exception) -> _Result:
    """Return what a failing orchestrator left behind its label, or the error alone."""
    message, _, left = str(error).partition(_LABEL)
    if not left:
        return _Result(error=f"{type(error).__name__}: {message.strip()}")
    result = _read(json.loads(left))
    return replace(result, error=result.error or message.strip())


def _warn_if_large(name: str, text: str) -> None:
    if len(text) > LARGE_PAYLOAD:
        _logger.warning("A payload of %s has %d characters; 16 KB is the limit", name, len(text))

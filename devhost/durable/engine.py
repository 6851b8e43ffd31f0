"""Runs orchestrations: takes messages in, replays, writes what follows, one transaction a step."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from devhost.durable.actions import (
    Decision,
    NonDeterminismError,
    Outcome,
    UnsupportedActionError,
    await_actions,
)
from devhost.durable.history import Kind, Row, row, stamp, taken_in
from devhost.durable.orchestrator import Answer, ask, joined
from devhost.durable.store import Instance, QueuedActivity, Store
from devhost.durable.timestamps import remember_timestamps

LARGE_PAYLOAD = 16 << 10
# In a history's JSON text nothing else is written so: what is quoted in it has escaped quotes.
_PLAYED = ('"IsPlayed": false', '"IsPlayed": true')
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
        remember_timestamps()
        self._functions, self.store, self._clock, self._choose = functions, store, clock, choose

    def has_orchestrator(self, name: str) -> bool:
        """Whether the app has an orchestrator of that name."""
        return name in self._functions.orchestrators

    def start(self, name: str, instance_id: str, text: str | None) -> None:
        """Create an instance; raises AlreadyLiveError. An ended one is replaced."""
        with self.store.transaction():
            present = self.store.find_instance(instance_id)
            if present is not None and present.is_live:
                raise AlreadyLiveError(instance_id)
            self._create(name, instance_id, text)

    def _create(
        self,
        name: str,
        instance_id: str,
        text: str | None,
        *,
        parent: Instance | None = None,
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
                execution=self.store.new_execution(),
                parent=parent.id if parent else None,
                parent_execution=parent.execution if parent else None,
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
        things: list[Any] = [*self.store.ready(self._clock.now()), *self.store.activities()]
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
            said = f"Activity function '{activity.name}' failed: {type(error).__name__}: {error}"
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
                self._terminate(instance, body["reason"], now)
                return
            if kind == "suspend":
                held = True
            elif kind == "resume":
                held = False
                self.store.release_messages(instance.id)
            elif held:
                self.store.hold_message(message_id)
                continue
            elif execution in (None, instance.execution):
                started = kind == "start"
                rows.append(_started(instance, now) if started else taken_in(body, now))
            self.store.forget_message(message_id)
        status = "Suspended" if held else "Running"
        if status != instance.status:
            instance = replace(instance, status=status, updated_at=stamp(now))
            self.store.put_instance(instance)
        if rows:
            self._replay(instance, rows, now)

    def _replay(self, instance: Instance, rows: list[Row], now: datetime) -> None:
        text = self.store.history_text(instance.id).replace(*_PLAYED)
        past: list[Row] = json.loads(text)
        fresh = [row(Kind.ORCHESTRATOR_STARTED, now), *rows]
        history = joined(text, json.dumps(fresh))
        answer = self._ask(instance, history, is_replaying=bool(past))
        kept = None if past else instance.custom_status  # it outlives its execution by one episode
        status = answer.custom_status or kept
        instance = replace(instance, custom_status=status, updated_at=stamp(now))
        answer, outcome = _awaited(answer, [*past, *fresh])
        if not outcome.is_over or not (answer.is_done or answer.error is not None):
            written = [self._schedule(instance, each, now) for each in outcome.decisions]
            completed = row(Kind.ORCHESTRATOR_COMPLETED, now)
            self.store.append(instance.id, [*fresh, *written, completed], after=len(past))
            self.store.put_instance(instance)
        elif answer.error is not None:
            said = f"Orchestrator function '{instance.name}' failed: {answer.error}"
            self._end(instance, "Failed", json.dumps(said), fresh, now)
        elif outcome.continues:
            self._continue(instance, outcome.continue_input, now)
        else:
            self._end(instance, "Completed", answer.output, fresh, now)

    def _ask(self, instance: Instance, history: str, *, is_replaying: bool) -> Answer:
        orchestrator = self._functions.orchestrators.get(instance.name)
        if orchestrator is None:
            return Answer(error=f"there is no orchestrator {instance.name!r}", broke=True)
        return ask(orchestrator, instance, history, is_replaying=is_replaying)

    def _schedule(self, instance: Instance, decision: Decision, now: datetime) -> Row:
        event_id = decision.event_id
        if decision.kind is Kind.TIMER_CREATED:
            fire_at = decision.fire_at or now
            if not decision.cancelled:
                body = {"kind": "timer", "id": event_id, "fire_at": stamp(fire_at)}
                self.store.send(instance.id, fire_at, body, execution=instance.execution)
            return row(decision.kind, now, event_id=event_id, FireAt=stamp(fire_at))
        _warn_if_large(decision.name, decision.input or "")
        what = {"Name": decision.name, "Input": decision.input}
        if decision.kind is Kind.TASK_SCHEDULED:
            self.store.queue_activity(
                instance.id, instance.execution, event_id, decision.name, decision.input
            )
            return row(decision.kind, now, event_id=event_id, **what)
        child = decision.instance_id or f"{execution_id(instance)}:{event_id}"
        self._start_child(instance, child, decision, now)
        return row(decision.kind, now, event_id=event_id, InstanceId=child, **what)

    def _start_child(self, parent: Instance, child: str, decision: Decision, now: datetime) -> None:
        said = self._why_not(parent, child)
        if said is None:
            self._create(
                decision.name,
                child,
                decision.input,
                parent=parent,
                parent_event=decision.event_id,
            )
        else:
            body = {"kind": "sub_failed", "id": decision.event_id, "reason": said}
            self.store.send(parent.id, now, body, execution=parent.execution)

    def _why_not(self, parent: Instance, child: str) -> str | None:
        if child.casefold() in (parent.id.casefold(), (parent.parent or "").casefold()):
            return f"the id {child!r} is that of the instance itself or of its parent"
        present = self.store.find_instance(child)
        if present is not None and present.is_live:
            return f"an instance {child!r} is live already"
        return None

    def _continue(self, instance: Instance, given: Any, now: datetime) -> None:
        """Begin anew: an empty history, and no event that found no waiter."""
        text = given if isinstance(given, str) or given is None else json.dumps(given)
        self.store.clear(instance.id)
        self.store.put_instance(replace(instance, input=text, execution=self.store.new_execution()))
        self.store.send(instance.id, now, {"kind": "start"})

    def _terminate(self, instance: Instance, reason: str, now: datetime) -> None:
        rows = [row(Kind.EXECUTION_TERMINATED, now, Reason=reason)]
        self._end(instance, "Terminated", json.dumps(reason), rows, now)

    def _end(
        self, instance: Instance, status: str, output: str | None, rows: list[Row], now: datetime
    ) -> None:
        ended = row(Kind.EXECUTION_COMPLETED, now, OrchestrationStatus=status, Result=output)
        self.store.append(instance.id, [*rows, ended])
        self.store.settle(instance.id)
        self.store.put_instance(
            replace(instance, status=status, output=output, updated_at=stamp(now))
        )
        if instance.parent is not None:
            body: Row = {"kind": "sub_completed", "id": instance.parent_event, "result": output}
            if status != "Completed":
                reason = json.loads(output) if output else status
                body = {"kind": "sub_failed", "id": instance.parent_event, "reason": reason}
            self.store.send(instance.parent, now, body, execution=instance.parent_execution)


def execution_id(instance: Instance) -> str:
    """Return the name of an instance's present execution; no other execution ever has it."""
    return f"{instance.id}:{instance.execution}"


def _started(instance: Instance, now: datetime) -> Row:
    return row(
        Kind.EXECUTION_STARTED,
        now,
        Name=instance.name,
        Version="",
        Input=instance.input,
        OrchestrationInstance={
            "InstanceId": instance.id,
            "ExecutionId": execution_id(instance),
        },
    )


def _awaited(answer: Answer, history: Sequence[Row]) -> tuple[Answer, Outcome]:
    """Await what was asked for; what cannot be replayed fails the instance at once."""
    if answer.broke:
        return answer, Outcome(is_over=True)
    try:
        return answer, await_actions(answer.actions, history)
    except (UnsupportedActionError, NonDeterminismError) as error:
        return replace(answer, error=str(error)), Outcome(is_over=True)


def _warn_if_large(name: str, text: str) -> None:
    if len(text) > LARGE_PAYLOAD:
        _logger.warning("A payload of %s has %d characters; 16 KB is the limit", name, len(text))

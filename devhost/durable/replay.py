"""For tests of orchestrators: real replays on the engine, canned activities, virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.durable_functions as df

from devhost.durable.engine import Engine, Functions
from devhost.durable.store import Store

START = datetime(2026, 1, 1, tzinfo=UTC)
_MOST_STEPS = 20_000
MAIN = "main"


class OrchestrationFailedError(Exception):
    """The orchestration ended `Failed`."""


class StuckError(Exception):
    """Nothing can go on any more, and the orchestration has not ended."""


@dataclass
class VirtualClock:
    """A clock that stands until it is moved."""

    at: datetime = START

    def now(self) -> datetime:
        """Return the time."""
        return self.at


@dataclass(kw_only=True)
class Replay:
    """Runs one orchestrator; every answer replays it from the top.

    Attributes:
        answers: by function name: an answer, a list of answers in turn (the last one stays), an
            exception to raise, or a callable(input) that gives one of these.
        orchestrators: sub-orchestrators that run for real; others are canned like activities.
        events: (event, function): raise the event at the main instance's child or itself once the
            function has answered for the first time.
        calls: name and input of each activity or canned sub-orchestrator, in order.
        longest_history: the most rows that any execution had.
        instances: ids of all instances that there were.
    """

    input: Any
    answers: Mapping[str, Any]
    orchestrators: tuple[Callable[..., Any], ...] = ()
    events: list[tuple[str, str]] = field(default_factory=list)
    clock: VirtualClock = field(default_factory=VirtualClock)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    sleeps: list[timedelta] = field(default_factory=list)
    longest_history: int = 0
    instances: set[str] = field(default_factory=set)

    def names(self) -> list[str]:
        """Return the names of what was called, in order."""
        return [name for name, _ in self.calls]

    def run(self, orchestrator: Callable[..., Any]) -> Any:
        """Run to the end and return the output; time jumps to the next timer when all else
        rests."""
        engine = self._engine(orchestrator)
        engine.start(orchestrator.__name__, MAIN, json.dumps(self.input))
        for _ in range(_MOST_STEPS):
            self._raise_events(engine)
            if engine.step():
                self._measure(engine)
            elif not self._sleep(engine):
                break
            instance = engine.store.find_instance(MAIN)
            if instance is not None and not instance.is_live:
                output = json.loads(instance.output) if instance.output else None
                if instance.status != "Completed":
                    raise OrchestrationFailedError(str(output))
                return output
        raise StuckError(f"nothing goes on after {self.names()[-5:]}")

    def _engine(self, orchestrator: Callable[..., Any]) -> Engine:
        real = {f.__name__: self.created(f) for f in (orchestrator, *self.orchestrators)}
        canned = {name: self._canned_orchestrator(name) for name in self.answers}
        activities = {name: self._canned_activity(name) for name in self.answers}
        functions = Functions(orchestrators={**canned, **real}, activities=activities)
        return Engine(functions, Store(":memory:"), self.clock)

    def created(self, function: Callable[..., Any]) -> Callable[[str], str]:
        """Return an orchestrator as the worker calls it: history in, actions out."""
        real: Callable[[str], str] = df.Orchestrator.create(function)
        return real

    def _canned_activity(self, name: str) -> Callable[[str | None], str]:
        return lambda text: json.dumps(self._answer(name, json.loads(text) if text else None))

    def _canned_orchestrator(self, name: str) -> Callable[[str], str]:
        def answer(body: str) -> str:
            text = json.loads(body)["input"]
            output = self._answer(name, json.loads(text) if text else None)
            return json.dumps({"isDone": True, "actions": [], "output": output})

        return answer

    def _answer(self, name: str, given: Any) -> Any:
        before = self.names().count(name)
        self.calls.append((name, given))
        answer = self.answers[name]
        if isinstance(answer, list):
            answer = answer[min(before, len(answer) - 1)]
        if callable(answer):
            answer = answer(given)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _raise_events(self, engine: Engine) -> None:
        for event, after in list(self.events):
            if after in self.names():
                self.events.remove((event, after))
                for instance in engine.store.list_instances():
                    if instance.is_live:
                        engine.raise_event(instance.id, event, "null")

    def _sleep(self, engine: Engine) -> bool:
        due = engine.store.next_due()
        if due is None:
            return False
        self.sleeps.append(due - self.clock.at)
        self.clock.at = due
        return True

    def _measure(self, engine: Engine) -> None:
        self.instances |= {i.id for i in engine.store.list_instances()}
        lengths = (len(engine.store.history(i.id)) for i in engine.store.list_instances())
        self.longest_history = max(self.longest_history, *lengths)

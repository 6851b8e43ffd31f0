"""Builds an engine for a test: orchestrators as written, activities as plain functions."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.durable_functions as df

from devhost.durable.engine import Engine, Functions
from devhost.durable.history import Kind
from devhost.durable.replay import VirtualClock
from devhost.durable.store import Instance, Store

Steps = Generator[Any, Any, Any]
Activity = Callable[[Any], Any]
ONE = "one"


def first(things: Sequence[Any]) -> int:
    """Choose what came first."""
    return 0


class Hub:
    """An engine, its clock, and what its activities were asked."""

    def __init__(
        self,
        *orchestrators: Callable[..., Any],
        activities: dict[str, Activity] | None = None,
        path: Path | str = ":memory:",
        store: Callable[[Path | str], Store] = Store,
        choose: Callable[[Sequence[Any]], int] = first,
        clock: VirtualClock | None = None,
    ) -> None:
        self.clock = clock or VirtualClock()
        self.calls: list[tuple[str, Any]] = []
        self.store = store(path)
        functions = Functions(
            orchestrators={f.__name__: df.Orchestrator.create(f) for f in orchestrators},
            activities={
                name: self._activity(name, function)
                for name, function in (activities or {}).items()
            },
        )
        self.engine = Engine(functions, self.store, self.clock, choose=choose)

    def _activity(self, name: str, function: Activity) -> Callable[[str | None], str]:
        def call(text: str | None) -> str:
            value = json.loads(text) if text is not None else None
            self.calls.append((name, value))
            return json.dumps(function(value))

        return call

    def start(self, orchestrator: Callable[..., Any], value: Any = None, id_: str = ONE) -> None:
        """Start an instance."""
        self.engine.start(orchestrator.__name__, id_, json.dumps(value))

    def settle(self) -> None:
        """Do everything that can be done now."""
        while self.engine.step():
            pass

    def pass_time(self, by: timedelta) -> None:
        """Let time pass, in one jump, and do what is due then."""
        self.clock.at += by
        self.settle()

    def run(self) -> None:
        """Do everything, and jump to the next timer whenever all rests."""
        self.settle()
        while due := self.store.next_due():
            self.clock.at = max(self.clock.at, due)
            self.settle()

    def send(self, event: str, value: Any = None, id_: str = ONE) -> None:
        """Raise an event."""
        self.engine.raise_event(id_, event, json.dumps(value))

    def instance(self, id_: str = ONE) -> Instance:
        """Return an instance."""
        found = self.store.find_instance(id_)
        assert found is not None
        return found

    def ended(self, id_: str = ONE) -> tuple[str, Any]:
        """Return how an instance stands: status and output."""
        found = self.instance(id_)
        return found.status, json.loads(found.output) if found.output else None

    def custom_status(self, id_: str = ONE) -> Any:
        """Return an instance's custom status."""
        text = self.instance(id_).custom_status
        return json.loads(text) if text else None

    def scheduled(self, id_: str = ONE) -> list[tuple[int, str]]:
        """Return the ids and kinds of what an execution scheduled, in order."""
        kinds = (Kind.TASK_SCHEDULED, Kind.SUB_CREATED, Kind.TIMER_CREATED)
        rows = self.store.history(id_)
        return [(r["EventId"], Kind(r["EventType"]).name) for r in rows if r["EventType"] in kinds]

    def names(self) -> list[str]:
        """Return the names of the activities that ran, in order."""
        return [name for name, _ in self.calls]


def failing(message: str = "boom") -> Activity:
    """Return an activity that always raises."""

    def fail(_: Any) -> Any:
        raise ValueError(message)

    return fail


def answering(*answers: Any) -> Activity:
    """Return an activity that gives its answers in turn, raising those that are exceptions."""
    left = list(answers)

    def answer(_: Any) -> Any:
        value = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(value, Exception):
            raise value
        return value

    return answer

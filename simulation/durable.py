"""The host's side: the task hub that may crash, and the durable client without HTTP."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from sqlite3 import Cursor
from types import SimpleNamespace
from typing import Any

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from devhost.durable.engine import AlreadyLiveError, Engine, Functions
from devhost.durable.store import Store
from devhost.functions import Function
from simulation.inline import run_inline
from simulation.registration import Registrar

Told = Callable[[str, str], None]


class TaskHub(Store):
    """The engine's store in memory, which outlives the process that uses it.

    Attributes:
        point: called before and after each transaction; raises a crash.
        told: is shown every text that Durable keeps.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(":memory:")
        self.point: Callable[[str], None] = lambda when: None
        self.told: Told = lambda what, text: None

    @contextmanager
    def transaction(self) -> Iterator[Store]:
        """Write all of it or nothing; the process may die before and after."""
        self.point("before a commit")
        with super().transaction():
            yield self
        self.point("after a commit")

    def idle(self) -> list[str]:
        """Return the live instances that neither message, activity nor child will wake."""
        live = "status IN ('Pending', 'Running', 'Suspended')"
        query = f"SELECT id FROM instances WHERE {live}"
        query += f" EXCEPT SELECT parent FROM instances WHERE {live}"
        query += " EXCEPT SELECT instance FROM messages EXCEPT SELECT instance FROM activities"
        return [row["id"] for row in self._query(query)]

    def longer_than(self, rows: int) -> list[tuple[str, int]]:
        """Return the live instances whose history has more rows, and how many it has."""
        query = "SELECT instance, COUNT(*) AS n FROM history GROUP BY instance HAVING n > ?"
        found = [(row["instance"], row["n"]) for row in self._query(query, rows)]
        return [each for each in found if self._is_live(each[0])]

    def _is_live(self, instance_id: str) -> bool:
        instance = self.find_instance(instance_id)
        return instance is not None and instance.is_live

    def _execute(self, query: str, values: Any) -> Cursor:
        if query.startswith("INSERT"):
            given = values.values() if isinstance(values, dict) else values
            table = query.partition(" INTO ")[2].partition(" ")[0]
            self.told(table, "\n".join(v for v in given if isinstance(v, str)))
        return super()._execute(query, values)


class HostError(Exception):
    """What the durable SDK raises for every refusal: nothing narrower."""


class DurableClient:
    """What the app's `DurableOrchestrations` asks of the SDK's client, on an engine right here."""

    def __init__(self, engine: Engine, point: Callable[[str], bool]) -> None:
        """Ask `engine`; `point` says after each call whether its answer is lost."""
        self._engine, self._point = engine, point

    async def start_new(self, name: str, instance_id: str, client_input: Any) -> str:
        """Start an instance; the host answers a second start of a live one with an error."""
        try:
            self._engine.start(name, instance_id, json.dumps(client_input))
        except AlreadyLiveError as error:
            raise HostError("an instance of that id is live") from error
        self._answer(f"start {instance_id}")
        return instance_id

    async def get_status(self, instance_id: str) -> Any:
        """Return an instance's status."""
        self._answer(f"look at {instance_id}")
        found = self._engine.store.find_instance(instance_id)
        status = SimpleNamespace(value=found.status) if found else None
        return SimpleNamespace(runtime_status=status)

    async def raise_event(self, instance_id: str, name: str, data: Any) -> None:
        """Send an event."""
        self._engine.raise_event(instance_id, name, json.dumps(data))
        self._answer(f"wake {instance_id}")

    def _answer(self, what: str) -> None:
        if self._point(what):
            raise HostError("the host did not answer")


@dataclass(frozen=True, kw_only=True)
class LoadedFunctions:
    """An app's functions by name, called as the worker calls them, but here and now."""

    functions: Mapping[str, Function]
    client: Callable[[], DurableClient]

    @classmethod
    def of(
        cls, register: Callable[[Any], None], client: Callable[[], DurableClient]
    ) -> LoadedFunctions:
        """Take what `register` registers with the app that it is given."""
        registrar = Registrar()
        register(registrar)
        return cls(functions={each.name: each for each in registrar.functions}, client=client)

    def of_kind(self, kind: str) -> list[Function]:
        """Return the functions with a kind of trigger."""
        return [each for each in self.functions.values() if each.kind == kind]

    def call(self, name: str, value: Any) -> Any:
        """Call a function with its trigger's value."""
        function = self.functions[name]
        arguments = {str(function.trigger["name"]): value}
        call = function.call
        if function.client:
            arguments[function.client] = self.client()
        if inspect.iscoroutinefunction(call):
            return run_inline(call(**arguments))
        return call(**arguments)

    def for_engine(self) -> Functions:
        """Return orchestrators and activities as the engine calls them."""
        return Functions(
            orchestrators={f.name: f.call for f in self.of_kind("orchestrationTrigger")},
            activities={f.name: self._activity(f) for f in self.of_kind("activityTrigger")},
        )

    def _activity(self, function: Function) -> Callable[[str | None], str]:
        def call(text: str | None) -> str:
            given = Datum(text or "null", "json")
            value = ActivityTriggerConverter.decode(given, trigger_metadata=None)
            result = self.call(function.name, value)
            return str(ActivityTriggerConverter.encode(result, expected_type=None).value)

        return call

"""A durable client in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.fakes.scripted import Scripted


class FakeOrchestrations(Scripted):
    """Remembers what was started and woken.

    Attributes:
        started: (name, instance id, input), in order.
        alive: ids of the instances that have not ended.
        woken: ids that were alive when they were woken, in order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.started: list[tuple[str, str, Mapping[str, Any]]] = []
        self.alive: set[str] = set()
        self.woken: list[str] = []

    async def ensure_started(self, name: str, instance_id: str, payload: Mapping[str, Any]) -> bool:
        """See Orchestrations."""
        with self._call("ensure_started"):
            if instance_id in self.alive:
                return False
            self.alive.add(instance_id)
            self.started.append((name, instance_id, payload))
            return True

    async def is_alive(self, instance_id: str) -> bool:
        """See Orchestrations."""
        with self._call("is_alive"):
            return instance_id in self.alive

    async def wake(self, instance_id: str) -> None:
        """See Orchestrations."""
        with self._call("wake"):
            if instance_id in self.alive:
                self.woken.append(instance_id)

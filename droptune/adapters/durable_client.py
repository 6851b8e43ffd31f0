"""Starting and waking orchestrations through the durable client."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from droptune.domain.errors import TransientError

if TYPE_CHECKING:
    from azure.durable_functions import DurableOrchestrationClient

_ALIVE = frozenset({"Pending", "Running", "Suspended", "ContinuedAsNew"})
WAKE = "wake"


class DurableOrchestrations:
    """Implements Orchestrations; lives as long as one function call, as the client does.

    The SDK (1.7.0) raises a bare Exception for every refusal; looking again tells what it means.
    """

    def __init__(self, client: DurableOrchestrationClient) -> None:
        """Use the client that the host bound to the function."""
        self._client = client

    async def ensure_started(self, name: str, instance_id: str, payload: Mapping[str, Any]) -> bool:
        """See Orchestrations.

        Look, then start, is a race that two callers may run: the host refuses the second (500) on a
        pending or running id. An id that has ended is started anew.
        """
        if await self.is_alive(instance_id):
            return False
        try:
            await self._client.start_new(name, instance_id, dict(payload))
        except Exception as error:  # the SDK raises nothing narrower
            if await self.is_alive(instance_id):
                return False
            raise TransientError(f"starting {name} {instance_id}: {_said(error)}") from error
        return True

    async def is_alive(self, instance_id: str) -> bool:
        """See Orchestrations."""
        try:
            status = await self._client.get_status(instance_id)
        except Exception as error:  # the SDK raises nothing narrower
            raise TransientError(f"asking for {instance_id}: {_said(error)}") from error
        runtime_status = status.runtime_status  # not bool(status), which asks for createdTime
        return runtime_status is not None and runtime_status.value in _ALIVE

    async def wake(self, instance_id: str) -> None:
        """See Orchestrations."""
        if not await self.is_alive(instance_id):
            return
        try:
            await self._client.raise_event(instance_id, WAKE, True)
        except Exception as error:  # the SDK raises nothing narrower
            if await self.is_alive(instance_id):
                raise TransientError(f"waking {instance_id}: {_said(error)}") from error


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error!s:.200}"

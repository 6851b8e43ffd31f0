"""What stands in the place of the SDK's app where nobody asks for bindings: functions by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import azure.durable_functions as df

from devhost.functions import Function

_Register = Callable[[Any], Any]


class Registrar:
    """Has the decorators of the SDK's `DFApp` that `function_app.register` uses.

    A world starts its host again after each crash, and the SDK takes 15 ms for the bindings of an
    app, by which Azure would know its functions. Here they are called by name.

    Attributes:
        functions: what was registered, in order.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self.functions: list[Function] = []

    def orchestration_trigger(self, context_name: str) -> _Register:
        """Take an orchestrator; it is called with the protocol's JSON text."""

        def take(orchestrator: Any) -> Any:
            handle = df.Orchestrator.create(orchestrator)
            handle.__name__ = orchestrator.__name__
            return self._add(handle, "orchestrationTrigger", context_name)

        return take

    def activity_trigger(self, input_name: str) -> _Register:
        """Take an activity."""
        return lambda taken: self._add(taken, "activityTrigger", input_name)

    def blob_trigger(self, arg_name: str, **_: Any) -> _Register:
        """Take what a blob's event calls."""
        return lambda taken: self._add(taken, "blobTrigger", arg_name)

    def timer_trigger(self, arg_name: str, **_: Any) -> _Register:
        """Take what a timer calls."""
        return lambda taken: self._add(taken, "timerTrigger", arg_name)

    def route(self, **_: Any) -> _Register:
        """Take what a request calls."""
        return lambda taken: self._add(taken, "httpTrigger", "req")

    def durable_client_input(self, client_name: str) -> _Register:
        """Note which argument is the durable client; the trigger stands before."""
        return lambda taken: (taken, client_name)

    def _add(self, taken: Any, kind: str, argument: str) -> Any:
        call, client = taken if isinstance(taken, tuple) else (taken, None)
        trigger = {"type": kind, "name": argument}
        self.functions.append(
            Function(name=call.__name__, trigger=trigger, call=call, client=client)
        )
        return taken

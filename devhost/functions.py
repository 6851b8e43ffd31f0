"""Loading an app: its functions by trigger, called as the worker calls them."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from devhost.durable.engine import Functions

SUPPORTED = frozenset(
    {
        "orchestrationTrigger", "activityTrigger", "httpTrigger", "http", "blobTrigger",
        "timerTrigger", "durableClient",
    }
)  # fmt: skip


class UnsupportedBindingError(Exception):
    """The app uses bindings that this host does not have; they are all named."""


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of the app: its trigger, and the name of its durable client argument, if any."""

    name: str
    trigger: Mapping[str, Any]
    call: Callable[..., Any]
    client: str | None = None

    @property
    def kind(self) -> str:
        """Type of the trigger."""
        return str(self.trigger["type"])


@dataclass(frozen=True, kw_only=True)
class Host:
    """What host.json says."""

    route_prefix: str = "api"
    hub: str = "devhost"


@dataclass(kw_only=True)
class LoadedApp:
    """An app's functions and how they are run; `client` is the durable client's JSON text."""

    functions: Sequence[Function]
    host: Host
    client: str = ""
    loop: asyncio.AbstractEventLoop | None = field(default=None, repr=False)

    def of_kind(self, kind: str) -> list[Function]:
        """Return the functions with a kind of trigger."""
        return [function for function in self.functions if function.kind == kind]

    async def call(self, function: Function, value: Any) -> Any:
        """Call a function with its trigger's value; plain ones run in a thread."""
        arguments = {str(function.trigger["name"]): value}
        if function.client:
            arguments[function.client] = self.client
        if inspect.iscoroutinefunction(function.call):
            return await function.call(**arguments)
        return await asyncio.to_thread(function.call, **arguments)

    def engine_functions(self) -> Functions:
        """Return orchestrators and activities as the engine calls them, from its own threads."""
        return Functions(
            orchestrators={f.name: f.call for f in self.of_kind("orchestrationTrigger")},
            activities={f.name: self._activity(f) for f in self.of_kind("activityTrigger")},
        )

    def _activity(self, function: Function) -> Callable[[str | None], str]:
        def call(text: str | None) -> str:
            value = json.loads(text) if text is not None else None
            assert self.loop is not None
            waiting = asyncio.run_coroutine_threadsafe(self.call(function, value), self.loop)
            return json.dumps(waiting.result())

        return call


def load_app(folder: Path) -> LoadedApp:
    """Import `function_app.py` and read `host.json`; raises UnsupportedBindingError."""
    sys.path.insert(0, str(folder))
    module = importlib.import_module("function_app")
    functions = [_function(each) for each in module.app.get_functions()]
    return LoadedApp(functions=functions, host=read_host(folder / "host.json"))


def read_host(path: Path) -> Host:
    """Return what host.json says; `%NAME%` in the hub's name is a setting."""
    document = json.loads(path.read_text("utf-8")) if path.exists() else {}
    extensions = document.get("extensions", {})
    hub = extensions.get("durableTask", {}).get("hubName", "devhost")
    if hub.startswith("%") and hub.endswith("%"):
        hub = os.environ.get(hub.strip("%"), "devhost")
    return Host(route_prefix=extensions.get("http", {}).get("routePrefix", "api"), hub=hub)


def _function(loaded: Any) -> Function:
    bindings = [binding.get_dict_repr() for binding in loaded.get_bindings()]
    name = loaded.get_function_name()
    strange = sorted({b["type"] for b in bindings} - SUPPORTED)
    if strange:
        raise UnsupportedBindingError(f"{name}: this host has no {', '.join(strange)}")
    trigger = next(b for b in bindings if b["type"].endswith("Trigger"))
    client = next((b["name"] for b in bindings if b["type"] == "durableClient"), None)
    return Function(name=name, trigger=trigger, call=loaded.get_user_function(), client=client)

"""Loading an app: its functions by trigger, called as the worker calls them."""

from __future__ import annotations

import asyncio
import gc
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.functions.durable_functions import ActivityTriggerConverter
from azure.functions.meta import Datum

from devhost.durable.engine import Functions
from devhost.host_file import Host, read_host

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
        arguments = self._arguments(function, value)
        if inspect.iscoroutinefunction(function.call):
            return await function.call(**arguments)
        return await asyncio.to_thread(function.call, **arguments)

    def _arguments(self, function: Function, value: Any) -> dict[str, Any]:
        arguments = {str(function.trigger["name"]): value}
        if function.client:
            arguments[function.client] = self.client
        return arguments

    def engine_functions(self) -> Functions:
        """Return orchestrators and activities as the engine calls them, from its own threads."""
        return Functions(
            orchestrators={f.name: f.call for f in self.of_kind("orchestrationTrigger")},
            activities={f.name: self._activity(f) for f in self.of_kind("activityTrigger")},
        )

    def _activity(self, function: Function) -> Callable[[str | None], str]:
        """Return an activity that runs in the thread that calls it; an async one in the loop.

        Input and result go through the worker's converter, so that what cannot be written as JSON
        fails here as it does there.
        """

        def call(text: str | None) -> str:
            value = (
                None
                if text is None
                else ActivityTriggerConverter.decode(Datum(text, "json"), trigger_metadata=None)
            )
            result = self._run(function, self._arguments(function, value))
            return str(ActivityTriggerConverter.encode(result, expected_type=None).value)

        return call

    def _run(self, function: Function, arguments: Mapping[str, Any]) -> Any:
        if not inspect.iscoroutinefunction(function.call):
            return function.call(**arguments)
        assert self.loop is not None
        return asyncio.run_coroutine_threadsafe(function.call(**arguments), self.loop).result()


def load_app(folder: Path) -> LoadedApp:
    """Import `function_app.py` and read `host.json`.

    Raises UnsupportedBindingError, HostFileError or MissingSettingError.
    """
    host = read_host(folder / "host.json")
    sys.path.insert(0, str(folder.resolve()))
    module = importlib.import_module("function_app")
    gc.freeze()  # all that was loaded stays: looking through it again stops all for 0.1 s
    return LoadedApp(functions=functions_of(module.app), host=host)


def functions_of(app: Any) -> list[Function]:
    """Return an app's functions; once only, as the SDK raises at a second asking.

    Raises UnsupportedBindingError.
    """
    loaded = list(app.get_functions())
    refused = [said for said in map(_refusal, loaded) if said]
    if refused:
        raise UnsupportedBindingError("; ".join(refused))
    return [_function(each) for each in loaded]


def _bindings(loaded: Any) -> list[dict[str, Any]]:
    return [binding.get_dict_repr() for binding in loaded.get_bindings()]


def _refusal(loaded: Any) -> str | None:
    strange = sorted({binding["type"] for binding in _bindings(loaded)} - SUPPORTED)
    return (
        f"{loaded.get_function_name()}: this host has no {', '.join(strange)}" if strange else None
    )


def _function(loaded: Any) -> Function:
    bindings = _bindings(loaded)
    return Function(
        name=loaded.get_function_name(),
        trigger=next(b for b in bindings if b["type"].endswith("Trigger")),
        call=loaded.get_user_function(),
        client=next((b["name"] for b in bindings if b["type"] == "durableClient"), None),
    )

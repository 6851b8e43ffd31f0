"""The engine and the triggers of a loaded app, beside the process that answers its HTTP functions,
until a signal asks to stop.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Sequence
from pathlib import Path
from typing import Any

from starlette.applications import Starlette

from devhost import http
from devhost.blob_trigger import blob_triggers
from devhost.durable import client_api
from devhost.durable.engine import Engine
from devhost.durable.store import Store, StoreVersionError
from devhost.engine_thread import EngineThread, SystemClock
from devhost.functions import LoadedApp, UnsupportedBindingError, load_app
from devhost.host_file import HostFileError
from devhost.http_process import HttpProcess
from devhost.serving import server_of
from devhost.settings import MissingSettingError
from devhost.sockets import url_of
from devhost.timers import timers

_REFUSALS = (UnsupportedBindingError, HostFileError, MissingSettingError, StoreVersionError)


def serve(
    folder: Path, state: Path, url: str, durable: socket.socket, answering: HttpProcess
) -> str:
    """Serve the app in a folder until SIGTERM or Ctrl-C; return "", or why it is not served."""
    try:
        host = Host(load_app(folder), state, url, answering)
    except _REFUSALS as error:
        return str(error)
    asyncio.run(host.serve(durable))
    return "HTTP is not answered any more" if host.has_failed else ""


class Host:
    """A loaded app and everything that serves it; raises what is not supported when made."""

    def __init__(self, app: LoadedApp, state: Path, url: str, answering: HttpProcess) -> None:
        """Make it ready; `answering` serves the app's HTTP functions at `url`."""
        self._app, self._url, self._answering = app, url, answering
        self._store = Store(state / "devhost.sqlite")
        engine = Engine(app.engine_functions(), self._store, SystemClock())
        self._thread = EngineThread(engine, app.host.max_concurrent_activities)
        period = os.environ.get("DEVHOST_TIMER_SECONDS")
        self._blobs = blob_triggers(app)
        self._timers = timers(app, float(period) if period else None)
        http.routes(app, None)  # refuses what the other process cannot serve
        routes = client_api.routes(engine, self._thread.wake)
        self._server = server_of(routes, self._lifespan)
        self.has_failed = False

    async def serve(self, durable: socket.socket) -> None:
        """Serve until SIGTERM or Ctrl-C, or until HTTP is not answered any more; the engine is
        asked through `durable`."""
        self._app.loop = asyncio.get_running_loop()
        self._app.client = client_api.binding(url_of(durable), self._app.host.hub)
        await self._server.serve(sockets=[durable])

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._thread.start()
        tasks = [asyncio.create_task(each) for each in (self._answer(), *self._triggers())]
        yield
        for task in tasks:
            task.cancel()
        self._thread.stop()

    async def _answer(self) -> None:
        if await self._answering.ready():
            sys.stdout.write(f"devhost ready {self._url}\n")
            sys.stdout.flush()
            await self._answering.ended()
        self.has_failed = not self._server.should_exit
        self._server.should_exit = True

    def _triggers(self) -> Sequence[Coroutine[Any, Any, None]]:
        blobs = [each.watch(self._app, self._store) for each in self._blobs]
        return [*blobs, *(each.run(self._app) for each in self._timers)]

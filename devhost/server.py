"""Serving a loaded app: HTTP, triggers and the engine, until a signal asks to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from devhost import http
from devhost.blob_trigger import blob_triggers
from devhost.durable import client_api
from devhost.durable.engine import Engine
from devhost.durable.store import Store
from devhost.engine_thread import EngineThread, SystemClock
from devhost.functions import LoadedApp
from devhost.timers import timers

_GRACE_SECONDS = 1


class _Server(uvicorn.Server):
    """Uvicorn without its signal handling, which ends the process by the signal it caught."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop serving on SIGTERM and Ctrl-C; the process goes on to its own end."""
        loop, signals = asyncio.get_running_loop(), (signal.SIGTERM, signal.SIGINT)
        for each in signals:
            loop.add_signal_handler(each, self.handle_exit, each, None)
        try:
            yield
        finally:
            for each in signals:
                loop.remove_signal_handler(each)


class Host:
    """A loaded app and everything that serves it; raises what is not supported when made."""

    def __init__(self, app: LoadedApp, state: Path, url: str, key: str | None) -> None:
        """Make it ready; `key` is what functions of level function and admin ask for."""
        self._app, self._url = app, url
        self._store = Store(state / "devhost.sqlite")
        engine = Engine(app.engine_functions(), self._store, SystemClock())
        self._thread = EngineThread(engine, app.host.max_concurrent_activities)
        period = os.environ.get("DEVHOST_TIMER_SECONDS")
        self._blobs = blob_triggers(app)
        self._timers = timers(app, float(period) if period else None)
        self._routes = [*client_api.routes(engine, self._thread.wake), *http.routes(app, key)]
        app.client = client_api.binding(url, app.host.hub)

    async def serve(self, server: socket.socket) -> None:
        """Serve until SIGTERM or Ctrl-C."""
        self._app.loop = asyncio.get_running_loop()
        config = uvicorn.Config(
            Starlette(routes=self._routes, lifespan=self._lifespan),
            log_level="warning",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
        await _Server(config).serve(sockets=[server])

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        self._thread.start()
        sys.stdout.write(f"devhost ready {self._url}\n")
        sys.stdout.flush()
        tasks = [asyncio.create_task(each) for each in self._triggers()]
        yield
        for task in tasks:
            task.cancel()
        self._thread.stop()

    def _triggers(self) -> Sequence[Coroutine[Any, Any, None]]:
        blobs = [each.watch(self._app, self._store) for each in self._blobs]
        return [*blobs, *(each.run(self._app) for each in self._timers)]

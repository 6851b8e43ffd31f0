"""`python -m devhost`: serve an app until SIGTERM."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette

from devhost import http
from devhost.blob_trigger import run_blob_trigger
from devhost.durable import client_api
from devhost.durable.engine import Engine
from devhost.durable.store import Store
from devhost.engine_thread import EngineThread, SystemClock
from devhost.functions import LoadedApp, UnsupportedBindingError, load_app
from devhost.timers import run_timer

COULD_NOT_START = 3


def main() -> int:
    """Load the app, serve it, and end cleanly on SIGTERM."""
    options = _options()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    options.state.mkdir(parents=True, exist_ok=True)
    with (options.state / "devhost.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return _refuse(f"another host serves {options.state} already")
        with socket.create_server(("127.0.0.1", options.port)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            os.environ["WEBSITE_HOSTNAME"] = url.removeprefix("http://")
            os.environ["AZURE_FUNCTIONS_DURABLE_STRICT_TYPING"] = "1"
            try:
                app = load_app(options.app)
            except UnsupportedBindingError as error:
                return _refuse(str(error))
            app.client = client_api.binding(url, app.host.hub)
            asyncio.run(_serve(app, server, url, options))
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="devhost", description=__doc__)
    parser.add_argument("--app", type=Path, default=Path())
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--key", default=None)
    return parser.parse_args()


def _refuse(said: str) -> int:
    sys.stderr.write(f"devhost: {said}\n")
    return COULD_NOT_START


async def _serve(
    app: LoadedApp, server: socket.socket, url: str, options: argparse.Namespace
) -> None:
    app.loop = asyncio.get_running_loop()
    store = Store(options.state / "devhost.sqlite")
    engine = Engine(app.engine_functions(), store, SystemClock())
    thread = EngineThread(engine)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        thread.start()
        sys.stdout.write(f"devhost ready {url}\n")
        sys.stdout.flush()
        tasks = [asyncio.create_task(each) for each in _triggers(app, store)]
        yield
        for task in tasks:
            task.cancel()
        thread.stop()

    routes = [*client_api.routes(engine, thread.wake), *http.routes(app, options.key)]
    config = uvicorn.Config(
        Starlette(routes=routes, lifespan=lifespan),
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    await uvicorn.Server(config).serve(sockets=[server])


def _triggers(app: LoadedApp, store: Store) -> list[Coroutine[Any, Any, None]]:
    period = os.environ.get("DEVHOST_TIMER_SECONDS")
    seconds = float(period) if period else None
    timers = [run_timer(app, function, seconds) for function in app.of_kind("timerTrigger")]
    blobs = [run_blob_trigger(app, function, store) for function in app.of_kind("blobTrigger")]
    return [*timers, *blobs]


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # activities in flight run again at the next start

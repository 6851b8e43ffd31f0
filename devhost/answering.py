"""`python -m devhost.answering`: the app's HTTP functions in a process of their own, as an app may
have several in Azure: no activity, however busy, is in the way of an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette

from devhost import http
from devhost.durable import client_api
from devhost.functions import load_app
from devhost.http_process import READY
from devhost.serving import server_of


def main() -> None:
    """Serve the HTTP functions until SIGTERM, Ctrl-C, or the end of the host."""
    parser = argparse.ArgumentParser(prog="devhost.answering", description=__doc__)
    parser.add_argument("--app", type=Path, required=True, help="folder of function_app.py")
    parser.add_argument("--durable-url", required=True, help="where the engine is asked")
    parser.add_argument("--socket", type=int, required=True, help="descriptor, bound")
    parser.add_argument("--line", type=int, required=True, help="descriptor, to the host")
    options = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    line = socket.socket(fileno=options.line)
    threading.Thread(target=_end_with, args=(line,), daemon=True).start()
    app = load_app(options.app)
    app.client = client_api.binding(options.durable_url, app.host.hub)

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        line.send(READY)
        yield

    routes = http.routes(app, os.environ.get("DEVHOST_KEY") or None)
    asyncio.run(server_of(routes, lifespan).serve([socket.socket(fileno=options.socket)]))


def _end_with(line: socket.socket) -> None:
    """End this process at once when its host has ended, however that ended."""
    with contextlib.suppress(OSError):
        line.recv(1)
    os._exit(0)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # what still runs in a thread changes nothing that lasts

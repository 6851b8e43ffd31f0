"""`python -m devhost.http_process`: the app's HTTP functions in a process of their own, as an app
may have several in Azure: no activity, however busy, is in the way of an answer.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from starlette.applications import Starlette

from devhost import http
from devhost.durable import client_api
from devhost.functions import load_app
from devhost.serving import server_of

_READY = b"1"
_STOP_SECONDS = 3


class HttpProcess:
    """The process as its host sees it; a line between both tells each that the other has ended."""

    def __init__(self, app: Path, server: socket.socket, durable_url: str, key: str | None) -> None:
        """Start it; it serves `server`, and its durable clients ask at `durable_url`."""
        self._line, theirs = socket.socketpair()
        self._line.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "devhost.http_process"),
                    *("--app", str(app), "--durable-url", durable_url),
                    *("--socket", str(server.fileno()), "--line", str(theirs.fileno())),
                ],
                env={**os.environ, "DEVHOST_KEY": key or ""},
                stdin=subprocess.DEVNULL,
                pass_fds=(server.fileno(), theirs.fileno()),
            )

    async def ready(self) -> bool:
        """Wait until it answers; False when it has ended before."""
        return await asyncio.get_running_loop().sock_recv(self._line, 1) == _READY

    async def ended(self) -> None:
        """Wait until it ends."""
        await asyncio.get_running_loop().sock_recv(self._line, 1)

    def stop(self) -> None:
        """Let it finish what it answers, but not for long."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._line.close()


def main() -> None:
    """Serve the HTTP functions until SIGTERM, Ctrl-C, or the end of the host."""
    parser = argparse.ArgumentParser(prog="devhost.http_process", description=__doc__)
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
        line.send(_READY)
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

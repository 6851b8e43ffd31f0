"""The process that answers the app's HTTP functions, as its host sees it."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

READY = b"1"
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
                    *(sys.executable, "-m", "devhost.answering"),
                    *("--app", str(app), "--durable-url", durable_url),
                    *("--socket", str(server.fileno()), "--line", str(theirs.fileno())),
                ],
                env={**os.environ, "DEVHOST_KEY": key or ""},
                stdin=subprocess.DEVNULL,
                pass_fds=(server.fileno(), theirs.fileno()),
            )

    async def ready(self) -> bool:
        """Wait until it answers; False when it has ended before."""
        return await asyncio.get_running_loop().sock_recv(self._line, 1) == READY

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

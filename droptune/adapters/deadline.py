"""A time by which connections end, whatever the other side does."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self


class Deadline:
    """Ends the connections that it watches over once so many seconds have passed.

    Time-outs of a read begin anew with each byte: a server that sends one now and then would be
    waited for for ever. A context manager, for one request.
    """

    def __init__(self, seconds: float) -> None:
        """Let it pass so long after it is entered."""
        self._timer = threading.Timer(seconds, self._end)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._is_over = False

    def __enter__(self) -> Self:
        """Begin."""
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Watch no more."""
        self._timer.cancel()
        with self._lock:
            for twin in self._watched:
                twin.close()
            self._watched.clear()

    def watch(self, connection: socket.socket) -> None:
        """End a connection in time, too."""
        with self._lock:
            self._watched.append(connection.dup())  # TLS takes the socket itself away
        if self._is_over:
            self._end()

    def _end(self) -> None:
        with self._lock:
            self._is_over = True
            for twin in self._watched:
                with suppress(OSError):
                    twin.shutdown(socket.SHUT_RDWR)

"""A receiver of notifications: keeps whatever arrives, and answers as it is told to."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

SECRET = "whsec_" + base64.b64encode(bytes(range(7, 39))).decode()


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """One request as it came, and what it was answered."""

    body: bytes
    headers: Mapping[str, str]
    status: int

    @property
    def key(self) -> tuple[str, bytes]:
        """What is the same when it is sent again: its id and its content."""
        return self.headers["webhook-id"], self.body


@dataclass(kw_only=True)
class Hook:
    """What has arrived; `answer` says the status for the n-th time that something comes (from 1).

    Attributes:
        settings: the app settings that lead to it.
    """

    url: str = ""
    answer: Callable[[Arrived, int], int] = lambda arrived, time: 204
    arrived: list[Arrived] = field(default_factory=list)
    times: Counter[tuple[str, bytes]] = field(default_factory=Counter)

    @property
    def settings(self) -> Mapping[str, str]:
        """What tells an app of it."""
        return {"NOTIFY_LOCAL": self.url, "NOTIFY_LOCAL_SECRET": SECRET}

    def take(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Keep a request and return the status to answer."""
        came = Arrived(body=body, headers=headers, status=0)
        self.times[came.key] += 1
        status = self.answer(came, self.times[came.key])
        self.arrived.append(Arrived(body=body, headers=headers, status=status))
        return status


@contextmanager
def hook() -> Iterator[Hook]:
    """Listen on a free port of this machine."""
    listening = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(listening.take(body, headers))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listening.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield listening
    finally:
        server.shutdown()
        server.server_close()

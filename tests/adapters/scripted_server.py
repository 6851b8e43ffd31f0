"""A server on the loopback that answers from a script and remembers what it was asked."""

from __future__ import annotations

import json
import sys
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_KEPT_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the server says; `drop` closes the connection without a word."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False

    def content(self) -> bytes:
        """Return the body's bytes: text as it is, everything else as JSON."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A request; of a long body the first MiB is kept."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    size_bytes: int

    def json(self) -> Any:
        """Return the body as JSON."""
        return json.loads(self.body)


class ScriptedServer:
    """Gives the answers of its script in order; asked more often, it says 501."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.answers: deque[Answer] = deque()
        self.asked: list[Asked] = []

    def says(self, *answers: Answer | Any) -> None:
        """Add answers to the script; anything else than an Answer is the body of a 200."""
        self.answers.extend(a if isinstance(a, Answer) else Answer(body=a) for a in answers)

    def next_answer(self, asked: Asked) -> Answer:
        """Remember a request and return what to say."""
        self.asked.append(asked)
        if self.answers:
            return self.answers.popleft()
        return Answer(status=501, body={"error": {"code": "unscripted", "message": asked.path}})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: ScriptedServer

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        answer = self.scripted.next_answer(self._read())
        if answer.drop:
            self.close_connection = True
            return
        content = answer.content()
        self.send_response(answer.status)
        headers = {"Content-Type": "application/json", "Content-Length": str(len(content))}
        for name, value in {**headers, **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _read(self) -> Asked:
        left = size = int(self.headers.get("Content-Length") or 0)
        kept = b""
        while left and (piece := self.rfile.read(min(left, 1 << 16))):
            left -= len(piece)
            kept += piece[: max(0, _KEPT_BYTES - len(kept))]
        parts = urlsplit(self.path)
        return Asked(
            method=self.command,
            path=parts.path,
            query=dict(parse_qsl(parts.query)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=kept,
            size_bytes=size - left,
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away in the middle of a request."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Serve on a free port until the test is over."""
    handler = type("Handler", (_Handler,), {})
    server = _Server(("127.0.0.1", 0), handler)
    handler.scripted = ScriptedServer(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield handler.scripted  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

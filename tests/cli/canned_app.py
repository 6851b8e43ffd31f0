"""A server that gives the answers canned for each route, one after the other."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

Answer = tuple[int, dict[str, Any] | str, dict[str, str]]


@dataclass(kw_only=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    key: str | None
    body: dict[str, Any]
    authorization: str | None = None


@dataclass(kw_only=True)
class CannedApp:
    """The answers to give; the last one of a route stays."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    asked: list[Asked] = field(default_factory=list)

    def answer(
        self, route: str, document: dict[str, Any] | str, status: int = 200, **headers: str
    ) -> None:
        """Can one more answer for `METHOD /path`; a text is sent as it is."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.answers[route].append((status, document, named))

    def next_answer(self, route: str) -> Answer:
        """Return the next answer of a route."""
        canned = self.answers.get(route) or [
            (404, {"detail": f"nothing is canned for {route}"}, {})
        ]
        return canned.pop(0) if len(canned) > 1 else canned[0]


@contextmanager
def canned_app() -> Iterator[CannedApp]:
    """Serve canned answers on a free port."""
    app = CannedApp()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length) or b"{}")
            key = self.headers.get("x-functions-key")
            token = self.headers.get("Authorization")
            app.asked.append(
                Asked(method=self.command, path=self.path, key=key, body=body, authorization=token)
            )
            route = f"{self.command} {self.path.partition('?')[0]}"
            status, document, headers = app.next_answer(route)
            data = (document if isinstance(document, str) else json.dumps(document)).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    app.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield app
    finally:
        server.shutdown()
        server.server_close()


def a_status(phase: str = "training", **changes: Any) -> dict[str, Any]:
    """Return a status document; everything that a test is not about has a default."""
    return {
        "id": "bot-v1-0a1b2c3d",
        "project": "bot",
        "version": "v1",
        "phase": phase,
        "outcome": "none",
        "message": f"It is {phase}.",
        "waiting_for": None,
        "next": None,
        "dataset": {"digest": "d" * 64, "examples": 60, "tokens": 3000, "findings": {}},
        "configuration": {"model": "gpt-4.1-mini"},
        "cost": {"currency": "USD", "low": 0.01, "high": 0.05},
        "job": None,
        "deployment": None,
        "test": None,
        "champion": None,
        "error": None,
        "links": {"self": "http://app/api/runs/x", "page": "http://app/api/dashboard/runs/x"},
    } | changes

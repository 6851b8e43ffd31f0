"""The receiver of a local installation: shows each notification as it arrives."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

from droptune.domain.notifications import Event
from droptune.domain.outbox import LOCAL_TARGET, Subscription
from droptune.domain.signatures import is_signed

_LONGEST = 1 << 16
_POLL_SECONDS = 0.05
_READ_SECONDS = 10


class Receiver:
    """Listens on a free port of this machine and takes what is signed with its secret.

    A context manager: the port is given back at its end.

    Attributes:
        url: where it listens.
        secret: what signs; another one each time.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        """Say each notification in a line; one that is sent again is said once."""
        self.secret = f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"
        self._say = say
        self._lock = Lock()
        self._known: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._take))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = Thread(target=self._server.serve_forever, args=(_POLL_SECONDS,), daemon=True)

    @property
    def settings(self) -> Mapping[str, str]:
        """The app settings that tell an app of it."""
        secret_setting = Subscription(url_setting=LOCAL_TARGET).secret_setting
        return {LOCAL_TARGET: self.url, secret_setting: self.secret}

    def __enter__(self) -> Self:
        """Listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()

    def _take(self, body: bytes, headers: Mapping[str, str]) -> bool:
        now = datetime.now(UTC)
        if not is_signed(body, headers, secret=self.secret, now=now):
            return False
        id = headers["webhook-id"]
        with self._lock:
            is_new = id not in self._known
            self._known.add(id)
        if is_new:
            self._say(f"{now.astimezone():%H:%M:%S}  {_line(id, body)}  (signature verified)")
        return True


def _line(id: str, body: bytes) -> str:
    """Return the event in a line; a card or blocks, which are for others to read, by its id."""
    try:
        event = Event.from_payload(json.loads(body))
        return f"{event.name:<22} {event.sentence}"
    except (ValueError, KeyError, TypeError):
        return id


def _handler(take: Callable[[bytes, Mapping[str, str]], bool]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = _READ_SECONDS

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not (length.isascii() and length.isdigit() and int(length) <= _LONGEST):
                self._answer(413 if length else 411)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._answer(204 if take(self.rfile.read(int(length)), headers) else 401)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: Any) -> None:
            """Stay silent: what arrives is said once it is verified."""

    return Handler

"""The transports that production's SDK clients are given: they call the emulator in process."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from starlette.types import ASGIApp, Message

from simulation.inline import run_inline


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A request on the wire."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def path(self) -> str:
        """The path without its query."""
        return urlsplit(self.url).path

    @property
    def acts(self) -> bool:
        """Whether it changes anything at the service."""
        return self.method != "GET"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """An answer on the wire."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, status: int, document: Any, headers: Mapping[str, str] | None = None) -> Reply:
        """Return an answer with a JSON body."""
        kind = {"content-type": "application/json"} | dict(headers or {})
        return cls(status=status, headers=kind, body=json.dumps(document).encode())


class TimedOutError(Exception):
    """No answer came in time; the request may have acted."""


class ConnectionLostError(Exception):
    """The connection broke; the request may have acted."""


class NotConnectedError(Exception):
    """There was no connection; nothing was sent."""


class Wire(Protocol):
    """What carries a call to the service, or does not."""

    def carry(self, call: Call) -> Reply:
        """Return the answer; raises TimedOutError, ConnectionLostError or NotConnectedError."""


def serve(app: ASGIApp, call: Call) -> Reply:
    """Let an ASGI app answer a call, in this thread."""
    parts, said = urlsplit(call.url), list[Message]()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": call.method,
        "scheme": parts.scheme,
        "path": parts.path,
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "headers": [(k.lower().encode(), v.encode()) for k, v in call.headers.items()],
        "server": (parts.hostname, parts.port or 443),
        "client": ("127.0.0.1", 1),
        "state": {},
        "extensions": {"http.response.pathsend": {}},
    }

    async def receive() -> Message:
        return {"type": "http.request", "body": call.body, "more_body": False}

    async def send(message: Message) -> None:
        said.append(message)

    run_inline(_call(app, scope, receive, send))
    headers = {k.decode(): v.decode() for k, v in said[0].get("headers", ())}
    return Reply(status=said[0]["status"], headers=headers, body=b"".join(map(_bytes_of, said[1:])))


def _bytes_of(message: Message) -> bytes:
    if message["type"] == "http.response.pathsend":
        return Path(message["path"]).read_bytes()
    body: bytes = message.get("body", b"")
    return body


async def _call(app: ASGIApp, scope: Any, receive: Any, send: Any) -> None:
    await app(scope, receive, send)


class OpenAITransport(httpx2.BaseTransport):
    """What the openai SDK's client sends its requests through."""

    def __init__(self, wire: Wire) -> None:
        """Send through `wire`."""
        self._wire = wire

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Carry one request."""
        call = Call(
            method=request.method,
            url=str(request.url),
            headers={name.decode(): value.decode() for name, value in request.headers.raw},
            body=request.read(),
        )
        try:
            reply = self._wire.carry(call)
        except TimedOutError as late:
            raise httpx2.ReadTimeout("timed out", request=request) from late
        except ConnectionLostError as lost:
            raise httpx2.ReadError("reset", request=request) from lost
        except NotConnectedError as refused:
            raise httpx2.ConnectError("refused", request=request) from refused
        return httpx2.Response(reply.status, headers=dict(reply.headers), content=reply.body)


class ManagementAdapter(BaseAdapter):
    """What the session for Azure Resource Manager sends its requests through."""

    def __init__(self, wire: Wire) -> None:
        """Send through `wire`."""
        super().__init__()
        self._wire = wire

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        """Carry one request."""
        body = request.body or b""
        call = Call(
            method=str(request.method),
            url=str(request.url),
            headers=dict(request.headers),
            body=body.encode() if isinstance(body, str) else bytes(body),
        )
        try:
            return _response(request, self._wire.carry(call))
        except TimedOutError as late:
            raise requests.ReadTimeout("timed out") from late
        except ConnectionLostError as lost:
            raise requests.ConnectionError("reset") from lost
        except NotConnectedError as refused:
            raise requests.ConnectTimeout("refused") from refused

    def close(self) -> None:
        """Nothing is open."""


def _response(request: requests.PreparedRequest, reply: Reply) -> requests.Response:
    response = requests.Response()
    response.status_code, response.request, response.url = reply.status, request, str(request.url)
    response.headers = CaseInsensitiveDict(reply.headers)
    response.raw = io.BytesIO(reply.body)
    return response


def management_session(wire: Wire) -> requests.Session:
    """Return a session that reaches nothing but the wire."""
    session = requests.Session()
    session.trust_env = False
    for setting in ("headers", "params", "proxies"):  # nothing to merge into each request
        setattr(session, setting, None)
    session.mount("https://", ManagementAdapter(wire))
    return session

"""What a route is asked and what it answers, whichever host asks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HOLDER_OF_THE_KEY = "holder of the key"
_KEPT = ("ETag", "Cache-Control", "Retry-After")  # of a 304


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiRequest:
    """An HTTP request.

    Attributes:
        path: the path as it was asked for, such as `/api/runs/x`.
        url: absolute base without a path, such as `http://127.0.0.1:7071`.
        headers: by lower-case name.
        params: the route's parameters.
        principal: who asks: "holder of the key", or the principal that App Service names.
    """

    method: str
    path: str
    url: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    principal: str = HOLDER_OF_THE_KEY


@dataclass(frozen=True, kw_only=True, slots=True)
class StartRequest:
    """An orchestration to start unless it is alive."""

    name: str
    instance_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiResponse:
    """An HTTP answer, and what the caller does after the handler returned.

    Attributes:
        start: an orchestration to start.
        wake: instance ids at which the event `wake` is raised.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    start: StartRequest | None = None
    wake: tuple[str, ...] = ()


def to_json(document: Any) -> bytes:
    """Return a document as it is sent; lone surrogates of hostile names become escapes."""
    text = json.dumps(document, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "backslashreplace")


def json_response(
    document: Any, status: int = 200, headers: Mapping[str, str] | None = None
) -> ApiResponse:
    """Answer with a JSON document."""
    kind = {"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-cache"}
    return ApiResponse(status=status, headers=kind | dict(headers or {}), body=to_json(document))


def etag_of(document: Any) -> str:
    """Return a strong ETag for a document."""
    return f'"{hashlib.sha256(to_json(document)).hexdigest()[:32]}"'


def unless_known(request: ApiRequest, response: ApiResponse, etag: str) -> ApiResponse:
    """Return the response with its ETag, or 304 when the caller has that version."""
    headers = {**response.headers, "ETag": etag}
    if is_known(request, etag):
        kept = {k: v for k, v in headers.items() if k in _KEPT}
        return ApiResponse(status=304, headers=kept)
    return ApiResponse(status=response.status, headers=headers, body=response.body)


def is_known(request: ApiRequest, etag: str) -> bool:
    """Whether the caller has the version with this ETag."""
    asked = [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]
    return "*" in asked or any(tag.removeprefix("W/") == etag for tag in asked)

"""Whether a POST comes from a page of our own."""

from __future__ import annotations

from urllib.parse import urlsplit

from droptune.api.messages import ApiRequest
from droptune.api.services import ApiServices

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PORTS = {"http": 80, "https": 443}


def is_ours(request: ApiRequest, services: ApiServices) -> bool:
    """Whether the request names an origin, and it is the app's own."""
    origin = request.headers.get("origin", "")
    return bool(origin) and _place(origin) == _place(services.base(request.url))


def is_foreign(request: ApiRequest, services: ApiServices) -> bool:
    """Whether a page of another site sent the request on nobody's behalf.

    Programs send no Origin; a function key or a token is nothing that a foreign page has.
    """
    carries_key = "x-functions-key" in request.headers or "authorization" in request.headers
    named = "origin" in request.headers
    return named and not carries_key and not is_ours(request, services)


def is_local(services: ApiServices, asked: str) -> bool:
    """Whether the app is reached at the machine itself only."""
    place = _place(services.base(asked))
    return place is not None and place[1] == "loopback"


def _place(url: str) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    host = (parts.hostname or "").lower()
    return parts.scheme, "loopback" if host in _LOOPBACK else host, port

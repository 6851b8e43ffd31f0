"""HTTP routes of the app."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any

import azure.functions as func
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devhost.functions import Function, LoadedApp, UnsupportedBindingError

Endpoint = Callable[[Request], Awaitable[Response]]
_logger = logging.getLogger(__name__)
_CONVERTERS = {"": "", "int": ":int", "guid": ":uuid"}
_ANY = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_LEVELS = ("anonymous", "function", "admin")


def routes(app: LoadedApp, key: str | None) -> list[Route]:
    """Return a route for each HTTP function, the most literal paths first.

    With a key, what is not anonymous asks for it: in `x-functions-key` or as `?code=`. Raises
    UnsupportedBindingError for a route template or a level that is not done here.
    """
    found = app.of_kind("httpTrigger")
    found.sort(key=lambda f: (_path(f).count("{"), _path(f)))
    prefix = f"/{app.host.route_prefix}" if app.host.route_prefix else ""
    paths: dict[str, dict[str, Endpoint]] = {}
    for function in found:
        endpoint = _endpoint(app, function, key)
        for method in function.trigger.get("methods") or _ANY:
            paths.setdefault(_path(function), {}).setdefault(_value(method).upper(), endpoint)
    return [
        Route(f"{prefix}/{path}", _by_method(endpoints), methods=list(endpoints))
        for path, endpoints in paths.items()
    ]


def _by_method(endpoints: dict[str, Endpoint]) -> Endpoint:
    """Return the endpoint of a path whose methods are several functions, so that `Allow` names
    all; HEAD is answered as GET where there is no function of its own."""

    async def endpoint(request: Request) -> Response:
        return await (endpoints.get(request.method) or endpoints["GET"])(request)

    return endpoint


def _path(function: Function) -> str:
    """Return a route's template as Starlette writes it."""
    route = str(function.trigger.get("route") or function.name).lstrip("/")
    return re.sub(r"\{([^}]*)\}", lambda found: _parameter(function, route, found[1]), route)


def _parameter(function: Function, route: str, text: str) -> str:
    parts = re.fullmatch(r"(?P<star>\*?)(?P<name>\w+)(:(?P<constraint>\w+))?", text)
    converter = _CONVERTERS.get(parts["constraint"] or "") if parts else None
    if parts is None or converter is None:
        raise UnsupportedBindingError(
            f"{function.name}: route {route!r}: this host does not do {{{text}}}"
        )
    return f"{{{parts['name']}{':path' if parts['star'] else converter}}}"


def _endpoint(app: LoadedApp, function: Function, key: str | None) -> Endpoint:
    guarded = key is not None and _level(function) != "anonymous"

    async def endpoint(request: Request) -> Response:
        given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
        if guarded and not hmac.compare_digest(given.encode(), str(key).encode()):
            return Response(status_code=401)
        asked = func.HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params=dict(request.query_params),
            route_params={name: str(value) for name, value in request.path_params.items()},
            body=await request.body(),
        )
        try:
            return _response(await app.call(function, asked))
        except Exception:
            _logger.exception("Function %s raised", function.name)
            return Response(status_code=500)

    return endpoint


def _level(function: Function) -> str:
    level = _value(function.trigger.get("authLevel") or "function").lower()
    if level not in _LEVELS:
        raise UnsupportedBindingError(f"{function.name}: this host has no auth level {level!r}")
    return level


def _value(member: Any) -> str:
    """Return the text of an enumeration's member, or a text as it is."""
    return str(getattr(member, "value", member))


def _response(answer: func.HttpResponse | str) -> Response:
    if isinstance(answer, str):
        answer = func.HttpResponse(answer)
    headers = {str(k): str(v) for k, v in (answer.headers or {}).items()}
    if not any(name.lower() == "content-type" for name in headers):
        headers["content-type"] = f"{answer.mimetype}; charset={answer.charset}"
    return Response(answer.get_body(), status_code=answer.status_code, headers=headers)

"""HTTP routes of the app."""

from __future__ import annotations

import hmac
import logging
import re
from collections.abc import Awaitable, Callable

import azure.functions as func
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from devhost.functions import Function, LoadedApp

_logger = logging.getLogger(__name__)


def routes(app: LoadedApp, key: str | None) -> list[Route]:
    """Return a route for each HTTP function, the most literal paths first."""
    found = app.of_kind("httpTrigger")
    found.sort(key=lambda f: (_path(f).count("{"), _path(f)))
    prefix = f"/{app.host.route_prefix}" if app.host.route_prefix else ""
    return [
        Route(
            f"{prefix}/{_path(function)}",
            _endpoint(app, function, key),
            methods=[
                str(getattr(m, "value", m))
                for m in function.trigger.get("methods") or ["GET", "POST"]
            ],
        )
        for function in found
    ]


def _path(function: Function) -> str:
    route = str(function.trigger.get("route") or function.name)
    return re.sub(r"\{(\w+)[^}]*\}", r"{\1}", route)


def _endpoint(
    app: LoadedApp, function: Function, key: str | None
) -> Callable[[Request], Awaitable[Response]]:
    level = function.trigger.get("authLevel")
    guarded = key is not None and str(getattr(level, "value", level)).lower() != "anonymous"

    async def endpoint(request: Request) -> Response:
        given = request.headers.get("x-functions-key") or request.query_params.get("code") or ""
        if guarded and not hmac.compare_digest(given.encode(), str(key).encode()):
            return Response(status_code=401)
        asked = func.HttpRequest(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params=dict(request.query_params),
            route_params=dict(request.path_params),
            body=await request.body(),
        )
        try:
            return _response(await app.call(function, asked))
        except Exception:
            _logger.exception("Function %s raised", function.name)
            return Response(status_code=500)

    return endpoint


def _response(answer: func.HttpResponse) -> Response:
    headers = {str(k): str(v) for k, v in (answer.headers or {}).items()}
    if not any(name.lower() == "content-type" for name in headers):
        headers["content-type"] = f"{answer.mimetype}; charset={answer.charset}"
    return Response(answer.get_body(), status_code=answer.status_code, headers=headers)

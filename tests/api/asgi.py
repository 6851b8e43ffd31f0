"""The routes over a world as an ASGI app: what a Functions host does with them, in a few lines."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as StarletteRoute

from droptune.api.messages import ApiRequest
from droptune.api.routes import ROUTES, Route, dispatch

from .world import World

FUNCTION_KEY = "function-key"


def asgi_app(world: World) -> Starlette:
    """Serve the routes of a world, the most literal paths first, keys checked as Azure does."""
    by_path: dict[str, dict[str, Route]] = defaultdict(dict)
    for route in sorted(ROUTES, key=lambda route: (route.path.count("{"), route.path)):
        by_path[route.path] |= dict.fromkeys(route.methods, route)
    return Starlette(
        routes=[
            StarletteRoute(f"/api/{path}", _endpoint(world, routes), methods=[*routes])
            for path, routes in by_path.items()
        ]
    )


def _endpoint(
    world: World, routes: Mapping[str, Route]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        route = routes["GET" if request.method == "HEAD" else request.method]
        given = request.headers.get("x-functions-key", "").encode()
        if not route.anonymous and not hmac.compare_digest(given, FUNCTION_KEY.encode()):
            return Response(status_code=401)
        asked = ApiRequest(
            method=request.method,
            path=request.url.path,
            url=f"{request.url.scheme}://{request.url.netloc}",
            query=dict(request.query_params),
            headers=dict(request.headers),
            params={key: str(value) for key, value in request.path_params.items()},
            body=await request.body(),
        )
        answer = await run_in_threadpool(dispatch, route, asked, world.services)
        world.woken.extend(answer.wake)
        return Response(answer.body, status_code=answer.status, headers=dict(answer.headers))

    return endpoint

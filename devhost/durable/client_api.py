"""The RPC that the SDK's durable client speaks, below `/durabletask/`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devhost.durable.engine import AlreadyLiveError, Engine
from devhost.durable.history import parse_stamp
from devhost.durable.store import Instance

PREFIX = "/durabletask"


def binding(url: str, hub: str) -> str:
    """Return the text that a durable client argument is given."""
    own = f"{url}{PREFIX}/instances/INSTANCEID"
    words = ("terminate", "suspend", "resume")
    posts = {f"{word}PostUri": f"{own}/{word}?reason={{text}}" for word in words}
    return json.dumps(
        {
            "taskHubName": hub,
            "creationUrls": {
                "createNewInstancePostUri": f"{url}{PREFIX}/orchestrators/{{functionName}}"
            },
            "managementUrls": {
                "id": "INSTANCEID",
                "statusQueryGetUri": own,
                "sendEventPostUri": f"{own}/raiseEvent/{{eventName}}",
                "purgeHistoryDeleteUri": own,
                **posts,
            },
            "rpcBaseUrl": f"{url}{PREFIX}/",
        }
    )


def routes(engine: Engine, wake: Callable[[], None]) -> list[Route]:
    """Return the routes; `wake` tells the engine's thread that there is something to do."""
    api = _Api(engine, wake)
    one = f"{PREFIX}/instances/{{id}}"
    return [
        Route(f"{PREFIX}/orchestrators/{{name}}", api.start, methods=["POST"]),
        Route(f"{PREFIX}/orchestrators/{{name}}/{{id}}", api.start, methods=["POST"]),
        Route(f"{PREFIX}/instances/", api.list, methods=["GET"]),
        Route(one, api.get, methods=["GET"]),
        Route(one, api.purge, methods=["DELETE"]),
        Route(f"{one}/raiseEvent/{{event}}", api.raise_event, methods=["POST"]),
        Route(f"{one}/{{word}}", api.say, methods=["POST"]),
    ]


class _Api:
    """The handlers."""

    def __init__(self, engine: Engine, wake: Callable[[], None]) -> None:
        self._engine, self._wake = engine, wake

    async def start(self, request: Request) -> Response:
        """POST orchestrators/{name}/{id}: 202; a live id is 500, as the extension answers."""
        instance = request.path_params.get("id") or uuid.uuid4().hex
        text = (await request.body()).decode() or None
        try:
            self._engine.start(request.path_params["name"], instance, text)
        except AlreadyLiveError:
            said = f"The orchestration instance {instance} already exists and is running."
            return JSONResponse({"Message": said}, 500)
        self._wake()
        return JSONResponse({"id": instance}, 202)

    async def list(self, request: Request) -> Response:
        """GET instances/: all of them, filtered by runtimeStatus."""
        wanted = [s for s in request.query_params.get("runtimeStatus", "").split(",") if s]
        found = self._engine.store.list_instances()
        return JSONResponse([show(i) for i in found if not wanted or i.status in wanted])

    async def get(self, request: Request) -> Response:
        """GET instances/{id}: 200 ended, 202 not yet, 404."""
        instance = self._find(request)
        if instance is None:
            return Response(status_code=404)
        return JSONResponse(show(instance), 202 if instance.is_live else 200)

    async def purge(self, request: Request) -> Response:
        """DELETE instances/{id}."""
        instance = self._find(request)
        if instance is None:
            return Response(status_code=404)
        with self._engine.store.transaction() as store:
            store.purge(instance.id)
        return JSONResponse({"instancesDeleted": 1})

    async def raise_event(self, request: Request) -> Response:
        """POST instances/{id}/raiseEvent/{event}: 202, 404, 410 when it has ended."""
        instance = self._find(request)
        if instance is None or not instance.is_live:
            return Response(status_code=404 if instance is None else 410)
        text = (await request.body()).decode() or "null"
        self._engine.raise_event(instance.id, request.path_params["event"], text)
        self._wake()
        return Response(status_code=202)

    async def say(self, request: Request) -> Response:
        """POST instances/{id}/terminate, suspend or resume."""
        words = {
            "terminate": self._engine.terminate,
            "suspend": self._engine.suspend,
            "resume": self._engine.resume,
        }
        instance, word = self._find(request), words.get(request.path_params["word"])
        if instance is None or word is None:
            return Response(status_code=404)
        if not instance.is_live:
            return Response(status_code=410)
        word(instance.id, request.query_params.get("reason", ""))
        self._wake()
        return Response(status_code=202)

    def _find(self, request: Request) -> Instance | None:
        return self._engine.store.find_instance(request.path_params["id"])


def show(instance: Instance) -> dict[str, Any]:
    """Return an instance's status document."""
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": instance.input,
        "customStatus": json.loads(instance.custom_status) if instance.custom_status else None,
        "output": json.loads(instance.output) if instance.output else None,
        "createdTime": _seconds(parse_stamp(instance.created_at)),
        "lastUpdatedTime": _seconds(parse_stamp(instance.updated_at)),
    }


def _seconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

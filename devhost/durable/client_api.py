"""The RPC that the SDK's durable client speaks, below `/durabletask/`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from devhost.durable.engine import AlreadyLiveError, Engine
from devhost.durable.history import parse_stamp
from devhost.durable.status_document import Wanted, show
from devhost.durable.store import Instance

PREFIX = "/durabletask"
_CONTINUATION = "x-ms-continuation-token"


def binding(url: str, hub: str) -> str:
    """Return the text that a durable client argument is given."""
    own = f"{url}{PREFIX}/instances/INSTANCEID"
    words = ("terminate", "suspend", "resume", "rewind")
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
        Route(f"{PREFIX}/instances/", api.purge_many, methods=["DELETE"]),
        Route(one, api.get, methods=["GET"]),
        Route(one, api.purge, methods=["DELETE"]),
        Route(f"{one}/raiseEvent/{{event}}", api.raise_event, methods=["POST"]),
        Route(f"{one}/rewind", api.rewind, methods=["POST"]),
        Route(f"{one}/restart", api.restart, methods=["POST"]),
        Route(f"{one}/{{word}}", api.say, methods=["POST"]),
        Route(f"{PREFIX}/entities/{{rest:path}}", api.entities, methods=["GET", "POST"]),
    ]


class _Api:
    """The handlers."""

    def __init__(self, engine: Engine, wake: Callable[[], None]) -> None:
        self._engine, self._wake = engine, wake

    async def start(self, request: Request) -> Response:
        """POST orchestrators/{name}/{id}: 202; a live id is 500, as the extension answers; 400 for
        a name that the app does not have."""
        name = request.path_params["name"]
        instance = request.path_params.get("id") or uuid.uuid4().hex
        if not self._engine.has_orchestrator(name):
            return _refused(400, f"The function '{name}' doesn't exist or is no orchestrator.")
        try:
            self._engine.start(name, instance, _payload(await request.body()))
        except AlreadyLiveError:
            said = f"An Orchestration instance with the status Running already exists: {instance}."
            return _refused(500, said)
        self._wake()
        return JSONResponse({"id": instance}, 202)

    async def list(self, request: Request) -> Response:
        """GET instances/: those that fit, `top` at a time."""
        found, query = self._fitting(request), request.query_params
        begin = int(request.headers.get(_CONTINUATION) or 0)
        end = begin + int(query.get("top") or len(found))
        page = [show(instance, [], Wanted.of(query)) for instance in found[begin:end]]
        headers = {_CONTINUATION: str(end)} if end < len(found) else {}
        return JSONResponse(page, headers=headers)

    async def purge_many(self, request: Request) -> Response:
        """DELETE instances/: those that fit and have ended."""
        ended = [instance for instance in self._fitting(request) if not instance.is_live]
        return self._purged(ended)

    async def get(self, request: Request) -> Response:
        """GET instances/{id}: 200 ended, 202 not yet, 404."""
        instance, wanted = self._find(request), Wanted.of(request.query_params)
        if instance is None:
            return Response(status_code=404)
        history = self._engine.store.history(instance.id) if wanted.history else []
        return JSONResponse(show(instance, history, wanted), 202 if instance.is_live else 200)

    async def purge(self, request: Request) -> Response:
        """DELETE instances/{id}: 404 for one that has not ended."""
        instance = self._find(request)
        return self._purged([] if instance is None or instance.is_live else [instance])

    def _purged(self, instances: Sequence[Instance]) -> Response:
        if not instances:
            return Response(status_code=404)
        with self._engine.store.transaction() as store:
            for instance in instances:
                store.purge(instance.id)
        return JSONResponse({"instancesDeleted": len(instances)})

    async def raise_event(self, request: Request) -> Response:
        """POST instances/{id}/raiseEvent/{event}: 202, 404, 410 when it has ended."""
        instance = self._find(request)
        if instance is None or not instance.is_live:
            return Response(status_code=404 if instance is None else 410)
        text = _payload(await request.body()) or "null"
        self._engine.raise_event(instance.id, request.path_params["event"], text)
        self._wake()
        return Response(status_code=202)

    async def say(self, request: Request) -> Response:
        """POST instances/{id}/terminate, suspend or resume: 202, 404, 410 when it has ended."""
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

    async def rewind(self, request: Request) -> Response:
        """POST instances/{id}/rewind: 404; 410 unless it failed; else 501, it is not done here."""
        instance = self._find(request)
        if instance is None or instance.status != "Failed":
            return Response(status_code=404 if instance is None else 410)
        return JSONResponse("this host does not rewind: start the instance again", 501)

    async def restart(self, request: Request) -> Response:
        """POST instances/{id}/restart: 404, or 501, it is not done here."""
        return Response(status_code=404 if self._find(request) is None else 501)

    async def entities(self, request: Request) -> Response:
        """entities/…: 501, there are none here."""
        return JSONResponse("this host has no entities", 501)

    def _find(self, request: Request) -> Instance | None:
        return self._engine.store.find_instance(request.path_params["id"])

    def _fitting(self, request: Request) -> Sequence[Instance]:
        query = request.query_params
        statuses = [each for each in query.get("runtimeStatus", "").split(",") if each]
        prefix = query.get("instanceIdPrefix", "")
        begin = _time(query.get("createdTimeFrom"), datetime.min.replace(tzinfo=UTC))
        end = _time(query.get("createdTimeTo"), datetime.max.replace(tzinfo=UTC))
        return [
            instance
            for instance in self._engine.store.list_instances()
            if (not statuses or instance.status in statuses)
            and instance.id.startswith(prefix)
            and begin <= parse_stamp(instance.created_at) <= end
        ]


def _refused(status: int, said: str) -> Response:
    return JSONResponse({"Message": said, "ExceptionMessage": said}, status)


def _time(text: str | None, otherwise: datetime) -> datetime:
    return parse_stamp(text) if text else otherwise


def _payload(body: bytes) -> str | None:
    """Return a body as JSON text. The SDK sends JSON inside a JSON string; it is unwrapped once."""
    text = body.decode()
    try:
        value: Any = json.loads(text) if text else None
        if isinstance(value, str):
            json.loads(value)
            return value
    except ValueError:
        return text
    return text or None

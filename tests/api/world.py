"""An app in memory: stores, a clock, a run, and a way to ask its routes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from droptune.api.messages import ApiRequest, ApiResponse
from droptune.api.routes import ROUTES, Route, dispatch
from droptune.api.services import ApiServices
from droptune.domain.champion import Champion, ChampionEntry
from droptune.domain.errors import BlobNotFoundError, ConflictError, WishRefusedError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import Promotion
from droptune.domain.registration import DatasetRecord, Registration, RunRequest
from droptune.domain.run import Control, Pin, RunRecord, RunRef, Word, index_name
from droptune.domain.services import BlobInfo, ResourceManager, StoredBlob

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
URL = "http://127.0.0.1:7071"


class MemoryBlobs:
    """A container in memory, with the conditions that the routes rely on."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.conflicts_to_come = 0

    def find(self, name: str) -> StoredBlob | None:
        if name not in self.blobs:
            return None
        return StoredBlob(data=self.blobs[name], etag=self._etag(name))

    def find_info(self, name: str) -> BlobInfo | None:
        return self._info(name) if name in self.blobs else None

    def write(
        self,
        name: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        lease: str | None = None,
        content_type: str = "application/json",
    ) -> str:
        if self.conflicts_to_come:
            self.conflicts_to_come -= 1
            raise ConflictError("somebody was faster")
        if if_absent and name in self.blobs:
            raise ConflictError(name)
        if if_match is not None and (name not in self.blobs or self._etag(name) != if_match):
            raise ConflictError(name)
        self.blobs[name] = data
        return self._etag(name)

    def delete(self, name: str, *, if_match: str | None = None) -> None:
        self.blobs.pop(name, None)

    def list(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> Iterator[BlobInfo]:
        names = sorted(n for n in self.blobs if n.startswith(prefix) and n > after)
        return (self._info(name) for name in names[:limit])

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        rests = (n.removeprefix(prefix) for n in self.blobs if n.startswith(prefix))
        return iter(sorted({f"{prefix}{r.split('/')[0]}/" for r in rests if "/" in r}))

    def open(
        self, name: str, *, start: int = 0, end: int | None = None, if_match: str | None = None
    ) -> Iterator[bytes]:
        if name not in self.blobs:
            raise BlobNotFoundError(name)
        yield self.blobs[name][start:end]

    def acquire_lease(self, name: str, seconds: int) -> str:
        return "lease"

    def release_lease(self, name: str, lease: str) -> None:
        return None

    def put(self, name: str, document: Any) -> None:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.blobs[name] = data

    def _etag(self, name: str) -> str:
        return f'"{hashlib.sha256(self.blobs[name]).hexdigest()[:8]}"'

    def _info(self, name: str) -> BlobInfo:
        size = len(self.blobs[name])
        return BlobInfo(name=name, etag=self._etag(name), size_bytes=size, modified_at=NOW)


class StoppedClock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


class World:
    """The app's routes over stores in memory."""

    def __init__(self, *, app_key: str | None = None) -> None:
        self.datasets, self.runs, self.registry = MemoryBlobs(), MemoryBlobs(), MemoryBlobs()
        self.clock = StoppedClock()
        self.wishes: list[RunRequest] = []
        self.promotions: list[tuple[str, str, str]] = []
        self.woken: list[str] = []
        self.answer = Registration(
            run=RunRef(project="shop", id="shop-v1-new"),
            started=True,
            code="started",
            message="Go.",
        )
        self.rolled_back: Champion | None = None
        self.promotion = Promotion(attempt=1, by="Ada", asked_at=NOW, message="About to begin.")
        self.refusal: WishRefusedError | None = None
        self.services = ApiServices(
            datasets=self.datasets,
            runs=self.runs,
            registry=self.registry,
            resource_manager=cast(ResourceManager, None),
            clock=self.clock,
            app_url=None,
            app_key=app_key,
            version="1.2.3",
            register=self._register,
            roll_back=lambda project, by, reason: self.rolled_back,
            promote=self._promote,
        )

    def with_runs(self, runs: MemoryBlobs) -> ApiServices:
        return replace(self.services, runs=runs)

    def keep(self, record: RunRecord, *words: Word) -> RunRecord:
        """Store a run as registration and the steps do."""
        row = {"id": record.id, "project": record.project, "version": record.version}
        self.runs.put(index_name(record.created_at, record.id), row)
        self.runs.put(f"_ids/{record.id}", {"project": record.project})
        self.runs.put(record.ref.record, record.to_payload())
        if words:
            self.runs.put(record.ref.control, Control(words=words).to_payload())
        return record

    def keep_dataset(self, record: DatasetRecord) -> None:
        name = f"{record.project}/datasets/{record.version}.json"
        self.registry.put(name, record.to_payload())

    def control(self, record: RunRecord) -> Control:
        blob = self.runs.find(record.ref.control)
        return Control.from_payload(json.loads(blob.data)) if blob else Control()

    def get(self, path: str, **headers: str) -> ApiResponse:
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, body: Any = None, **headers: str) -> ApiResponse:
        data = b"" if body is None else body if isinstance(body, bytes) else to_bytes(body)
        return self.ask("POST", path, body=data, headers=headers)

    def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        principal: str = "holder of the key",
    ) -> ApiResponse:
        """Find the route as a host does, and dispatch."""
        plain, _, query = path.partition("?")
        route, params = find_route(method, plain)
        request = ApiRequest(
            method=method,
            path=f"/api/{plain}",
            url=URL,
            query=dict(pair.split("=") for pair in query.split("&") if pair),
            headers={k.replace("_", "-"): v for k, v in (headers or {}).items()},
            params=params,
            body=body,
            principal=principal,
        )
        return dispatch(route, request, self.services)

    def _register(self, wish: RunRequest) -> Registration:
        self.wishes.append(wish)
        return self.answer

    def _promote(self, run: RunRef, by: str, reason: str) -> Promotion:
        self.promotions.append((run.id, by, reason))
        if self.refusal is not None:
            raise self.refusal
        return self.promotion


def to_bytes(body: Any) -> bytes:
    return json.dumps(body).encode()


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """Return the most literal route that fits."""
    asked = path.split("/")
    for route in sorted(ROUTES, key=lambda route: route.path.count("{")):
        parts = route.path.split("/")
        pairs = list(zip(parts, asked, strict=False))
        fits = all(p.startswith("{") or p == a for p, a in pairs)
        if method in route.methods and len(parts) == len(asked) and fits:
            return route, {p.strip("{}"): a for p, a in pairs if p.startswith("{")}
    raise AssertionError(f"no route for {method} {path}")


def read(response: ApiResponse) -> Any:
    return json.loads(response.body)


def a_run(run_id: str = "shop-v1-aa", **changes: Any) -> RunRecord:
    """Return a run in training."""
    pin = Pin(role="training", name="shop/v1/training.jsonl", etag="e", size_bytes=9, sha256="ab")
    record = RunRecord(
        id=run_id,
        project="shop",
        version="v1",
        training_digest="t" * 64,
        run_digest="r" * 64,
        created_at=NOW - timedelta(hours=1),
        updated_at=NOW,
        settled_at=NOW - timedelta(hours=1),
        submit_after=NOW - timedelta(hours=1),
        pins=(pin,),
    )
    phase = changes.pop("phase", Phase.TRAINING)
    entered_at = changes.pop("entered_at", NOW - timedelta(minutes=41))
    return replace(record.entered(phase, at=entered_at), **changes)


def a_champion(project: str = "shop") -> Champion:
    entry = ChampionEntry(
        endpoint="https://x",
        deployment="shop-1",
        model="m",
        base_model="b",
        run_id="shop-v1-aa",
        since=NOW,
        settled_at=NOW,
    )
    return Champion(project=project, current=entry, history=(entry,))


def a_kept_model(run_id: str = "shop-v1-aa", **changes: Any) -> RunRecord:
    """Return a run that ended without a promotion, with a model that can be promoted later."""
    production = {"sku": "GlobalStandard", "capacity": 50}
    values: dict[str, Any] = {
        "phase": Phase.SUCCEEDED,
        "outcome": Outcome.NOT_PROMOTED,
        "message": "Nobody approved the promotion within 72 hours.",
        "ended_at": NOW,
        "job": {"id": "ftjob-1", "fine_tuned_model": "m.ft-1"},
        "configuration": {"pipeline": {"deploy": {"production": production}}},
    }
    return a_run(run_id, **values | changes)

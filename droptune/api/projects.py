"""Routes of projects: the champion, its history, what was spent, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from droptune.api.bodies import (
    LONGEST_NAME,
    LONGEST_REASON,
    no_such_project,
    project_of,
    read_object,
    read_text,
)
from droptune.api.messages import (
    ApiRequest,
    ApiResponse,
    StartRequest,
    etag_of,
    json_response,
    unless_known,
)
from droptune.api.problems import conflict, not_found
from droptune.api.records import find_document, find_record
from droptune.api.run_list import Filter, page_of_runs
from droptune.api.services import ApiServices
from droptune.domain.budget import standings
from droptune.domain.champion import Champion
from droptune.domain.dataset import is_name
from droptune.domain.hosting import hosting_standings
from droptune.domain.ledger import LEDGER, Ledger
from droptune.domain.payload import Payload
from droptune.domain.run import RunRecord, RunRef
from droptune.domain.services import BlobInfo, BlobStore
from droptune.domain.steps import RollbackRequest

LATEST_RUNS = 10


def list_projects(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/projects: every project that has data, runs or a champion."""
    base = services.base(request.url)
    stores = (services.registry, services.datasets, services.runs)
    names = sorted({name for store in stores for name in _names(store)})
    document = {"projects": [_row(services, name, base) for name in names]}
    return unless_known(request, json_response(document), etag_of(document))


def _names(store: BlobStore) -> Iterator[str]:
    names = (folder.rstrip("/") for folder in store.list_folders())
    return (name for name in names if is_name(name))


def _row(services: ApiServices, project: str, base: str) -> Payload:
    return {
        "project": project,
        "champion": find_champion(services.registry, project),
        "links": _links(project, base),
    }


def _links(project: str, base: str) -> dict[str, str]:
    own = f"{base}/api/projects/{project}"
    return {
        "self": own,
        "champion": f"{own}/champion",
        "rollback": f"{own}/rollback",
        "runs": f"{base}/api/runs?project={project}",
    }


def find_champion(registry: BlobStore, project: str) -> Payload | None:
    """Return a project's champion as it is published, or None."""
    document = find_document(registry, f"{project}/champion.json")
    return dict(Champion.from_document(document).to_document()) if document else None


def load_champions(services: ApiServices, blobs: dict[str, BlobInfo]) -> dict[str, Payload]:
    """Return the champions that a listing found, by project; a damaged one is left out."""

    def parse(document: Payload) -> Payload:
        return dict(Champion.from_document(document).to_document())

    found = services.documents.load(services.registry, blobs.values(), parse)
    return {name: each for name, each in zip(blobs, found, strict=True) if each is not None}


def get_project(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/projects/{project}: champion, history, latest runs and spend."""
    project, base = project_of(request), services.base(request.url)
    champion = find_champion(services.registry, project)
    records = list(_records(services.runs, project))
    if champion is None and not records and not _has_data(services, project):
        raise no_such_project(project)
    latest = Filter(project=project, limit=LATEST_RUNS)
    document = {
        "project": project,
        "champion": champion,
        "history": champion["history"] if champion else [],
        "runs": page_of_runs(services, latest, base)[0],
        "spend": spend(records),
        "budgets": budgets_of(services, project),
        "links": _links(project, base),
    }
    return unless_known(request, json_response(document), etag_of(document))


def _has_data(services: ApiServices, project: str) -> bool:
    stores = (services.datasets, services.registry)
    return any(True for store in stores for _ in store.list(f"{project}/", limit=1))


def _records(runs: BlobStore, project: str) -> Iterator[RunRecord]:
    prefix = f"{project}/"
    for folder in runs.list_folders(prefix):
        run_id = folder.removeprefix(prefix).rstrip("/")
        if record := find_record(runs, RunRef(project=project, id=run_id)):
            yield record


def spend(records: list[RunRecord]) -> Payload:
    """Return what runs have cost, and what those that have not ended are estimated to cost.

    A run that adopted a job did not pay for it.
    """
    paid = [record.cost.get("spent") for record in records if not record.adopted_from]
    open_runs = [record.cost.get("estimate") for record in records if not record.phase.is_terminal]
    return {"currency": "USD", "spent": _total(paid), "estimated": _total(open_runs)}


def budgets_of(services: ApiServices, project: str) -> Payload:
    """Return what is reserved, spent and allowed, by the name of each limit, in US dollars."""
    document = find_document(services.registry, LEDGER)
    ledger = Ledger.from_payload(document) if document else Ledger()
    limits, now = services.budgets, services.clock.now()
    found = standings(ledger, project=project, limits=limits, now=now)
    found |= hosting_standings(ledger, project=project, limits=limits, now=now)
    return {name: standing.to_payload() for name, standing in found.items()}


def _total(amounts: list[object]) -> float:
    return round(sum(amount for amount in amounts if isinstance(amount, int | float)), 6)


def get_champion(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/projects/{project}/champion: the deployment that callers should use."""
    project = project_of(request)
    champion = find_champion(services.registry, project)
    if champion is None:
        raise not_found(
            "no-champion",
            f"The project {project} has no champion.",
            "One appears when a run is promoted; pipeline.deploy.production must name a SKU.",
            link=f"projects/{project}",
        )
    headers = {"Cache-Control": f"max-age={champion['max_age_seconds']}"}
    return unless_known(request, json_response(champion, headers=headers), etag_of(champion))


def roll_back(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/projects/{project}/rollback: the previous champion becomes current."""
    project = project_of(request)
    body = read_object(request, ("reason", "by"))
    reason = read_text(body, "reason", LONGEST_REASON).strip()
    name = read_text(body, "by", LONGEST_NAME).strip()
    by = f"{name} ({request.principal})" if name else request.principal
    return roll_back_champion(services, project, by, reason)


def roll_back_champion(services: ApiServices, project: str, by: str, reason: str) -> ApiResponse:
    """Make a project's previous champion current, now or once it is deployed again; raises a 409
    when there is none."""
    champion = services.roll_back(project, by, reason)
    if champion is None:
        raise conflict(
            "no-previous-champion",
            f"The project {project} has no previous champion.",
            "A rollback is possible once a champion has replaced another.",
            link=f"projects/{project}",
        )
    answer = json_response(dict(champion.to_document()), 202)
    if champion.returning is None:
        return answer
    asked = RollbackRequest(project=project)
    begun = StartRequest(name="ask_again", instance_id=asked.instance_id, payload=asked.question)
    return replace(answer, headers={**answer.headers, "Retry-After": "60"}, start=begun)

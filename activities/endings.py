"""The end of a run: what bills and is not needed goes, then the record is closed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from activities.claims import held
from activities.promotions import load_champion
from activities.run_records import RunRecords
from droptune.domain.errors import NotFoundError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager
from droptune.domain.steps import EndRequest, Later, Policy


def end_run(
    request: EndRequest,
    *,
    records: RunRecords,
    registry: BlobStore,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
    policy: Policy,
) -> Later | None:
    """Let go of job and files, delete deployments that nobody uses, and close the record.

    The last holder cancels the job and waits until the service says so. Deleting what is gone is no
    error, and a closed record stays as it is: repeating this is safe.
    """
    record = records.find(request.run)
    if record is None or record.phase.is_terminal:
        return None
    if waits := _release_job(request, record, registry, azure_openai, policy):
        return waits
    _delete_deployments(record, registry, resource_manager)
    _close(request, record, records, clock, azure_openai)
    return None


def _release_job(
    request: EndRequest,
    record: RunRecord,
    registry: BlobStore,
    azure_openai: FineTuningService,
    policy: Policy,
) -> Later | None:
    if not record.files and not record.job:
        return None
    with held(registry, record) as claim:
        if set(claim.claim.holders) - {record.id}:
            claim.change(lambda c: c.let_go(record.id))
            return None
        if not _stop_job(record, azure_openai):
            wait = policy.scaled(10)
            return Later(seconds=wait, reason="the job is being cancelled")
        for file_id in record.files.values():
            azure_openai.delete_file(file_id)
        claim.change(lambda c: c.let_go(record.id))
    return None


def _stop_job(record: RunRecord, azure_openai: FineTuningService) -> bool:
    """Cancel the job unless it is terminal; return whether it is."""
    job_id = (record.job or {}).get("id")
    if not job_id:
        return True
    try:
        job = azure_openai.get_job(str(job_id))
    except NotFoundError:
        return True
    return job.status.is_terminal or azure_openai.cancel_job(job.id).status.is_terminal


def _delete_deployments(
    record: RunRecord, registry: BlobStore, resource_manager: ResourceManager
) -> None:
    if record.deployment is None and record.job is None:
        return  # nothing was ever deployed for it
    champion, _ = load_champion(registry, record.project)
    entries = (champion.current, champion.previous) if champion else ()
    used = {entry.deployment for entry in entries if entry}
    stem = record.run_digest[:12]
    for deployment in resource_manager.list_deployments():
        own = f"-{stem}" in deployment.name
        if own and deployment.name not in used:
            resource_manager.delete_deployment(deployment.name)


def _close(
    request: EndRequest,
    record: RunRecord,
    records: RunRecords,
    clock: Clock,
    azure_openai: FineTuningService,
) -> None:
    at = clock.now()
    message = request.message or (request.problem.message if request.problem else "")
    bad = request.phase not in (Phase.SUCCEEDED,)

    def change(known: RunRecord) -> RunRecord:
        closed = known.ended(
            request.phase,
            request.outcome,
            at=at,
            message=message or _default_message(request),
            error=request.problem if bad else None,
        )
        return replace(closed, waiting_for=None, cost=_with_spent(closed))

    records.update(record.ref, change)


def _with_spent(record: RunRecord) -> dict[str, Any]:
    """Return the cost with what was spent: the price of the tokens that the service billed.

    A job that another run paid for costs this one nothing.
    """
    cost = dict(record.cost)
    trained = (record.job or {}).get("trained_tokens")
    if record.job is None or record.adopted_from is not None:
        return cost | {"spent": 0.0}
    price = cost.get("training_usd_per_million")
    if isinstance(trained, int) and isinstance(price, int | float):
        return cost | {"spent": round(trained * price / 1_000_000, 6)}
    return cost


def _default_message(request: EndRequest) -> str:
    if request.outcome is Outcome.PLANNED:
        return "Planned: the report says what is there and what training costs; nothing was bought."
    return f"The run ended {request.phase.value}."

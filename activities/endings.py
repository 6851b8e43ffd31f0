"""The end of a run: what bills and is not needed goes, then the record is closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from activities.champions import load_champion
from activities.money import close_account
from activities.releases import release_files, release_job
from activities.run_records import RunRecords
from activities.turns import leave_line
from droptune.domain.errors import RequestRejectedError
from droptune.domain.findings import Problem
from droptune.domain.identity import is_deployment_of
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from droptune.domain.service_errors import UNKNOWN
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager
from droptune.domain.steps import EndRequest, Later, Policy

_UNANSWERED = ("gave-up", "not-found")  # codes that alone would not say why


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

    The last holder cancels the job and waits until the service says so; a run that failed leaves it
    to whoever repeats the run. Deleting what is gone is no error, and a closed record stays as it
    is: repeating this is safe. What Azure refuses to delete is named in the record, which closes.
    """
    record = records.find(request.run)
    if record is None or record.phase.is_terminal:
        return None
    waits = release_job(
        record,
        stop=request.phase is not Phase.FAILED,
        records=records,
        registry=registry,
        azure_openai=azure_openai,
        clock=clock,
        policy=policy,
    )
    if waits is not None:
        return waits
    left = [
        *_refused(lambda: release_files(record, records=records, azure_openai=azure_openai)),
        *_refused(lambda: delete_deployments(record, registry, resource_manager, clock)),
    ]
    close_account(records.get(request.run), registry=registry, clock=clock)
    leave_line(record.id, registry=registry)
    _close(request, records, clock, left)
    return None


def _refused(delete: Callable[[], None]) -> list[str]:
    """Delete, and return what was refused for good: the sweep tries again every day."""
    try:
        delete()
    except RequestRejectedError as refused:
        return [f"Not deleted: {refused}"]
    return []


def delete_deployments(
    record: RunRecord, registry: BlobStore, resource_manager: ResourceManager, clock: Clock
) -> None:
    """Delete the deployments that were made for a run, unless callers may use them."""
    if record.deployment is None and record.job is None:
        return  # nothing was ever deployed for it
    champion, _ = load_champion(registry, record.project)
    """Delete the deployments that were made for a run, unless callers may use them."""
    used = champion.deployments_in_use(clock.now()) if champion else frozenset()
    for deployment in resource_manager.list_deployments():
        if is_deployment_of(deployment.name, record.run_digest) and deployment.name not in used:
            resource_manager.delete_deployment(deployment.name)


def _close(request: EndRequest, records: RunRecords, clock: Clock, left: Sequence[str]) -> None:
    at = clock.now()

    answer = records.unknown_answer(request.run) if request.phase is Phase.FAILED else ""

    def change(known: RunRecord) -> RunRecord:
        problem = _with_evidence(_problem(request, known), answer)
        message = request.message or (problem.message if problem else _default_message(request))
        closed = known.ended(
            request.phase,
            request.outcome,
            at=at,
            message=" ".join((message, *left)),
            error=problem if request.phase is not Phase.SUCCEEDED else None,
        )
        return replace(closed, waiting_for=None, cost=_with_spent(closed))

    records.update(request.run, change)


def _problem(request: EndRequest, record: RunRecord) -> Problem | None:
    """Return why the run ends: as the step kept it in the record, else as it was asked."""
    kept, asked = record.error, request.problem
    return kept if kept is not None and asked is not None and kept.code == asked.code else asked


def _with_evidence(problem: Problem | None, answer: str) -> Problem | None:
    """Return why the run fails with the service's answer, where that is what nobody knows."""
    rests_on_it = problem is not None and problem.code in (UNKNOWN, *_UNANSWERED)
    if problem is None or not rests_on_it or problem.evidence:
        return problem
    return replace(problem, evidence=answer)


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

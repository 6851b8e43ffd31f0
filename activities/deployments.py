"""Deployments of a run: the candidate that is tried, and the one that callers use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from activities.accounts import AUTO, find_base_model
from activities.candidates import give_back_place
from activities.champions import load_champion
from activities.configurations import configuration_of
from activities.contenders import find_base_deployment
from activities.money import hold_hosting
from activities.questions import DEFAULT, question
from activities.room import is_full
from activities.run_records import RunRecords
from activities.step_records import begin_step
from droptune.domain.budget import BudgetLimits
from droptune.domain.configuration import Configuration
from droptune.domain.deployment import (
    AccountModel,
    Deployment,
    DeploymentRequest,
    DeploymentState,
)
from droptune.domain.errors import (
    DroptuneError,
    NotFoundError,
    RequestRejectedError,
    RunEndedError,
    TransientError,
)
from droptune.domain.identity import deployment_name
from droptune.domain.payload import Payload, format_time
from droptune.domain.phases import Outcome, Phase
from droptune.domain.poll_schedule import delay
from droptune.domain.run import RunRecord
from droptune.domain.service_errors import explain_error
from droptune.domain.services import (
    BlobStore,
    Clock,
    FineTuningService,
    ResourceManager,
)
from droptune.domain.steps import Later, Policy, StepRequest, Verdict

DEVELOPER_TIER = "DeveloperTier"  # Source: facts 2: no hosting fee, removed after 24 hours
DEVELOPER_TIER_HOURS = 24
_PHASES = {"candidate": Phase.DEPLOYING, "production": Phase.PROMOTING}


def create_deployment(
    request: StepRequest,
    *,
    records: RunRecords,
    registry: BlobStore,
    resource_manager: ResourceManager,
    clock: Clock,
    policy: Policy,
    budgets: BudgetLimits,
) -> Verdict | Later:
    """Deploy the run's model as candidate or for production, and answer once Azure says it is
    there.

    The name is derived from the run: a repeated PUT is the same deployment. Deployments of
    fine-tuned models cannot be re-pointed, so a name is never used for another model.
    """
    about = request.about
    record = begin_step(records, request, _PHASES[about], f"Deploying the model ({about}).")
    if about == "candidate" and record.test is not None:
        return Verdict(yes=True)  # a late repetition: it was tried, and may have gone since
    wanted = _wanted(record, about, resource_manager)
    if isinstance(wanted, Verdict):
        return wanted
    found: Deployment | Later | None = resource_manager.find_deployment(wanted.name)
    if found is None:
        if about == "production":
            record = give_back_place(
                record, records=records, registry=registry, resource_manager=resource_manager
            )
        if refused := _refused_by_budget(record, wanted, registry, budgets, clock):
            outcome = Outcome.TRAINED if about == "candidate" else Outcome.NOT_PROMOTED
            return Verdict(yes=False, outcome=outcome, message=refused)
        found = _put(wanted, resource_manager, policy)
    if isinstance(found, Later):
        records.note(record, lambda r: replace(r, waiting_for=found.reason))
        return found
    endpoint = resource_manager.get_account().endpoint
    _note(records, record, about, found, endpoint=endpoint, policy=policy)
    if found.state is DeploymentState.SUCCEEDED:
        return Verdict(yes=True, message=found.name)
    if found.state.has_failed:
        raise _failed(found)
    wait = policy.scaled(_wait(request))
    return Later(seconds=wait, reason=f"{found.name} is {found.state.value}")


def _wanted(
    record: RunRecord, about: str, resource_manager: ResourceManager
) -> DeploymentRequest | Verdict:
    configuration = configuration_of(record)
    deploy = configuration.pipeline.deploy
    sku: str | None
    if about == "production" and deploy.production is not None:
        sku, capacity = deploy.production.sku, deploy.production.capacity
    else:
        model = find_base_model(configuration.model or "", resource_manager)
        sku, capacity = candidate_sku(configuration, model), deploy.candidate.capacity
        if deploy.production is not None and sku == deploy.production.sku:
            capacity = deploy.production.capacity
    if sku is None or (is_billed(sku) and not may_host(record, configuration, sku)):
        return Verdict(yes=False, outcome=Outcome.TRAINED, message=_not_hosted(configuration))
    same = deploy.production is not None and sku == deploy.production.sku
    name = configuration.name or record.project
    purpose = "" if same else "candidate"
    return DeploymentRequest(
        name=deployment_name(name, record.run_digest, purpose),
        model=record.fine_tuned_model,
        sku=sku,
        capacity=capacity,
    )


def candidate_sku(configuration: Configuration, model: AccountModel | None) -> str | None:
    """Return the SKU of the candidate: as configured, else DeveloperTier, else production's.

    Args:
        model: what the account says of the base model.
    """
    deploy = configuration.pipeline.deploy
    if deploy.candidate.sku != AUTO:
        return deploy.candidate.sku
    allowed = configuration.pipeline.allow.allows_sku(DEVELOPER_TIER)
    if allowed and model is not None and DEVELOPER_TIER in model.skus:
        return DEVELOPER_TIER
    return deploy.production.sku if deploy.production else None


def is_billed(sku: str) -> bool:
    """Whether a deployment of this SKU costs by the hour even when nobody calls it.

    Source: facts 3.2: every fine-tuned deployment does, but DeveloperTier.
    """
    return sku.casefold() != DEVELOPER_TIER.casefold()


def may_host(record: RunRecord, configuration: Configuration, sku: str) -> bool:
    """Whether 30 days of hosting are known to fit into the budget."""
    month = _month_usd(record, configuration, sku)
    budget = configuration.pipeline.budget.hosting_usd_month or 0
    return month is not None and month <= budget


def _month_usd(record: RunRecord, configuration: Configuration, sku: str) -> float | None:
    deploy = configuration.pipeline.deploy
    produces = deploy.production is not None and deploy.production.sku == sku
    month = record.cost.get("hosting_month" if produces else "candidate_month")
    return float(month) if isinstance(month, int | float) else None


def _not_hosted(configuration: Configuration) -> str:
    budget = configuration.pipeline.budget.hosting_usd_month or 0
    return (
        "The model is trained and kept, not deployed: no deployment without an hourly fee is "
        f"open to it, and pipeline.budget.hosting_usd_month is {budget:g}."
    )


def _refused_by_budget(
    record: RunRecord,
    wanted: DeploymentRequest,
    registry: BlobStore,
    budgets: BudgetLimits,
    clock: Clock,
) -> str:
    """Hold 30 days of a deployment that bills by the hour; return why it may not be, or ""."""
    if not is_billed(wanted.sku):
        return ""
    configuration = configuration_of(record)
    champion, _ = load_champion(registry, record.project)
    refusal = hold_hosting(
        record,
        deployment=wanted.name,
        month_usd=_month_usd(record, configuration, wanted.sku),
        replaces=champion.current.deployment if champion else "",
        registry=registry,
        budgets=budgets,
        clock=clock,
        overlap=timedelta(hours=configuration.pipeline.retention.rollback_hours),
    )
    return f"The model is trained and kept, not deployed. {refusal.message}" if refusal else ""


def _put(
    wanted: DeploymentRequest, resource_manager: ResourceManager, policy: Policy
) -> Deployment | Later:
    try:
        return resource_manager.put_deployment(wanted)
    except (RequestRejectedError, TransientError) as refused:
        if is_full(refused):
            return Later(seconds=policy.scaled(600), reason=str(refused))
        raise


def _note(
    records: RunRecords,
    record: RunRecord,
    about: str,
    found: Deployment,
    *,
    endpoint: str,
    policy: Policy,
) -> None:
    expires = None
    if found.sku == DEVELOPER_TIER and found.created_at is not None:
        lives = timedelta(seconds=policy.scaled(DEVELOPER_TIER_HOURS * 3600))
        expires = format_time(found.created_at + lives)
    shown: Payload = {
        "name": found.name,
        "sku": found.sku,
        "capacity": found.capacity,
        "state": found.state.value,
        "endpoint": endpoint,
        "model": found.model,
        "expires_at": expires,
    }

    def change(known: RunRecord) -> RunRecord:
        if found.state.is_beginning and _is_there(found.name, known):
            return known  # another worker has looked since
        if about == "production":
            return replace(known, production=shown, deployment=shown)
        return replace(known, deployment=shown)

    records.note(record, change)


def _is_there(name: str, record: RunRecord) -> bool:
    shown = record.deployment or {}
    return shown.get("name") == name and shown.get("state") == DeploymentState.SUCCEEDED


def _wait(request: StepRequest) -> float:
    return delay(first_seconds=10, longest_seconds=60, polls=request.polls)


def _failed(found: Deployment) -> RunEndedError:
    reason = found.error_message or "the service gave no reason"
    known = explain_error(found.error_code, found.error_message)
    mend = known.remedy if known.is_known else "Mend what Azure names."
    return RunEndedError(
        f"The deployment {found.name} failed: {reason}",
        phase=Phase.FAILED,
        code="deployment-failed",
        remedy=f"The model is kept. {mend} Then `droptune retry` deploys it.",
    )


def test_deployment(
    request: StepRequest,
    *,
    records: RunRecords,
    datasets: BlobStore,
    registry: BlobStore,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
    policy: Policy,
) -> Later | None:
    """Ask the deployment a question; "not known yet" is asked again until the data plane answers.

    Prompt, answer and the base model's answer go to the record and nowhere else.
    """
    about = request.about
    phase = Phase.TESTING if about == "candidate" else Phase.PROMOTING
    record = begin_step(records, request, phase, f"Asking the {about} a question.")
    stored = record.production if about == "production" else record.deployment
    name = str((stored or {})["name"])
    if record.test is not None and about == "candidate":
        return None  # a late repetition: its answer is kept, and it may have gone since
    messages = question(record, datasets)
    try:
        answer = azure_openai.complete_chat(name, messages)
    except NotFoundError:
        if about == "candidate" and records.get(record.ref).test is not None:
            return None  # another worker has had the answer meanwhile, and the place was given back
        return _not_yet(request, record, about, registry, resource_manager, clock, policy)
    if not answer.content.strip():
        raise RunEndedError(
            f"The deployment {name} answered nothing.",
            phase=Phase.FAILED,
            code="no-answer",
            remedy="Look at the training data's answers; the model is kept.",
        )
    if record.test is not None and about == "production":
        return None
    base, base_answer = _ask_base(record, messages, azure_openai, resource_manager)
    shown = {
        "prompt": str(messages[-1].get("content", ""))[:4000],
        "answer": answer.content[:4000],
        "latency_ms": answer.latency_ms,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "base_deployment": base,
        "base_answer": base_answer,
    }
    records.update(record.ref, lambda r: replace(r, test=shown), known=record)
    return None


def look_once_more(
    request: StepRequest,
    record: RunRecord,
    *,
    registry: BlobStore,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
    policy: Policy,
) -> Later | None:
    """Answer later unless production's deployment is there and answers now.

    Azure may have removed it, or a person, since it was tried: then it is made once more.
    """
    name = str((record.production or {})["name"])
    found = resource_manager.find_deployment(name)
    if found is None or found.state is not DeploymentState.SUCCEEDED:
        return _not_yet(request, record, "production", registry, resource_manager, clock, policy)
    try:
        azure_openai.complete_chat(name, DEFAULT)
    except NotFoundError:
        return Later(seconds=policy.scaled(_wait(request)), reason=f"{name} does not answer now")
    return None


def _not_yet(
    request: StepRequest,
    record: RunRecord,
    about: str,
    registry: BlobStore,
    resource_manager: ResourceManager,
    clock: Clock,
    policy: Policy,
) -> Later:
    """Return when to ask again; what Azure removed meanwhile, as it does, is made once more.

    It was allowed once; a clean-up may have let go of its hosting since, which is held again.
    """
    stored = record.production if about == "production" else record.deployment
    name = str((stored or {})["name"])
    wait, reason = policy.scaled(_wait(request)), f"{name} does not answer yet"
    found = resource_manager.find_deployment(name)
    if found is not None and found.state.has_failed:
        raise _failed(found)
    if found is not None:
        return Later(seconds=wait, reason=reason)
    wanted = _wanted(record, about, resource_manager)
    if isinstance(wanted, Verdict):
        return Later(seconds=wait, reason=f"{name} had gone")
    _refused_by_budget(record, wanted, registry, BudgetLimits(), clock)
    made = _put(wanted, resource_manager, policy)
    if isinstance(made, Later):
        return made
    return Later(seconds=wait, reason=f"{name} had gone and is made again")


def _ask_base(
    record: RunRecord,
    messages: Sequence[Mapping[str, Any]],
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
) -> tuple[str | None, str | None]:
    """Ask a deployment of the base model, if the account has one; its silence costs the run
    nothing."""
    base = find_base_deployment(record, resource_manager)
    if base is None:
        return None, None
    try:
        return base, azure_openai.complete_chat(base, messages).content[:4000]
    except DroptuneError:
        return None, None

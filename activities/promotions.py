"""The pointer that callers of a project follow, changed in one conditional write."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from activities.candidates import give_back_place
from activities.champions import change_champion, load_champion
from activities.configurations import configuration_of
from activities.deployments import is_billed, look_once_more, may_host
from activities.run_records import RunRecords
from activities.step_records import begin_step
from droptune.domain.champion import Champion, ChampionEntry, succeed
from droptune.domain.errors import StepFailedError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import Control, RunRecord
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager
from droptune.domain.steps import Later, Policy, StepRequest, Verdict


def decide_promotion(
    request: StepRequest,
    *,
    records: RunRecords,
    registry: BlobStore,
    resource_manager: ResourceManager,
) -> Verdict:
    """Say whether the model may become the champion, and whether a person has to say so.

    After a yes that nobody has to confirm the candidate has done its work: its place is given back.
    """
    record = records.begin(request.run, Phase.TESTING)
    configuration = configuration_of(record)
    production = configuration.pipeline.deploy.production
    if production is None:
        return _no(Outcome.TRAINED, "Trained and tried; pipeline.deploy.production is not set.")
    if is_billed(production.sku) and not may_host(record, configuration, production.sku):
        month = record.cost.get("hosting_month")
        cost = f"${month:.0f} a month" if isinstance(month, int | float) else "an unknown amount"
        return _no(
            Outcome.NOT_PROMOTED,
            f"Hosting {production.sku} costs {cost}, which pipeline.budget.hosting_usd_month "
            "does not allow.",
        )
    champion, _ = load_champion(registry, record.project)
    if champion is not None and _is_older(record, champion):
        return _no(Outcome.NOT_PROMOTED, "The champion's dataset settled no earlier than this one.")
    approval = configuration.pipeline.approval.promotion
    asks = approval == "always" or (approval == "replace" and champion is not None)
    if not asks:
        give_back_place(
            record, records=records, registry=registry, resource_manager=resource_manager
        )
    return Verdict(yes=True, needs_approval=asks)


def _is_older(record: RunRecord, champion: Champion) -> bool:
    current = champion.current
    return current.run_id != record.id and record.settled_at <= current.settled_at


def _no(outcome: Outcome, message: str) -> Verdict:
    return Verdict(yes=False, outcome=outcome, message=message)


def promote_deployment(
    request: StepRequest,
    *,
    records: RunRecords,
    registry: BlobStore,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
    policy: Policy,
) -> Verdict | Later:
    """Make the production deployment the champion, once it has answered just now.

    A repetition finds that it was: no run is promoted twice, also not after a rollback, and a
    cancellation comes too late then.
    """
    record = records.get(request.run)
    present, _ = load_champion(registry, record.project)
    if present is None or not present.has_held(record.id):
        doing = "Making the deployment the champion."
        record = begin_step(records, request, Phase.PROMOTING, doing)
        entry = _entry(record, clock, records.control(record.ref))
        missing = look_once_more(
            request,
            record,
            registry=registry,
            azure_openai=azure_openai,
            resource_manager=resource_manager,
            clock=clock,
            policy=policy,
        )
        if missing is not None:
            return missing
        rollback = timedelta(hours=configuration_of(record).pipeline.retention.rollback_hours)
        promoted = change_champion(
            registry,
            record.project,
            lambda now: succeed(
                now,
                entry,
                project=record.project,
                rollback=rollback,
                even_older=request.promotion > 0,
            ),
        )
        if promoted is None:
            return _no(Outcome.NOT_PROMOTED, "Another run became the champion meanwhile.")
        present = promoted
    entry = present.entry_of(record.id)
    shown = {key: entry.to_payload()[key] for key in ("deployment", "endpoint", "model", "since")}
    records.update(record.ref, lambda r: replace(r, champion=shown), known=record)
    return Verdict(yes=True, outcome=Outcome.PROMOTED, message=_promoted(entry))


def _promoted(entry: ChampionEntry) -> str:
    return f"Promoted: {entry.deployment} became the project's champion."


def _entry(record: RunRecord, clock: Clock, control: Control) -> ChampionEntry:
    production: dict[str, Any] = dict(record.production or {})
    if not production:
        raise StepFailedError("the run has no production deployment", code="no-deployment")
    decided = record.promotion or control.decision("promotion")  # nobody: by the rules alone
    return ChampionEntry(
        endpoint=production["endpoint"],
        deployment=production["name"],
        model=production["model"],
        base_model=str((record.job or {}).get("model", "")),
        run_id=record.id,
        since=clock.now(),
        settled_at=record.settled_at,
        sku=production["sku"],
        capacity=production["capacity"],
        by=decided.by if decided else "droptune",
        reason=decided.reason if decided else "",
    )

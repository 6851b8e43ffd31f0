"""Promoting after a run's end: a person's wish, one at a time in a project, and its end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from activities.candidates import DELETED
from activities.champions import load_champion
from activities.configurations import configuration_of
from activities.deployments import is_billed, may_host
from activities.endings import delete_deployments
from activities.run_records import RunRecords, change_document
from droptune.domain.errors import RequestRejectedError, WishRefusedError
from droptune.domain.findings import Problem
from droptune.domain.payload import Model
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotable import why_not_promotable
from droptune.domain.promotion import Promotion, PromotionState
from droptune.domain.run import RunRecord, RunRef
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager
from droptune.domain.steps import EndPromotion

_STARTING = timedelta(minutes=1)  # from taking the project's turn to the run's record


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn(Model):
    """`registry/<project>/promoting.json`: whose promotion after the end has the project's turn."""

    run_id: str
    at: datetime


class LaterPromotions:
    """Takes wishes for the promotion of runs that have ended; repeating a wish is safe."""

    def __init__(
        self,
        *,
        records: RunRecords,
        registry: BlobStore,
        azure_openai: FineTuningService,
        clock: Clock,
    ) -> None:
        """Keep wishes in the runs' `records`, turns in `registry`."""
        self._records, self._registry = records, registry
        self._azure_openai, self._clock = azure_openai, clock

    def __call__(self, run: RunRef, by: str, reason: str) -> Promotion:
        """Return the promotion that a wish leads to: under way, or done already.

        Raises WishRefusedError with the reason.
        """
        record = self._records.get(run)
        known = record.promotion
        if known is not None and (known.is_under_way or self._is_champion(record)):
            return known
        self._check(record)
        self._take_turn(record)
        asked = Promotion(
            attempt=known.attempt + 1 if known else 1,
            by=by,
            reason=reason,
            asked_at=self._clock.now(),
            outcome_before=record.outcome,
            message="About to begin.",
        )
        begun = self._records.update(run, lambda r: _asked(r, asked))
        self._records.list_again(begun)
        return begun.promotion or asked

    def _is_champion(self, record: RunRecord) -> bool:
        champion, _ = load_champion(self._registry, record.project)
        return champion is not None and champion.current.run_id == record.id

    def _check(self, record: RunRecord) -> None:
        """Raise WishRefusedError for what cannot be promoted."""
        champion, _ = load_champion(self._registry, record.project)
        if champion is not None and champion.has_held(record.id):
            raise WishRefusedError(
                "The run's model was the champion already, and no run is promoted twice.",
                code="held-before",
                remedy=f"Roll back, if it is the previous one: droptune rollback {record.project}. "
                f"Else train anew: droptune again {record.id}.",
            )
        if problem := why_not_promotable(record):
            raise _refusal(problem)
        production = configuration_of(record).pipeline.deploy.production
        sku = production.sku if production else ""
        if is_billed(sku) and not may_host(record, configuration_of(record), sku):
            raise WishRefusedError(
                f"30 days of hosting {sku} do not fit into pipeline.budget.hosting_usd_month.",
                code="over-budget",
                remedy="Raise it and drop the dataset again: the job that is paid for is adopted.",
            )
        model = record.fine_tuned_model
        if not self._azure_openai.has_model(model):
            raise WishRefusedError(
                f"Azure OpenAI does not know the model {model} any more.",
                code="model-gone",
                remedy=f"Train anew: droptune again {record.id}.",
            )

    def _take_turn(self, record: RunRecord) -> None:
        """Take the project's turn; it is given back by the end of the promotion that has it."""
        if other := self._promoting_run(record):
            raise _other(other)
        now = self._clock.now()

        def change(present: Turn | None) -> Turn:
            if present is not None and present.run_id != record.id:
                ref = RunRef(project=record.project, id=present.run_id)
                holder = self._records.find(ref)
                starts = now - present.at < _STARTING and not _has_promoted_since(holder, present)
                if holder is not None and (holder.is_being_promoted or starts):
                    raise _other(holder.id)
            return Turn(run_id=record.id, at=now)

        change_document(self._registry, f"{record.project}/promoting.json", Turn, change)

    def _promoting_run(self, record: RunRecord) -> str | None:
        """Return the id of a run of the project that is about to promote by itself, if any."""
        live = self._records.list_live(record.project)
        return next((each.id for each in live if each.phase is Phase.PROMOTING), None)


def _has_promoted_since(holder: RunRecord | None, turn: Turn) -> bool:
    promotion = holder.promotion if holder else None
    return promotion is not None and promotion.asked_at >= turn.at


def _asked(record: RunRecord, asked: Promotion) -> RunRecord:
    known = record.promotion
    if known is not None and (known.is_under_way or known.state is PromotionState.PROMOTED):
        return record  # another request was faster
    return replace(record, promotion=asked, updated_at=asked.asked_at)


def _refusal(problem: Problem) -> WishRefusedError:
    return WishRefusedError(problem.message, code=problem.code, remedy=problem.remedy)


def _other(run_id: str) -> WishRefusedError:
    return WishRefusedError(
        f"The run {run_id} of the same project is being promoted.",
        code="another-promotion",
        remedy="Wait for its end, or cancel it.",
    )


def end_promotion(
    request: EndPromotion,
    *,
    records: RunRecords,
    registry: BlobStore,
    resource_manager: ResourceManager,
    clock: Clock,
) -> None:
    """Note what came of a promotion; what was deployed for one that was refused is deleted.

    A later attempt is left alone, and a repetition finds the end noted: repeating this is safe.
    """
    record = records.get(request.run)
    if record.promotion is None or record.promotion.attempt != request.promotion:
        return
    if record.promotion.is_under_way:
        left = ""
        if request.problem is not None:
            left = _delete(record, registry, resource_manager, clock)
        record = records.update(record.ref, _ending(request, clock.now(), left))
    records.list_again(record)


def _gone(deployment: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return {**deployment, "state": DELETED, "expires_at": None} if deployment else None


def _delete(
    record: RunRecord, registry: BlobStore, resource_manager: ResourceManager, clock: Clock
) -> str:
    """Delete what was deployed, and return what was refused for good: a sweep tries again."""
    try:
        delete_deployments(record, registry, resource_manager, clock)
    except RequestRejectedError as refused:
        return f" Not deleted: {refused}"
    return ""


def _ending(request: EndPromotion, now: datetime, left: str) -> Callable[[RunRecord], RunRecord]:
    def change(known: RunRecord) -> RunRecord:
        promotion = known.promotion
        if promotion is None or not promotion.is_under_way:
            return known
        message = request.message + left
        ended = promotion.ended(at=now, message=message, error=request.problem)
        changed = replace(known, promotion=ended, waiting_for=None, updated_at=now)
        if request.problem is not None:
            return changed if left else replace(changed, deployment=_gone(known.deployment))
        return replace(changed, outcome=Outcome.PROMOTED, message=request.message)

    return change

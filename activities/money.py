"""Money: reserved before it is spent, settled to what was billed, in one document for the app."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from activities.run_records import RunRecords, change_document, load_document
from droptune.domain import budget, hosting
from droptune.domain.budget import BudgetLimits, BudgetRefusal
from droptune.domain.configuration import Configuration
from droptune.domain.errors import RunEndedError
from droptune.domain.ledger import LEDGER, RESERVED, Ledger, compact
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock
from droptune.domain.steps import Later

_LONGEST_WAIT = 3600.0


def reserve(
    record: RunRecord,
    configuration: Configuration,
    *,
    records: RunRecords,
    registry: BlobStore,
    budgets: BudgetLimits,
    clock: Clock,
) -> Later | None:
    """Reserve a run's high estimate, or answer later while a budget has no room for it.

    Two runs never both pass on the last dollar: of two that ask at once one writes, and the other
    asks the ledger that it finds then. A repetition finds its own reservation. Raises RunEndedError
    for what no day or month can hold.
    """
    word = records.control(record.ref).decision("training")
    high = record.cost.get("high")
    refusals: list[BudgetRefusal | None] = []

    def change(present: Ledger | None) -> Ledger:
        decision = budget.reserve(
            present or Ledger(),
            run=record.id,
            project=record.project,
            high_usd=high if isinstance(high, int | float) else None,
            limits=_limits(budgets, configuration),
            now=clock.now(),
            approved=word is not None and word.word == "approve",
        )
        refusals.append(decision.refusal)
        return decision.ledger

    change_document(registry, LEDGER, Ledger, change)
    refusal = refusals[-1]
    return _wait(refusal, clock) if refusal is not None else None


def _limits(budgets: BudgetLimits, configuration: Configuration) -> BudgetLimits:
    own = {name: getattr(budgets, name) for name in BudgetLimits.__dataclass_fields__}
    return BudgetLimits(**own | {"run": configuration.pipeline.budget.run_usd})


def _wait(refusal: BudgetRefusal, clock: Clock) -> Later:
    if not refusal.can_pass:
        raise RunEndedError(
            refusal.message, phase=Phase.REJECTED, code=refusal.code, remedy=refusal.remedy
        )
    left = _LONGEST_WAIT
    if refusal.may_pass_at is not None:
        left = max((refusal.may_pass_at - clock.now()).total_seconds(), 1.0)
    return Later(seconds=min(left, _LONGEST_WAIT), reason=refusal.message)


def close_account(record: RunRecord, *, registry: BlobStore, clock: Clock) -> None:
    """Replace a run's reservation by what was billed, or give it back; repeating it is safe.

    A job of its own that has not ended, or that was stopped while it trained, may still be billed:
    its high estimate stands, as nobody says less.
    """
    ledger, _ = load_document(registry, LEDGER, Ledger)
    if ledger is None or ledger.find(record.id) is None:
        return
    billed, now = billed_usd(record), clock.now()

    def change(present: Ledger | None) -> Ledger:
        known, run, project = present or Ledger(), record.id, record.project
        if billed:
            settled = budget.settle(known, run=run, project=project, billed_usd=billed, now=now)
        else:
            settled = budget.release(known, run=run, project=project, now=now)
        return compact(settled, now=now)

    change_document(registry, LEDGER, Ledger, change)


def billed_usd(record: RunRecord) -> float:
    """Return what a run's own job cost, as far as anybody can know, in US dollars.

    Source: facts 3.2: failed jobs and jobs cancelled before training are not billed.
    """
    job = record.job or {}
    if not job or record.adopted_from is not None or job.get("status") == "failed":
        return 0.0
    trained, price = job.get("trained_tokens"), record.cost.get("training_usd_per_million")
    if isinstance(trained, int) and isinstance(price, int | float):
        return trained * price / 1_000_000
    begun = job.get("step") is not None or job.get("status") not in ("cancelled", "pending")
    high = record.cost.get("high")
    return float(high) if begun and isinstance(high, int | float) else 0.0


def release_lost(live: set[str], *, registry: BlobStore, clock: Clock) -> None:
    """Give back what runs reserved that are not there any more, all in one write, for the sweep."""
    now = clock.now()

    def change(present: Ledger | None) -> Ledger | None:
        known = present
        for entry in present.entries if present else ():
            if known and entry.state == RESERVED and entry.run not in live:
                known = budget.release(known, run=entry.run, project=entry.project, now=now)
        return known

    change_document(registry, LEDGER, Ledger, change)


def hold_hosting(
    record: RunRecord,
    *,
    deployment: str,
    month_usd: float | None,
    replaces: str,
    registry: BlobStore,
    budgets: BudgetLimits,
    clock: Clock,
    overlap: timedelta,
) -> BudgetRefusal | None:
    """Hold 30 days of a deployment before it is made; return why it may not be, or None."""
    refusals: list[BudgetRefusal | None] = []

    def change(present: Ledger | None) -> Ledger:
        decision = hosting.hold_hosting(
            present or Ledger(),
            deployment=deployment,
            project=record.project,
            month_usd=month_usd,
            limits=budgets,
            now=clock.now(),
            replaces=replaces,
            overlap=overlap,
        )
        refusals.append(decision.refusal)
        return decision.ledger

    change_document(registry, LEDGER, Ledger, change)
    return refusals[-1]


def keep_hosting(present: set[str], *, registry: BlobStore, clock: Clock) -> None:
    """Let go of the hosting of all deployments that are gone, in one write; repeating it is
    safe."""
    now = clock.now()
    _let_go(lambda ledger: hosting.gone_hosting(ledger, present=present, now=now), registry)


def let_go_of(deployment: str, *, registry: BlobStore) -> None:
    """Let go of a deployment's hosting, which nobody pays any more; repeating it is safe."""
    _let_go(lambda ledger: (deployment,), registry)


def _let_go(gone: Callable[[Ledger], Iterable[str]], registry: BlobStore) -> None:
    def change(present: Ledger | None) -> Ledger | None:
        known = present
        for deployment in gone(present) if present else ():
            known = hosting.let_go_of_hosting(known or Ledger(), deployment=deployment)
        return known

    change_document(registry, LEDGER, Ledger, change)

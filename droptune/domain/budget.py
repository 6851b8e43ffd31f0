"""Budgets: money is reserved before it is spent; two runs never both pass on the last dollar.

Every function is pure over the `Ledger`, which is kept in one blob and changed in conditional
writes: of two runs that ask at once, one writes and the other asks the ledger that it finds then.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from droptune.domain.ledger import (
    RELEASED,
    RESERVED,
    SETTLED,
    Entry,
    Ledger,
    day_of,
    micros_of,
    usd_of,
)
from droptune.domain.payload import Model
from droptune.domain.report.wording import dollars


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetLimits(Model):
    """What may be spent, in US dollars; None: no limit.

    Attributes:
        run: one training at its high estimate; a person's approval lifts this one alone.
        project_day, project_month, app_day, app_month: trainings that were asked for in a UTC day
            or month, of the project and of all projects together.
        project_hosting, app_hosting: 30 days of everything that is deployed at one time.
    """

    run: float | None = None
    project_day: float | None = None
    project_month: float | None = None
    app_day: float | None = None
    app_month: float | None = None
    project_hosting: float | None = None
    app_hosting: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class BudgetRefusal(Model):
    """Why money was not reserved.

    Attributes:
        code: `no-price` or `over-budget`.
        scope: the name of the limit that does not hold it: a field of `BudgetLimits`.
        asked, reserved, spent, limit: in US dollars.
        may_pass_at: when a new day or month begins; None: time alone cures nothing. Money that
            other runs release or do not use may make room before.
        can_pass: whether it could ever pass as it is: what is asked is within the limit.
    """

    code: str
    scope: str
    message: str
    remedy: str
    asked: float | None = None
    reserved: float = 0
    spent: float = 0
    limit: float | None = None
    may_pass_at: datetime | None = None
    can_pass: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """The ledger after the question, and the refusal if the answer is no."""

    ledger: Ledger
    refusal: BudgetRefusal | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing(Model):
    """How a budget stands, in US dollars; limit None: there is none."""

    reserved: float
    spent: float
    limit: float | None


NO_PRICE = BudgetRefusal(
    code="no-price",
    scope="run",
    message="No price is known, so no budget can be compared with it.",
    remedy="Approve the run, or use a model with a known price.",
)
_NAMES = {
    "run": "The run's budget",
    "project_day": "The project's budget of the day",
    "project_month": "The project's budget of the month",
    "app_day": "The app's budget of the day",
    "app_month": "The app's budget of the month",
    "project_hosting": "The project's budget of hosting a month",
    "app_hosting": "The app's budget of hosting a month",
}


def reserve(
    ledger: Ledger,
    *,
    run: str,
    project: str,
    high_usd: float | None,
    limits: BudgetLimits,
    now: datetime,
    approved: bool = False,
) -> Decision:
    """Reserve a run's high estimate, to be asked just before its job is submitted.

    A run that is known already gets the same yes again, whatever became of its money. Without a
    price (None) only an approved run passes, and reserves nothing.
    """
    if ledger.find(run) is not None:
        return Decision(ledger=ledger.with_entry(_reservation(run, project, 0, now)))
    if high_usd is None and not approved:
        return Decision(ledger=ledger, refusal=NO_PRICE)
    asked = micros_of(high_usd or 0)
    if not approved and not _fits(asked, limits.run):
        return Decision(ledger=ledger, refusal=over("run", asked, (0, 0), limits.run))
    for scope, limit, sums in _scopes(ledger, project, limits, now):
        if asked and not _fits(sum(sums) + asked, limit):
            begins = _next_period(scope, now)
            return Decision(ledger=ledger, refusal=over(scope, asked, sums, limit, begins))
    return Decision(ledger=ledger.with_entry(_reservation(run, project, asked, now)))


def release(ledger: Ledger, *, run: str, project: str, now: datetime) -> Ledger:
    """Give a run's money back: it spent nothing. What was settled stays settled."""
    return ledger.with_entry(
        Entry(run=run, project=project, day=day_of(now), state=RELEASED, micros=0)
    )


def settle(ledger: Ledger, *, run: str, project: str, billed_usd: float, now: datetime) -> Ledger:
    """Replace a run's reservation by what the service billed; repeated, the larger bill stands."""
    billed = micros_of(billed_usd)
    return ledger.with_entry(
        Entry(run=run, project=project, day=day_of(now), state=SETTLED, micros=billed)
    )


def standings(
    ledger: Ledger, *, project: str, limits: BudgetLimits, now: datetime
) -> dict[str, Standing]:
    """Return how the budgets of a project's and of all trainings stand, by the limits' names."""
    return {
        scope: Standing(reserved=usd_of(reserved), spent=usd_of(spent), limit=limit)
        for scope, limit, (reserved, spent) in _scopes(ledger, project, limits, now)
    }


def open_reservations(ledger: Ledger) -> tuple[str, ...]:
    """Return the ids of the runs that hold money, for the sweep to compare with the runs alive."""
    return tuple(entry.run for entry in ledger.entries if entry.state == RESERVED)


def over(
    scope: str,
    asked: int,
    sums: tuple[int, int],
    limit: float | None,
    begins: datetime | None = None,
) -> BudgetRefusal:
    """Return the refusal of a limit; `sums` are what is reserved and spent, in micros."""
    reserved, spent = usd_of(sums[0]), usd_of(sums[1])
    could = _fits(asked, limit)
    return BudgetRefusal(
        code="over-budget",
        scope=scope,
        message=(
            f"{_NAMES[scope]} is {dollars(limit or 0)}: {dollars(spent)} spent and "
            f"{dollars(reserved)} reserved leave no room for {dollars(usd_of(asked))}."
        ),
        remedy="Raise the budget, ask for less, or wait until there is room.",
        asked=usd_of(asked),
        reserved=reserved,
        spent=spent,
        limit=limit,
        may_pass_at=begins if could else None,
        can_pass=could,
    )


def _reservation(run: str, project: str, micros: int, now: datetime) -> Entry:
    return Entry(run=run, project=project, day=day_of(now), state=RESERVED, micros=micros)


def _fits(micros: int, limit: float | None) -> bool:
    return limit is None or micros <= micros_of(limit)


def _scopes(
    ledger: Ledger, project: str, limits: BudgetLimits, now: datetime
) -> Iterator[tuple[str, float | None, tuple[int, int]]]:
    day, month = day_of(now), day_of(now)[:7]
    yield "project_day", limits.project_day, ledger.sums(project, day)
    yield "project_month", limits.project_month, ledger.sums(project, month)
    yield "app_day", limits.app_day, ledger.sums(None, day)
    yield "app_month", limits.app_month, ledger.sums(None, month)


def _next_period(scope: str, now: datetime) -> datetime:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if scope.endswith("_day"):
        return midnight + timedelta(days=1)
    return (midnight.replace(day=1) + timedelta(days=32)).replace(day=1)

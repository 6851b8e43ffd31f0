"""What deployments cost by the hour: held before one is made, let go of when it is gone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from droptune.domain.budget import NO_PRICE, BudgetLimits, Decision, Standing, over
from droptune.domain.ledger import Hosting, Ledger, micros_of, usd_of

_MONTH = timedelta(days=30)
_MAKING = timedelta(hours=1)  # far longer than from asking to the deployment in Azure's list


def hold_hosting(
    ledger: Ledger,
    *,
    deployment: str,
    project: str,
    month_usd: float | None,
    limits: BudgetLimits,
    now: datetime,
    replaces: str = "",
    overlap: timedelta = timedelta(0),
) -> Decision:
    """Hold what 30 days of a deployment cost, to be asked before it is made.

    The deployment that it replaces counts for the `overlap` alone. A deployment that is held
    already gets the same yes again, and its maker has asked now; it counts whole, also one that
    was to go.
    """
    if any(held.deployment == deployment for held in ledger.hosting):
        again = _changed(ledger, deployment, lambda held: replace(held, asked_at=now, until=None))
        return Decision(ledger=again)
    if month_usd is None:
        return Decision(ledger=ledger, refusal=NO_PRICE)
    asked = micros_of(month_usd)
    after = retire_hosting(ledger, deployment=replaces, until=now + overlap)
    for scope, own, limit in (
        ("project_hosting", project, limits.project_hosting),
        ("app_hosting", None, limits.app_hosting),
    ):
        held = _hosted(after, own, now)
        if asked and limit is not None and held + asked > micros_of(limit):
            return Decision(ledger=ledger, refusal=over(scope, asked, (held, 0), limit))
    new = Hosting(deployment=deployment, project=project, month_micros=asked, asked_at=now)
    hosting = sorted((*ledger.hosting, new), key=lambda each: each.deployment)
    return Decision(ledger=replace(ledger, hosting=tuple(hosting)))


def retire_hosting(ledger: Ledger, *, deployment: str, until: datetime) -> Ledger:
    """Note when a replaced deployment will go: until then it counts by the hour."""
    return _changed(ledger, deployment, lambda held: replace(held, until=until))


def let_go_of_hosting(ledger: Ledger, *, deployment: str) -> Ledger:
    """Forget a deployment that is gone."""
    left = tuple(each for each in ledger.hosting if each.deployment != deployment)
    return replace(ledger, hosting=left)


def gone_hosting(ledger: Ledger, *, present: set[str], now: datetime) -> tuple[str, ...]:
    """Return what is held and not there any more.

    What was asked for in the last hour may be made since `present` was looked at.
    """
    return tuple(
        held.deployment
        for held in ledger.hosting
        if held.deployment not in present
        and (held.asked_at is None or now - held.asked_at > _MAKING)
    )


def hosting_standings(
    ledger: Ledger, *, project: str, limits: BudgetLimits, now: datetime
) -> dict[str, Standing]:
    """Return how the budgets of a project's and of all hosting stand, by the limits' names."""
    own, all_of_it = _hosted(ledger, project, now), _hosted(ledger, None, now)
    return {
        "project_hosting": Standing(reserved=usd_of(own), spent=0.0, limit=limits.project_hosting),
        "app_hosting": Standing(reserved=usd_of(all_of_it), spent=0.0, limit=limits.app_hosting),
    }


def _changed(ledger: Ledger, deployment: str, change: Callable[[Hosting], Hosting]) -> Ledger:
    held = (change(each) if each.deployment == deployment else each for each in ledger.hosting)
    return replace(ledger, hosting=tuple(held))


def _hosted(ledger: Ledger, project: str | None, now: datetime) -> int:
    held = (each for each in ledger.hosting if project in (None, each.project))
    return sum(_share(each.month_micros, each.until, now) for each in held)


def _share(month_micros: int, until: datetime | None, now: datetime) -> int:
    if until is None:
        return month_micros
    left = min(max(until - now, timedelta(0)), _MONTH)
    return math.ceil(month_micros * (left / _MONTH))

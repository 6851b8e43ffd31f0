"""The ledger: what runs reserved and spent and what deployments cost, in one document.

A run's money counts for the UTC day and month in which it was first asked for, whenever the service
bills it. So the order in which runs reserve, release and settle changes nothing in the sums.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from droptune.domain.payload import Model

LEDGER = "_budget.json"  # in the container `registry`: one for the app, so that its limits hold too
KEPT_DAYS = 7
KEPT_MONTHS = 13
MOST_CLOSED = 500
RESERVED, RELEASED, SETTLED = STATES = ("reserved", "released", "settled")
_MICROS = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry(Model):
    """One run's money. `micros` are millionths of a dollar: whole numbers add up in any order.

    Attributes:
        day: `YYYY-MM-DD`, UTC, on which it counts.
        state: `reserved`, `released` or `settled`; it only moves to the right.
    """

    run: str
    project: str
    day: str
    state: str
    micros: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Spent(Model):
    """What runs that are no longer listed spent in a `period`: `YYYY-MM-DD` or `YYYY-MM`."""

    project: str
    period: str
    micros: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Hosting(Model):
    """A deployment that bills by the hour.

    Attributes:
        month_micros: 30 days of it.
        until: when it will be deleted, for a replaced one; None: it stays.
        asked_at: when its maker asked last, just before making it; None: long ago.
    """

    deployment: str
    project: str
    month_micros: int
    until: datetime | None = None
    asked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Ledger(Model):
    """The document. Every run of the last week stands in it once, older ones as sums."""

    schema_version: int = 1
    entries: tuple[Entry, ...] = ()
    spent: tuple[Spent, ...] = ()
    hosting: tuple[Hosting, ...] = ()

    def find(self, run: str) -> Entry | None:
        """Return a run's entry, or None."""
        return next((entry for entry in self.entries if entry.run == run), None)

    def with_entry(self, new: Entry) -> Ledger:
        """Return the ledger with one more word about a run: words may come twice, in any order.

        The state furthest to the right stands, then the larger sum, on the earliest day.
        """
        known = self.find(new.run)
        if known is not None:
            stands = max(known, new, key=lambda each: (STATES.index(each.state), each.micros))
            new = replace(stands, day=min(known.day, new.day), project=known.project)
        others = (each for each in self.entries if each.run != new.run)
        return replace(self, entries=tuple(sorted((*others, new), key=lambda each: each.run)))

    def sums(self, project: str | None, period: str) -> tuple[int, int]:
        """Return what is reserved and what is spent in a period, of one project or of all."""
        reserved = spent = 0
        for entry in self.entries:
            if project in (None, entry.project) and entry.day.startswith(period):
                reserved += entry.micros if entry.state == RESERVED else 0
                spent += entry.micros if entry.state == SETTLED else 0
        folded = (each for each in self.spent if project in (None, each.project))
        return reserved, spent + sum(e.micros for e in folded if e.period.startswith(period))


def compact(ledger: Ledger, *, now: datetime) -> Ledger:
    """Fold what is old: closed runs into their day, days into their month, old months into nothing.

    Reservations stay until somebody closes them. A closed run is remembered for a week (the
    newest 500 at most); what is said of it later would count anew.
    """
    oldest = day_of(now - timedelta(days=KEPT_DAYS))
    gone = _forgettable(ledger, oldest)
    sums: dict[tuple[str, str], int] = {}
    folded = (Spent(project=e.project, period=e.day, micros=e.micros) for e in gone)
    for each in (*ledger.spent, *folded):
        recent = len(each.period) == len(oldest) and each.period >= oldest
        key = each.project, each.period if recent else each.period[:7]
        sums[key] = sums.get(key, 0) + each.micros
    first = _month_before(now, KEPT_MONTHS - 1)
    spent = tuple(
        Spent(project=project, period=period, micros=micros)
        for (project, period), micros in sorted(sums.items())
        if micros and period >= first
    )
    left = {entry.run for entry in gone}
    return replace(
        ledger, entries=tuple(e for e in ledger.entries if e.run not in left), spent=spent
    )


def _forgettable(ledger: Ledger, oldest: str) -> list[Entry]:
    closed = [entry for entry in ledger.entries if entry.state != RESERVED]
    closed.sort(key=lambda entry: (entry.day, entry.run), reverse=True)
    kept = {entry.run for entry in closed[:MOST_CLOSED] if entry.day >= oldest}
    return [entry for entry in closed if entry.run not in kept]


def micros_of(usd: float) -> int:
    """Return millionths of a dollar, rounded up where a float is not exact."""
    return math.ceil(round(usd * _MICROS, 3))


def usd_of(micros: int) -> float:
    """Return dollars."""
    return micros / _MICROS


def day_of(at: datetime) -> str:
    """Return the UTC day of an aware UTC time as `YYYY-MM-DD`."""
    return at.date().isoformat()


def _month_before(now: datetime, months: int) -> str:
    years, month = divmod(now.year * 12 + now.month - 1 - months, 12)
    return date(years, month + 1, 1).isoformat()[:7]

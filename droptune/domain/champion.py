"""The champion of a project: the deployment that its callers should use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from droptune.domain.identity import next_name
from droptune.domain.payload import Model

HISTORY_LENGTH = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class ChampionEntry(Model):
    """One holder of the title.

    Attributes:
        settled_at: when its dataset settled; only a later one may replace it.
        retires_at: when its model or deployment is due to go, or None.
        by: who decided, or "droptune".
    """

    endpoint: str
    deployment: str
    model: str
    base_model: str
    run_id: str
    since: datetime
    settled_at: datetime
    sku: str = ""
    capacity: int = 0
    retires_at: datetime | None = None
    by: str = "droptune"
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Champion(Model):
    """`registry/<project>/champion.json`.

    Attributes:
        max_age_seconds: how long a caller may keep the pointer without asking again.
        keep_previous_until: the previous deployment lives at least so long.
        returning: the previous holder under the name under which it is deployed again: it becomes
            current once it answers.
        return_refused: why the last rollback could not deploy again, or "".
    """

    project: str
    current: ChampionEntry
    schema_version: int = 1
    max_age_seconds: int = 300
    previous: ChampionEntry | None = None
    keep_previous_until: datetime | None = None
    history: tuple[ChampionEntry, ...] = ()
    returning: ChampionEntry | None = None
    return_refused: str = ""

    def to_document(self) -> Mapping[str, Any]:
        """Return the stored and published document: the current holder's fields at the top
        level."""
        current = self.current.to_payload()
        rest = self.to_payload()
        del rest["current"]
        return (
            {"schema_version": rest.pop("schema_version"), "project": self.project} | current | rest
        )

    def deployments_in_use(self, now: datetime) -> frozenset[str]:
        """Return the deployments that callers may use: the current one, replaced ones until they
        are due to go, and one that is made again for a rollback."""
        kept = self.keep_previous_until is not None and now < self.keep_previous_until
        made = {self.returning.deployment} if self.returning else set()
        used = {self.current.deployment, *made} | {
            entry.deployment
            for entry in self.history
            if entry.retires_at is not None and now < entry.retires_at
        }
        return frozenset(used | ({self.previous.deployment} if self.previous and kept else set()))

    def has_held(self, run_id: str) -> bool:
        """Whether a run's model is or was the champion."""
        return any(entry.run_id == run_id for entry in (*self.history, self.current))

    def entry_of(self, run_id: str) -> ChampionEntry:
        """Return the newest entry of a run; KeyError when it never was the champion."""
        found = (e for e in (*reversed(self.history), self.current) if e.run_id == run_id)
        entry = next(found, None)
        if entry is None:
            raise KeyError(run_id)
        return entry

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Champion:
        """Read a stored document; raises ValueError."""
        return cls.from_payload({**document, "current": document})


def succeed(
    champion: Champion | None,
    entry: ChampionEntry,
    *,
    project: str,
    rollback: timedelta,
    even_older: bool = False,
) -> Champion | None:
    """Return the champion with `entry` as the current holder, or None when it may not become that.

    Only a dataset that settled later than the champion's promotes, and no run twice. `even_older`:
    a person has asked for this very model, and an older dataset is no hindrance.
    """
    if champion is None:
        return Champion(project=project, current=entry, history=(entry,))
    is_newer = even_older or entry.settled_at > champion.current.settled_at
    if champion.has_held(entry.run_id) or not is_newer:
        return None
    return _replaced(champion, entry, rollback)


def roll_back(
    champion: Champion,
    *,
    at: datetime,
    by: str,
    reason: str,
    rollback: timedelta = timedelta(hours=48),
) -> Champion | None:
    """Return the champion with the previous holder current again, or None when there is none.

    `rollback`: how long the deployment that is replaced lives.
    """
    if champion.previous is None:
        return None
    entry = replace(champion.previous, since=at, by=by, reason=reason or "rolled back")
    return _replaced(champion, entry, rollback)


def begin_return(champion: Champion, *, at: datetime, by: str, reason: str) -> Champion | None:
    """Return the champion whose previous holder is to be deployed again, under a new name, before
    it becomes current; None when there is no previous one. The first to ask is who asked."""
    if champion.previous is None:
        return None
    if champion.returning is not None:
        return champion
    entry = replace(
        champion.previous,
        deployment=next_name(champion.previous.deployment),
        since=at,
        by=by,
        reason=reason or "rolled back",
        retires_at=None,
    )
    return replace(champion, returning=entry, return_refused="")


def finish_return(
    champion: Champion, deployment: str, *, at: datetime, rollback: timedelta
) -> Champion | None:
    """Return the champion with the holder that was deployed again as the current one; None when
    that is not waited for any more, as another became the champion meanwhile."""
    entry = champion.returning
    if entry is None or entry.deployment != deployment:
        return None
    return _replaced(champion, replace(entry, since=at), rollback)


def give_up_return(champion: Champion, deployment: str, why: str) -> Champion | None:
    """Return the champion as it stays when the previous one cannot be deployed again."""
    if champion.returning is None or champion.returning.deployment != deployment:
        return None
    return replace(champion, returning=None, return_refused=why)


def _replaced(champion: Champion, entry: ChampionEntry, rollback: timedelta) -> Champion:
    until = entry.since + max(rollback, timedelta(seconds=2 * champion.max_age_seconds))
    due = tuple(
        replace(each, retires_at=until) if each.deployment == champion.current.deployment else each
        for each in champion.history
    )
    return replace(
        champion,
        current=replace(entry, retires_at=None),
        previous=replace(champion.current, retires_at=until),
        keep_previous_until=until,
        returning=None,
        return_refused="",
        history=(*due, replace(entry, retires_at=None))[-HISTORY_LENGTH:],
    )

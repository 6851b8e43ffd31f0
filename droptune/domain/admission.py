"""Admission: a run waits for its turn at the service instead of being refused by it.

Every function is pure over the `Queue`, which is kept in one blob and changed in conditional
writes. Whoever asks moves the line on for all, so that nobody waits for somebody who sleeps.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from droptune.domain.findings import Problem
from droptune.domain.payload import Model
from droptune.domain.room import no_place_can_come, obstacle, pool_has_room
from droptune.domain.service_limits import Observed, ServiceLimits
from droptune.domain.waiting_line import Ticket, Turns, in_turn

QUEUE = "_admission.json"  # in the container `registry`
DEPLOYMENTS_QUEUE = "_deployments.json"
FORGOTTEN_AFTER = timedelta(hours=2)
_ASKS_EVERY, _ASKS_AT_LEAST = 60.0, 900.0  # seconds
_SEEN_EVERY = timedelta(minutes=15)
_KEPT_DURATIONS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Queue(Model):
    """The document.

    Attributes:
        turns: whose turn it is, for each pool.
        durations: seconds from turn to end of the newest jobs, oldest first.
    """

    schema_version: int = 1
    tickets: tuple[Ticket, ...] = ()
    turns: Mapping[str, Turns] = field(default_factory=dict)
    durations: tuple[float, ...] = ()

    def find(self, run: str) -> Ticket | None:
        """Return a run's ticket, or None."""
        return next((ticket for ticket in self.tickets if ticket.run == run), None)

    def with_ticket(self, new: Ticket) -> Queue:
        """Return the queue with a run's ticket as it is now."""
        others = (ticket for ticket in self.tickets if ticket.run != new.run)
        return replace(self, tickets=(*others, new))


@dataclass(frozen=True, kw_only=True, slots=True)
class Place(Model):
    """What a run is told.

    Attributes:
        position: how-manieth in turn, 1 for the next; 0 once its turn has come.
        expected_at: when its turn may come, as long as the newest jobs took; None: not known.
        reason: what it waits for, for people.
    """

    granted: bool
    position: int = 0
    expected_at: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The queue after the question, and the answer.

    Attributes:
        refusal: why no place can come; the run is no longer in the line.
        called: ids of other runs whose turn has come by this question; they hear it when they ask.
    """

    queue: Queue
    place: Place
    refusal: Problem | None = None
    called: tuple[str, ...] = ()


def ask(
    queue: Queue,
    *,
    run: str,
    project: str,
    pool: str,
    files: int,
    size_bytes: int,
    asked_at: datetime,
    observed: Observed,
    limits: ServiceLimits,
    now: datetime,
) -> Answer:
    """Ask whether it is a run's turn; to be asked again until it is granted or refused.

    A granted run gets the same yes again. `asked_at` is when the run began to wait, from its
    record: whoever was forgotten comes back to the old place.
    """
    queue = _without_gone(queue, observed, now)
    known = queue.find(run)
    if known is not None and not known.waits:
        seen = known if known.job else _seen(known, now)
        return Answer(queue=queue.with_ticket(seen), place=Place(granted=True))
    if refusal := no_place_can_come(files, size_bytes, observed, limits):
        return Answer(queue=leave(queue, run=run), place=Place(granted=False), refusal=refusal)
    ticket = known or Ticket(
        run=run,
        project=project,
        pool=pool,
        files=files,
        size_bytes=size_bytes,
        asked_at=asked_at,
        seen_at=now,
    )
    ticket = replace(ticket, files=files, size_bytes=size_bytes)  # some may be there meanwhile
    queue, granted = _call(queue.with_ticket(_seen(ticket, now)), observed, limits, now)
    called = tuple(each for each in granted if each != run)
    return Answer(queue=queue, place=_place(queue, run, observed, limits, now), called=called)


def ask_after(position: int, places: int) -> float:
    """Return after how many seconds a waiting run asks again.

    The next two rounds ask every minute; who stands further back asks as much more seldom, every
    quarter of an hour at least: a thousand runs that all ask at once would keep the service busy
    with nothing but their questions.
    """
    rounds = position / max(2 * places, 1)
    return _ASKS_EVERY * min(max(rounds, 1.0), _ASKS_AT_LEAST / _ASKS_EVERY)


def submitted(queue: Queue, *, run: str, job: str) -> Queue:
    """Note a run's job; from now on the place is taken by the job, until it has ended."""
    known = queue.find(run)
    return queue if known is None else queue.with_ticket(replace(known, job=job))


def leave(queue: Queue, *, run: str) -> Queue:
    """Take a run out of the line: it has ended, or uses a job that is there. Repeating is safe."""
    return replace(queue, tickets=tuple(each for each in queue.tickets if each.run != run))


def keep_only(queue: Queue, *, live: Collection[str]) -> Queue:
    """Take everybody out of the line who is not alive, for the sweep."""
    return replace(queue, tickets=tuple(each for each in queue.tickets if each.run in live))


def _seen(ticket: Ticket, now: datetime) -> Ticket:
    """Note that a run asked, rarely: each note is a write."""
    claims = ticket.granted_at is not None and ticket.seen_at <= ticket.granted_at < now
    if claims or now - ticket.seen_at >= _SEEN_EVERY:
        return replace(ticket, seen_at=now)
    return ticket


def _without_gone(queue: Queue, observed: Observed, now: datetime) -> Queue:
    """Drop runs whose job has ended, and runs that do not come back for their turn."""
    kept, durations = [], list(queue.durations)
    for ticket in queue.tickets:
        if ticket.job in observed.finished:
            durations.append((now - (ticket.granted_at or now)).total_seconds())
        elif ticket.job or not _is_forgotten(ticket, now):
            kept.append(ticket)
    return replace(queue, tickets=tuple(kept), durations=tuple(durations[-_KEPT_DURATIONS:]))


def _is_forgotten(ticket: Ticket, now: datetime) -> bool:
    claimed = ticket.granted_at is not None and ticket.seen_at > ticket.granted_at
    return not claimed and now - (ticket.granted_at or ticket.seen_at) > FORGOTTEN_AFTER


def _call(
    queue: Queue, observed: Observed, limits: ServiceLimits, now: datetime
) -> tuple[Queue, list[str]]:
    """Grant as many turns as there are places, in turn, in every pool."""
    called: list[str] = []
    for pool in sorted({each.pool for each in queue.tickets if each.waits}):
        for ticket in _line(queue, pool, limits):
            if not pool_has_room(pool, queue.tickets, observed, limits):
                break
            if obstacle(ticket, queue.tickets, observed, limits, now):
                break  # who comes next may be smaller, but would make this one wait for ever
            turns = queue.turns.get(pool, Turns()).given(ticket.project, limits.places(pool))
            granted = queue.with_ticket(replace(ticket, granted_at=now, seen_at=now))
            queue = replace(granted, turns={**queue.turns, pool: turns})
            called.append(ticket.run)
    return queue, called


def _line(queue: Queue, pool: str, limits: ServiceLimits) -> list[Ticket]:
    waiting = [each for each in queue.tickets if each.waits and each.pool == pool]
    return in_turn(waiting, queue.turns.get(pool, Turns()), limits.places(pool))


def _place(
    queue: Queue, run: str, observed: Observed, limits: ServiceLimits, now: datetime
) -> Place:
    ticket = queue.find(run)
    if ticket is None or not ticket.waits:
        return Place(granted=True)
    waiting = _line(queue, ticket.pool, limits)
    position = waiting.index(ticket) + 1
    places = limits.running.get(ticket.pool, 0)
    full = obstacle(ticket, queue.tickets, observed, limits, now) or _places(places)
    return Place(
        granted=False,
        position=position,
        expected_at=_expected(queue, position, places, now),
        reason=f"Number {position} of {len(waiting)} in turn: {full}.",
    )


def _places(places: int) -> str:
    return "there is 1 place" if places == 1 else f"there are {places} places"


def _expected(queue: Queue, position: int, places: int, now: datetime) -> datetime | None:
    if not queue.durations or not places:
        return None
    mean = sum(queue.durations) / len(queue.durations)
    return now + timedelta(seconds=mean * position / places)

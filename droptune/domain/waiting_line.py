"""The line of runs that wait for the service: whose turn it is, and who stands before whom.

Turns go round the projects: each has one a round, and within a project who asked first goes first.
So a project that drops twenty datasets delays nobody by twenty jobs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from droptune.domain.payload import Model

_KEPT_PROJECTS = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Ticket(Model):
    """A run's place in the line, from its first question until it leaves.

    Attributes:
        pool: which of the service's limits it competes for: `standard` or `developer`.
        files, size_bytes: what it will upload.
        asked_at: when it began to wait; decides within its project.
        seen_at: when it asked last, to a quarter of an hour or so; one that stays away is dropped.
        granted_at: when its turn came, or None while it waits.
        job: id of its job once it is submitted, or "".
    """

    run: str
    project: str
    pool: str
    files: int
    size_bytes: int
    asked_at: datetime
    seen_at: datetime
    granted_at: datetime | None = None
    job: str = ""

    @property
    def waits(self) -> bool:
        """Whether its turn has not come."""
        return self.granted_at is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Turns(Model):
    """Whose turn it is in one pool.

    Attributes:
        rounds: the round of each project's next turn.
        current: the round of the newest turn given.
    """

    rounds: Mapping[str, int] = field(default_factory=dict)
    current: int = 0

    def next_round(self, project: str, places: int) -> int:
        """Return the round of a project's next turn.

        Who comes late is not made to pay for it: a project begins as many rounds back as there are
        places, because so many turns may have been given before it had time to ask.
        """
        return max(self.rounds.get(project, 0), self.current - places)

    def given(self, project: str, places: int) -> Turns:
        """Return the turns after a project had one; the last 200 projects are remembered."""
        this = self.next_round(project, places)
        rounds = {**self.rounds, project: this + 1}
        newest = sorted(rounds.items(), key=lambda item: item[1])[-_KEPT_PROJECTS:]
        return Turns(rounds=dict(newest), current=max(this, self.current))


def in_turn(waiting: Iterable[Ticket], turns: Turns, places: int) -> list[Ticket]:
    """Return the tickets of one pool in the order of their turns."""
    queues: dict[str, list[Ticket]] = defaultdict(list)
    for ticket in sorted(waiting, key=lambda each: (each.asked_at, each.run)):
        queues[ticket.project].append(ticket)
    order = [
        (turns.next_round(project, places) + number, queue[0].asked_at, project, ticket)
        for project, queue in queues.items()
        for number, ticket in enumerate(queue)
    ]
    return [ticket for *_, ticket in sorted(order, key=lambda each: each[:3])]

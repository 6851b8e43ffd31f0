"""Making a failing schedule short: fewer things happen and strike, and it still fails."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from simulation.actors import Happening
from simulation.runner import Result, run, story_of

T = TypeVar("T")
MOST_TRIES = 120


@dataclass(kw_only=True)
class _Search:
    """Looks for less that fails in the same way."""

    seed: int
    profile: str
    check: str
    tries: int = 0
    best: Result | None = None

    def fails(
        self, happenings: Sequence[Happening], strikes: Mapping[int, str], in_order: bool
    ) -> bool:
        """Whether the schedule still fails; the last that did is kept."""
        if self.tries >= MOST_TRIES:
            return False
        self.tries += 1
        try:
            found = run(
                self.seed, self.profile, happenings=happenings, strikes=strikes, in_order=in_order
            )
        except AssertionError:
            return False
        if self.check in found.failed:
            self.best = found
            return True
        return False


def shrink(failed: Result) -> Result:
    """Return the shortest schedule found that fails the first check that this one failed."""
    check = failed.violations[0].check
    search = _Search(seed=failed.seed, profile=failed.profile, check=check)
    happenings: Sequence[Happening] = story_of(failed.seed, failed.profile).happenings
    strikes: Mapping[int, str] = failed.struck
    in_order = search.fails(happenings, strikes, True)
    strikes = dict(
        _less(list(strikes.items()), lambda some: search.fails(happenings, dict(some), in_order))
    )
    happenings = _less(happenings, lambda some: search.fails(some, strikes, in_order))
    return search.best or failed


def _less(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """Leave out stretches, ever shorter ones, as long as what is left fails."""
    size = len(items)
    while size >= 1:
        at = 0
        while at < len(items):
            fewer = [*items[:at], *items[at + size :]]
            if fails(fewer):
                items = fewer
            else:
                at += size
        size //= 2
    return items

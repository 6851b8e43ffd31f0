"""`python -m simulation.planted`: does every planted fault show, in which check, and how soon?"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import sys
from collections import Counter
from dataclasses import dataclass

from simulation.plants import NAMES, PLANTS
from simulation.runner import run

MOST_SEEDS = 100
SEARCHES = 5
_FIRST = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Found:
    """How a planted fault showed.

    Attributes:
        seeds: how many schedules each search took; `MOST_SEEDS` where it did not show.
        checks: which check saw it first, how often.
    """

    name: str
    seeds: tuple[int, ...]
    checks: Counter[str]

    @property
    def median(self) -> float:
        """The median number of schedules until it showed."""
        return statistics.median(self.seeds)

    @property
    def is_caught(self) -> bool:
        """Whether it shows in a median of fewer schedules than are allowed."""
        return self.median < MOST_SEEDS


def search(name: str, first: int, most: int = MOST_SEEDS) -> tuple[int, str]:
    """Return after how many seeds a planted fault shows, and in which check; "" for not at all."""
    plant = NAMES[name]
    with plant.planted():
        for number in range(most):
            try:
                result = run(first + number, plant.profile)
            except AssertionError:
                return number + 1, "the world comes to rest"
            if result.violations:
                return number + 1, result.violations[0].check
    return most, ""


def find(name: str) -> Found:
    """Search several times, each time in other seeds."""
    found = [search(name, _FIRST + n * 1000) for n in range(SEARCHES)]
    checks = Counter(check for _, check in found if check)
    return Found(name=name, seeds=tuple(seeds for seeds, _ in found), checks=checks)


def main() -> int:
    """Print the table, of all or of those whose names begin as asked; exit code 1 unless every
    fault is caught."""
    asked = tuple(sys.argv[1:]) or ("",)
    names = [plant.name for plant in PLANTS if plant.name.startswith(asked)]
    caught = 0
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for found in pool.imap(find, names):
            caught += found.is_caught
            checks = ", ".join(check for check, _ in found.checks.most_common(2)) or "none"
            profile = NAMES[found.name].profile
            sys.stdout.write(f"| {found.name} | {profile} | {checks} | {found.median:g} |\n")
            sys.stdout.flush()
    sys.stdout.write(f"{caught} of {len(names)} caught\n")
    return 0 if caught == len(names) else 1


if __name__ == "__main__":
    sys.exit(main())

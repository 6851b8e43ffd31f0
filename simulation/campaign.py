"""Many schedules on all cores, and what came of them."""

from __future__ import annotations

import gc
import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from simulation.profiles import profile_of
from simulation.runner import Result, run


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a schedule leaves to count.

    Attributes:
        broke: what the simulation itself raised, or "".
    """

    seed: int
    profile: str
    violations: tuple[str, ...] = ()
    struck: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    points: int = 0
    cpu_seconds: float = 0.0
    broke: str = ""

    @property
    def is_clean(self) -> bool:
        """Whether everything held."""
        return not self.violations and not self.broke


@dataclass(kw_only=True)
class Tally:
    """The sums of a campaign."""

    schedules: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    profiles: Counter[str] = field(default_factory=Counter)
    restarts: int = 0
    points: int = 0
    cpu_seconds: float = 0.0
    failed: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        """Count one schedule."""
        self.schedules += 1
        self.struck += outcome.struck
        self.happened += outcome.happened
        self.ended += outcome.ended
        self.profiles[outcome.profile] += 1
        self.restarts += outcome.restarts
        self.points += outcome.points
        self.cpu_seconds += outcome.cpu_seconds
        if not outcome.is_clean:
            self.failed.append(outcome)


def observe(task: tuple[int, str | None]) -> Outcome:
    """Run one schedule and keep what is counted."""
    seed, profile = task[0], task[1] or profile_of(task[0])
    began = time.process_time()
    try:
        result = run(seed, profile)
    except Exception as error:  # noqa: BLE001 - whatever breaks is a finding
        broke = f"{type(error).__name__}: {error}"[:2000]
        return Outcome(seed=seed, profile=profile, broke=broke)
    return _kept(result, time.process_time() - began)


def _kept(result: Result, cpu_seconds: float) -> Outcome:
    return Outcome(
        seed=result.seed,
        profile=result.profile,
        violations=tuple(map(str, result.violations)),
        struck=Counter(result.struck.values()),
        happened=Counter(result.happened),
        ended=Counter(f"{phase} {outcome}" for _, phase, outcome, *_ in result.outcomes),
        restarts=result.restarts,
        points=result.points,
        cpu_seconds=cpu_seconds,
    )


def settle_in() -> None:
    """Load all that schedules use, by running one, and let the garbage collector look there no
    more.

    A world's objects hang together and are let go at once, so it is enough to look for them rarely.
    """
    run(0, "calm")
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


@dataclass(frozen=True, kw_only=True)
class Extent:
    """How long a campaign goes on: as long as the time lasts, and then until enough have run.

    Attributes:
        seconds: as many schedules run as fit.
        at_least: so many run, also where that takes longer,
        longest: but not beyond so many seconds.
    """

    seconds: float = float("inf")
    at_least: int = 0
    longest: float = float("inf")

    def is_reached(self, schedules: int, elapsed: float) -> bool:
        """Whether it is over after so many schedules and seconds."""
        return elapsed >= self.longest or (elapsed >= self.seconds and schedules >= self.at_least)


ALL = Extent()


def campaign(
    seeds: Iterable[int], profile: str | None = None, extent: Extent = ALL
) -> Iterator[Outcome]:
    """Run schedules on all cores to the campaign's extent; in the order in which they end."""
    tasks, began = ((seed, profile) for seed in seeds), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count(), settle_in) as pool:
        for done, outcome in enumerate(pool.imap_unordered(observe, tasks, chunksize=4), 1):
            yield outcome
            if extent.is_reached(done, time.monotonic() - began):
                return

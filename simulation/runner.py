"""One schedule from its seed: the story is told, everything is repaired, and the world audited."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from simulation.actors import Happening, perform
from simulation.audit import LogWitness, Violation, Witness, audit, control_of, records
from simulation.faults import Faults, Strikes
from simulation.profiles import BEYOND, PROFILES
from simulation.stories import Story, draw
from simulation.world import World

_HOUR, _DAY = 3600.0, 86_400.0
AMPLE = {
    "limit_running": 3,
    "limit_queued": 20,
    "limit_files": 100,
    "limit_fine_tuned_deployments": 10,
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What became of a schedule."""

    seed: int
    profile: str
    violations: tuple[Violation, ...]
    struck: dict[int, str]
    happened: tuple[str, ...]
    trace: tuple[tuple[float, str], ...]
    outcomes: tuple[tuple[str, ...], ...]
    restarts: int
    points: int

    @property
    def failed(self) -> frozenset[str]:
        """Names of the checks that failed."""
        return frozenset(each.check for each in self.violations)


def story_of(seed: int, profile: str) -> Story:
    """Return the story of a seed in a profile."""
    return draw(seed, (PROFILES | BEYOND)[profile])


def run(
    seed: int,
    profile: str,
    *,
    happenings: Sequence[Happening] | None = None,
    strikes: Strikes | None = None,
    in_order: bool = False,
) -> Result:
    """Run one schedule; what happens and what strikes may be given in place of being drawn."""
    found = _run(seed, profile, happenings, strikes, in_order)
    if not (PROFILES | BEYOND)[profile].orders or happenings is not None:
        return found
    other = reordered(seed, story_of(seed, profile).happenings)
    again = _run(seed, profile, other, strikes, in_order, "another choice")
    if again.outcomes == found.outcomes:
        return replace(found, violations=(*found.violations, *again.violations))
    said = f"{found.outcomes} or, in another order of events, {again.outcomes}"
    seen = Violation(check="no order of events matters", said=said, at=0.0)
    return replace(found, violations=(*found.violations, *again.violations, seen))


def reordered(seed: int, happenings: Sequence[Happening]) -> tuple[Happening, ...]:
    """Return the same happenings, each blob event at another time after its blob was written."""
    chance, moved = random.Random(f"order {seed}"), []
    written = {each.about["path"]: each.at for each in happenings if each.what == "write"}
    for each in happenings:
        late = chance.choice((0.0, 1.0, 30.0, 5000.0)) * chance.random()
        at = written[each.about["path"]] + late if each.what == "event" else each.at
        moved.append(replace(each, at=at))
    return tuple(sorted(moved, key=lambda each: each.at))


def _run(
    seed: int,
    profile: str,
    happenings: Sequence[Happening] | None,
    strikes: Strikes | None,
    in_order: bool,
    choice: str = "choice",
) -> Result:
    story = story_of(seed, profile)
    told = story.happenings if happenings is None else happenings
    faults = Faults(seed=seed, rates=(PROFILES | BEYOND)[profile].rates, only=strikes)
    world = World(
        seed=seed,
        faults=faults,
        settings=story.settings,
        service=story.service,
        in_order=in_order,
        choice=choice,
    )
    try:
        witness = Witness(world=world)
        with _watched(world, witness):
            _tell(world, told)
            _repair(world, tells=(PROFILES | BEYOND)[profile].tells)
            audit(witness)
        return Result(
            seed=seed,
            profile=profile,
            violations=tuple(witness.violations),
            struck=dict(faults.struck),
            happened=tuple(each.what for each in told),
            trace=tuple(world.trace),
            outcomes=_outcomes(world),
            restarts=world.restarts,
            points=faults.points,
        )
    finally:
        world.close()


@contextmanager
def _watched(world: World, witness: Witness) -> Iterator[None]:
    world.observers.append(witness)
    handler, root = LogWitness(witness), logging.getLogger()
    before = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    try:
        yield
    finally:
        root.handlers[:], level = before
        root.setLevel(level)


def _tell(world: World, happenings: Sequence[Happening]) -> None:
    world.faults.is_over = True
    world.sweep()  # the installation itself is not what is tried
    world.faults.is_over = False
    for each in happenings:
        world.at(each.at, str(each), lambda each=each: perform(world, each))  # type: ignore[misc]
    last = max((each.at for each in happenings), default=0.0)
    world.run(until=min(last, 2 * _HOUR) + _HOUR / 2)


def _repair(world: World, *, tells: bool) -> None:
    """Let the last fault be over, a sweep run, and every time-out elapse; then the night's work."""
    world.note("from here on nothing fails any more")
    world.faults.is_over, world.outage_until = True, 0.0
    world.state.faults.clear()
    world.state.set_settings(AMPLE)
    for deployment in world.state.live_deployments():
        deployment.fate = "" if deployment.fate == "hang" else deployment.fate
    now = world.clock.now().timestamp()
    for file in world.state.live_files():
        file.processing_seconds = min(file.processing_seconds, now + 60 - file.created_at)
    _resume(world)
    if tells:
        for minutes in (*range(0, 24 * 60, 10), *range(24 * 60, 9 * 24 * 60, 60)):
            world.after(60.0 * minutes, "tell", world.tell)
    for _ in range(2):
        world.guarded(world.sweep)
        world.run(until=world.clock.passed + 4 * _DAY)
        world.guarded(world.clean_up)
    world.run(until=world.clock.passed + 2 * _HOUR)
    world.guarded(world.clean_up)
    for _ in range(4):
        world.guarded(world.sweep)
        world.run(until=world.clock.passed + 600)


def _resume(world: World) -> None:
    """Let whoever paused a run and was waited for say that it goes on."""
    for record in records(world):
        if control_of(world, record).is_paused:
            world.ask("resume_run", method="POST", body={}, id=record.id)


def _outcomes(world: World) -> tuple[tuple[str, ...], ...]:
    return tuple(
        sorted(
            (r.id, r.phase.value, r.outcome.value, r.error.code if r.error else "", str(r.examples))
            for r in records(world)
        )
    )

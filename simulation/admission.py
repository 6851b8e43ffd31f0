"""`python -m simulation.admission 4 20`: many projects drop much at once; who waits how long?

Exit code 1 when a limit of the service was shown to anybody as an error, a run did not succeed, or
a project waited much longer than another.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from simulation.audit import quota_ended_no_run, records
from simulation.datasets import examples, job_file
from simulation.faults import Faults
from simulation.world import World

LARGEST_RATIO = 1.2
_DAY = 86_400.0
_MANY = 100_000
_NEVER_ASKS: dict[str, Any] = {
    "approval": {"promotion": "never"},
    "budget": {"hosting_usd_month": 1e6},
}


@dataclass(frozen=True, kw_only=True)
class Admitted:
    """What became of everything that was dropped.

    Attributes:
        waits: mean seconds from a drop to the start of its training, by project.
        shown: what was said of limits as an error.
        hours: until the last run had ended.
    """

    runs: int
    succeeded: int
    waits: dict[str, float]
    shown: tuple[str, ...]
    hours: float

    @property
    def ratio(self) -> float:
        """The largest mean wait over the smallest."""
        return max(self.waits.values()) / min(self.waits.values())


def admit(projects: int, drops: int, *, seed: int = 0, roomy: bool = False) -> Admitted:
    """Drop so many datasets into each project within a minute and wait until all have ended.

    Args:
        roomy: jobs, files and deployments are kept without limit: what runs and queues at one time
            alone is scarce.
    """
    settings = {"LIMITS_RUNS_PER_DAY": "10000"}
    service: dict[str, float] = {"training_seconds": 60}
    if roomy:
        settings |= {f"LIMITS_{name}": str(_MANY) for name in ("JOBS", "FILES", "DEPLOYMENTS")}
        kept = ("limit_jobs", "limit_files", "limit_fine_tuned_deployments", "quota_fine_tuned")
        service |= dict.fromkeys(kept, _MANY)
    faults = Faults(seed=seed, rates={})
    world = World(seed=seed, faults=faults, settings=settings, service=service)
    try:
        world.sweep()
        for number in range(drops):
            for project in range(projects):
                at = 1 + 60 * (number * projects + project) / (drops * projects)
                world.at(at, "drop", lambda p=project, n=number: _drop(world, p, n))  # type: ignore[misc]
        for hour in range(30 * 24):
            world.at(3600.0 * (hour + 1), "sweep", world.sweep)
        for day in range(30):
            world.at(_DAY * (day + 1), "clean up", world.clean_up)
        return _settled(world, projects * drops)
    finally:
        world.close()


def _drop(world: World, project: int, number: int) -> None:
    folder = f"project-{project}/v{number}"
    world.datasets.put(f"{folder}/fine-tune-job.yaml", job_file(**_NEVER_ASKS))
    world.datasets.put(f"{folder}/training.jsonl", examples(f"project-{project}", f"v{number}"))
    world.notice(f"{folder}/training.jsonl")


def _settled(world: World, expected: int) -> Admitted:
    """Let hours pass until every run has ended, at most a month of them."""
    found: list[RunRecord] = []
    for hour in range(1, 30 * 24):
        world.run(until=3600.0 * hour, most=1_000_000)
        found = records(world)
        if len(found) == expected and all(each.phase.is_terminal for each in found):
            break
    waits = defaultdict[str, list[float]](list)
    for record in found:
        trained = [change.at for change in record.history if change.phase is Phase.TRAINING]
        if trained:
            waits[record.project].append((trained[0] - record.created_at).total_seconds())
    return Admitted(
        runs=len(found),
        succeeded=sum(each.phase is Phase.SUCCEEDED for each in found),
        waits={project: statistics.mean(each) for project, each in waits.items()},
        shown=tuple(quota_ended_no_run(world)),
        hours=world.clock.passed / 3600,
    )


def main() -> int:
    """Print what became of all."""
    parser = argparse.ArgumentParser(prog="python -m simulation.admission")
    parser.add_argument("projects", type=int)
    parser.add_argument("drops", type=int)
    parser.add_argument("--roomy", action="store_true", help="only running and queued are scarce")
    asked = parser.parse_args()
    found = admit(asked.projects, asked.drops, roomy=asked.roomy)
    sys.stdout.write(
        f"{found.runs} runs, {found.succeeded} succeeded, in {found.hours:.0f} h of virtual time; "
        f"mean waits {min(found.waits.values()):.0f} to {max(found.waits.values()):.0f} s, "
        f"ratio {found.ratio:.3f}; limits shown as errors: {len(found.shown)}\n"
    )
    for said in found.shown:
        sys.stdout.write(f"{said}\n")
    asked_for = asked.projects * asked.drops
    is_fair = found.ratio <= LARGEST_RATIO and not found.shown
    return 0 if is_fair and found.succeeded == asked_for else 1


if __name__ == "__main__":
    sys.exit(main())

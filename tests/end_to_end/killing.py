"""`python -m tests.end_to_end.killing N`: kill an installation N times, and audit what is left."""

from __future__ import annotations

import json
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from droptune.cli.ledger import read_ledger
from droptune.cli.local_app import LocalApp
from tests.end_to_end.conftest import FAST
from tests.end_to_end.line import JOB_FILE, Line, an_example, write_dataset

_VICTIMS = ("host", "host", "emulator", "both", "storage")
AT_ONCE = 3  # datasets under way while something is killed
PROMOTED = 4  # datasets that end as champions; the service takes ten deployments, so others do not
TRAINED_ONLY = JOB_FILE.partition("  deploy:")[0]


@dataclass(kw_only=True)
class Ordeal:
    """An installation whose processes are ended at random moments while it works.

    Host and service are killed (SIGKILL); Azurite is asked to end (SIGTERM).

    Attributes:
        killed: how often each process was killed.
        restarts: seconds from each kill until the app was ready again.
        runs: ids of the runs, in the order of their drops.
    """

    line: Line
    folder: Path
    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    restarts: list[float] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Seed what is drawn."""
        self._chance = random.Random(self.seed)

    def suffer(self, times: int) -> None:
        """Kill so many times, each time while datasets are under way."""
        while self.killed.total() < times:
            self._keep_busy()
            time.sleep(self._chance.uniform(0.0, 2.5))
            self._kill()

    def end(self) -> list[dict[str, object]]:
        """Wait until every run has ended and return their status documents."""
        return [self.line.follow(run) for run in self.runs]

    def _keep_busy(self) -> None:
        open_runs = [
            run for run in self.runs if self.line.client.get("runs", run)["ended_at"] is None
        ]
        for _ in range(AT_ONCE - len(open_runs)):
            number = len(self.runs)
            examples = [an_example(n, answer=f"Set {number}: {{n}}!") for n in range(12)]
            job_file = JOB_FILE if number < PROMOTED else TRAINED_ONLY
            dataset = write_dataset(self.folder / str(number), examples, job_file=job_file)
            self.runs.append(self.line.drop(dataset, project=f"p{number}")["id"])

    def _kill(self) -> None:
        """Kill the host, the service or both, or end storage, and start them again."""
        app, victim = self.line.app, self._chance.choice(_VICTIMS)
        began = time.monotonic()
        if victim == "storage":
            self._end_storage()
            self.restarts.append(time.monotonic() - began)
            return
        if victim != "emulator":
            app.kill_host()
            self.killed["host"] += 1
        if victim != "host":
            app.kill_emulator()
            self.killed["emulator"] += 1
            app.start_emulator()
        if victim != "emulator":
            app.start_host()
        self.restarts.append(time.monotonic() - began)

    def _end_storage(self) -> None:
        """End Azurite by SIGTERM; host and service go on meanwhile, for a while without it."""
        self.line.app.stop_storage()
        self.killed["storage"] += 1
        time.sleep(self._chance.uniform(0.0, 1.5))
        self.line.app.start_storage()


def audit(line: Line, ended: list[dict[str, object]]) -> list[str]:
    """Return everything that is not as promised, in sentences."""
    found = []
    ledger = read_ledger(line.app.emulator_url)
    for number, status in enumerate(ended):
        wanted = "promoted" if number < PROMOTED else "trained"
        if (status["phase"], status["outcome"]) != ("succeeded", wanted):
            found.append(f"{status['id']} ended {status['phase']}: {status['message']}")
        jobs = line.jobs_of(status)
        if len(jobs) != 1:
            found.append(f"{status['id']} was paid for {len(jobs)} times")
    champions = {str((status["champion"] or {}).get("deployment")) for status in ended}  # type: ignore[attr-defined]
    for deployment in ledger["deployments"]:
        billed = deployment["state"] != "Deleted" and deployment["sku"] != "DeveloperTier"
        if billed and deployment["name"] not in champions:
            found.append(f"{deployment['name']} bills and is needed by nobody")
    names = Counter(f["filename"] for f in ledger["files"] if f["purpose"] == "fine-tune")
    found += [f"{name} was uploaded {n} times" for name, n in names.items() if n > 1]
    return found


def _spread(seconds: list[float]) -> dict[str, float]:
    return {
        name: round(of(seconds), 2)
        for name, of in (("least", min), ("median", statistics.median), ("most", max))
    }


def main(times: int, seed: int) -> int:
    """Kill, wait, audit, and print what was seen."""
    with (
        tempfile.TemporaryDirectory() as state,
        LocalApp(state=Path(state), time_scale=FAST) as app,
    ):
        ordeal = Ordeal(line=Line(app), folder=Path(state) / "dropped", seed=seed)
        began = time.monotonic()
        ordeal.suffer(times)
        ended = ordeal.end()
        found = audit(ordeal.line, ended)
        seen = {
            "kills": dict(ordeal.killed),
            "runs": len(ended),
            "seconds": round(time.monotonic() - began, 1),
            "restart_seconds": _spread(ordeal.restarts),
            "found": found,
        }
        sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))

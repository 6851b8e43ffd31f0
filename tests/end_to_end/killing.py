"""`python -m tests.end_to_end.killing N`: kill an installation N times, and audit what is left."""

from __future__ import annotations

import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from droptune.cli.ledger import read_ledger
from droptune.cli.local_app import LocalApp
from tests.end_to_end.conftest import FAST
from tests.end_to_end.line import JOB_FILE, Line, an_example, write_dataset

_VICTIMS = ("host", "host", "emulator", "both", "storage")
_PATIENCE = 5.0  # seconds for which a host that was killed is watched
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
        moved: seconds from each kill of the host until Durable wrote of a run again.
        moments: in which phases runs were when something was ended, how often.
        runs: ids of the runs, in the order of their drops.
    """

    line: Line
    folder: Path
    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    restarts: list[float] = field(default_factory=list)
    moved: list[float] = field(default_factory=list)
    moments: Counter[str] = field(default_factory=Counter)
    runs: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Seed what is drawn."""
        self._chance = random.Random(self.seed)
        self._ended = set[str]()

    def suffer(self, times: int) -> None:
        """Kill so many times, each time while datasets are under way."""
        while self.killed.total() < times:
            self._keep_busy()
            time.sleep(self._chance.uniform(0.0, 2.5))
            self.moments.update(self._open_phases())
            self._kill()

    def end(self) -> list[dict[str, object]]:
        """Wait until every run has ended and return their status documents."""
        return [self.line.follow(run) for run in self.runs]

    def _keep_busy(self) -> None:
        for _ in range(AT_ONCE - len(self._open_phases())):
            number = len(self.runs)
            examples = [an_example(n, answer=f"Set {number}: {{n}}!") for n in range(12)]
            job_file = JOB_FILE if number < PROMOTED else TRAINED_ONLY
            dataset = write_dataset(self.folder / str(number), examples, job_file=job_file)
            self.runs.append(self.line.drop(dataset, project=f"p{number}")["id"])

    def _open_phases(self) -> list[str]:
        """Return the phase of each run that has not ended; an ended one is not asked for again."""
        phases = []
        for run in self.runs:
            if run not in self._ended:
                status = self.line.client.get("runs", run)
                if status["ended_at"] is None:
                    phases.append(str(status["phase"]))
                else:
                    self._ended.add(run)
        return phases

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
            rows = self._history()
        if victim != "host":
            app.kill_emulator()
            self.killed["emulator"] += 1
            app.start_emulator()
        if victim != "emulator":
            app.start_host()
        self.restarts.append(time.monotonic() - began)
        if victim != "emulator":
            self._until_it_moves(rows, began)

    def _until_it_moves(self, rows: int, began: float) -> None:
        while self._history() == rows:
            if time.monotonic() - began > _PATIENCE:
                return  # whatever was under way has ended, or sleeps for as long
            time.sleep(0.01)
        self.moved.append(time.monotonic() - began)

    def _history(self) -> int:
        """Return the number of the row of Durable's history that was written last."""
        database = self.line.app.state / "devhost" / "devhost.sqlite"
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
            return int(store.execute("SELECT max(rowid) FROM history").fetchone()[0] or 0)

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
            "phases_when_killed": dict(ordeal.moments.most_common()),
            "ends": Counter(f"{each['phase']}, {each['outcome']}" for each in ended),
            "seconds": round(time.monotonic() - began, 1),
            "restart_seconds": _spread(ordeal.restarts),
            "moving_seconds": {"times": len(ordeal.moved)} | _spread(ordeal.moved),
            "found": found,
        }
        sys.stdout.write(json.dumps(seen, indent=1) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))

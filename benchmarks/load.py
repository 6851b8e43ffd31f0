"""A thousand datasets dropped at once on a local installation: is any lost, how much memory does
the host take, and how long does a status answer take meanwhile?

    python -m benchmarks.load [--datasets 1000]

Each dataset is a plan (no model is named), so that the service's limit of 100 jobs does not decide
how many of them end. A dataset is lost when no run ends for it within the time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import describe
from droptune.cli.app_client import AppClient
from droptune.cli.local_app import LocalApp
from droptune.cli.refusals import Refusal
from droptune.cli.storage import open_storage
from droptune.domain.phases import Phase

EXAMPLES = 10
_WRITERS = 4
_LOOK_SECONDS = 0.05
_COUNT_SECONDS = 2.0


@dataclass(kw_only=True, slots=True)
class Load:
    """What was seen while the datasets became runs.

    Attributes:
        phases: of each dataset that has a run, by the run's id.
        answer_seconds: of each status answer.
        host_mib: the host's resident memory at each look; empty where the system does not tell.
        host_cpu_seconds: processor time that the host has taken by then, which other work on the
            machine does not lengthen.
        unanswered: how many requests were refused or not answered.
    """

    datasets: int
    drop_seconds: float = 0.0
    all_ended_seconds: float = 0.0
    phases: dict[str, str] = field(default_factory=dict)
    answer_seconds: list[float] = field(default_factory=list)
    host_mib: list[float] = field(default_factory=list)
    host_cpu_seconds: float = 0.0
    unanswered: int = 0

    @property
    def ended(self) -> int:
        """How many runs have ended."""
        return sum(Phase(phase).is_terminal for phase in self.phases.values())

    @property
    def lost(self) -> int:
        """How many datasets have no run that ended."""
        return self.datasets - self.ended

    def answered_within(self, share: float) -> float:
        """Return the seconds within which this share of the status answers came."""
        ordered = sorted(self.answer_seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def drop_at_once(app: LocalApp, *, datasets: int, timeout_seconds: float) -> Load:
    """Drop datasets, and watch statuses and memory until all have ended or the time is over."""
    load = Load(datasets=datasets)
    started = time.monotonic()
    with _beside(lambda: _look(app, load)), _beside(lambda: _measure(app, load)):
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(lambda chunk: _drop(app, chunk), _chunks(range(datasets), _WRITERS)))
        load.drop_seconds = time.monotonic() - started
        while load.lost and time.monotonic() - started < timeout_seconds:
            time.sleep(_COUNT_SECONDS)
            load.phases |= _phases(app, load)
    load.all_ended_seconds = time.monotonic() - started
    return load


def _chunks(numbers: range, count: int) -> list[range]:
    return [numbers[start::count] for start in range(count)]


def _drop(app: LocalApp, numbers: range) -> None:
    with open_storage(app.storage_connection_string) as storage:
        container = storage.get_container_client("datasets")
        for number in numbers:
            folder = f"load-{number % 20}/v{number:04}"
            container.upload_blob(f"{folder}/training.jsonl", _training_data(number))
            container.upload_blob(f"{folder}/_SUCCESS", b"")


def _training_data(number: int) -> bytes:
    lines = (_example(number * EXAMPLES + position) for position in range(EXAMPLES))
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


def _example(number: int) -> dict[str, list[dict[str, str]]]:
    return {
        "messages": [
            {"role": "user", "content": f"Which number comes after {number}?"},
            {"role": "assistant", "content": f"{number + 1}, captain."},
        ]
    }


def _phases(app: LocalApp, load: Load) -> dict[str, str]:
    """Return the phase of each run, of as many pages as the list has."""
    found: dict[str, str] = {}
    after: str | None = None
    client = AppClient(app.app_url)
    try:
        while True:
            page = client.get("runs", query={"limit": 200, "after": after})
            found |= {run["id"]: run["phase"] for run in page["runs"]}
            after = page["next"]
            if not after:
                return found
    except Refusal:
        load.unanswered += 1
        return found


def _look(app: LocalApp, load: Load) -> None:
    """Time one status answer: of a run if there is one, else of a dataset that is expected."""
    client, runs = AppClient(app.app_url), list(load.phases)
    turn = len(load.answer_seconds)
    number = turn * 7919 % load.datasets
    folder = ("datasets", f"load-{number % 20}", f"v{number:04}")
    path = ("runs", runs[turn % len(runs)]) if runs and turn % 2 else folder
    started = time.monotonic()
    try:
        client.get(*path)
    except Refusal as refused:
        if getattr(refused, "status", None) != 404:  # not dropped yet
            load.unanswered += 1
    load.answer_seconds.append(time.monotonic() - started)


def _measure(app: LocalApp, load: Load) -> None:
    status = Path(f"/proc/{app.installation().pids['app']}/status")
    for line in status.read_text(encoding="ascii").splitlines() if status.exists() else ():
        if line.startswith("VmRSS:"):
            load.host_mib.append(int(line.split()[1]) / 1024)
            load.host_cpu_seconds = _cpu_seconds(status.with_name("stat"))


def _cpu_seconds(stat: Path) -> float:
    """Return the processor time of a process, of which Linux tells behind its name's bracket."""
    fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def _beside(act: Callable[[], None]) -> Iterator[None]:
    """Do something again and again in a thread of its own until the block is left."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(_LOOK_SECONDS):
            act()

    thread = threading.Thread(target=repeat)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def main() -> None:
    """Drop, watch and print; exit with 1 if a dataset is lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=int, default=1000)
    parser.add_argument("--timeout", type=float, default=1200, help="seconds")
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as state, LocalApp(state=Path(state)) as app:
        load = drop_at_once(app, datasets=options.datasets, timeout_seconds=options.timeout)
    _tell(load)
    raise SystemExit(1 if load.lost else 0)


def _tell(load: Load) -> None:
    answers, half = load.answer_seconds, load.answered_within(0.5)
    print(f"dropped at once           {load.datasets}, in {load.drop_seconds:.1f} s")
    print(f"all ended after           {load.all_ended_seconds:.1f} s")
    print(f"lost                      {load.lost}")
    print(f"status answers            {len(answers)}, {load.unanswered} unanswered")
    print(f"  half within             {1000 * half:.0f} ms")
    print(f"  99 of 100 within        {1000 * load.answered_within(0.99):.0f} ms")
    print(f"  longest                 {1000 * max(answers):.0f} ms")
    if load.host_mib:
        middle = statistics.median(load.host_mib)
        print(f"host memory               {middle:.0f} MiB median, {max(load.host_mib):.0f} most")
        each = 1000 * load.host_cpu_seconds / load.datasets
        print(f"host processor time       {load.host_cpu_seconds:.1f} s, {each:.0f} ms a dataset")


if __name__ == "__main__":
    main()

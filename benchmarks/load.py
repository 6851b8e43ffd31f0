"""A thousand datasets dropped at once on a local installation: is any lost, how much memory does
the host take, and how long does a status answer take meanwhile?

    python -m benchmarks.load [--datasets 1000] [--answers 10]

Each dataset is a plan (no model is named), so that the service's limit of 100 jobs does not decide
how many of them end. A dataset is lost when no run ends for it within the time. Statuses are asked
for at a steady rate, whatever the answers take, by a process of its own.
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
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.machine import describe
from benchmarks.status_reader import Answers, reading
from droptune.cli.app_client import AppClient
from droptune.cli.local_app import LocalApp
from droptune.cli.storage import open_storage
from droptune.domain.phases import Phase
from droptune.domain.run import MARKS

EXAMPLES = 10
ANSWERS_A_SECOND = 10.0
_WRITERS = 4
_LOOK_SECONDS = 0.5
_COUNT_SECONDS = 2.0
_MOST_TOLD = 5


@dataclass(kw_only=True, slots=True)
class Load:
    """What was seen while the datasets became runs.

    Attributes:
        phases: of each dataset that has a run, by the run's id.
        answers: how statuses were answered.
        host_mib: the host's resident memory at each look; empty where the system does not tell.
        cpu_seconds: processor time that host and storage have taken by then, which other work on
            the machine does not lengthen.
        others_busy: processor time of all other work on the machine, at each look.
    """

    datasets: int
    drop_seconds: float = 0.0
    all_ended_seconds: float = 0.0
    phases: dict[str, str] = field(default_factory=dict)
    answers: Answers = field(default_factory=Answers)
    host_mib: list[float] = field(default_factory=list)
    cpu_seconds: dict[str, float] = field(default_factory=dict)
    others_busy: list[float] = field(default_factory=list)

    @property
    def ended(self) -> int:
        """How many runs have ended."""
        return sum(Phase(phase).is_terminal for phase in self.phases.values())

    @property
    def lost(self) -> int:
        """How many datasets have no run that ended."""
        return self.datasets - self.ended


def drop_at_once(
    app: LocalApp, *, datasets: int, timeout_seconds: float, answers: float = ANSWERS_A_SECOND
) -> Load:
    """Drop datasets, and watch statuses and memory until all have ended or the time is over.

    Args:
        answers: how many statuses are asked for in a second.
    """
    load = Load(datasets=datasets)
    folders = [_folder(number) for number in range(datasets)]
    with reading(app.app_url, folders, answers) as seen, _beside(lambda: _measure(app, load)):
        started = time.monotonic()
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(lambda chunk: drop(app, chunk), _chunks(range(datasets), _WRITERS)))
        load.drop_seconds = time.monotonic() - started
        while time.monotonic() - started < timeout_seconds and not _all_ended(app, datasets):
            time.sleep(_COUNT_SECONDS)
        load.all_ended_seconds = time.monotonic() - started
    load.answers, load.phases = seen, _phases(app)
    return load


def _all_ended(app: LocalApp, datasets: int) -> bool:
    """Look into storage, so that counting is no work for the host: each run has a row, and each
    live one a mark."""
    with open_storage(app.storage_connection_string) as storage:
        container = storage.get_container_client("runs")
        if any(container.list_blob_names(name_starts_with=MARKS, results_per_page=1)):
            return False
        return sum(1 for _ in container.list_blob_names(name_starts_with="_index/")) >= datasets


def _chunks(numbers: range, count: int) -> list[range]:
    return [numbers[start::count] for start in range(count)]


def _folder(number: int) -> str:
    return f"load-{number % 20}/v{number:04}"


def drop(app: LocalApp, numbers: range) -> None:
    """Write the datasets of these numbers."""
    with open_storage(app.storage_connection_string) as storage:
        container = storage.get_container_client("datasets")
        for number in numbers:
            container.upload_blob(f"{_folder(number)}/training.jsonl", _training_data(number))
            container.upload_blob(f"{_folder(number)}/_SUCCESS", b"")


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


def _phases(app: LocalApp) -> dict[str, str]:
    """Return the phase of each run, of as many pages as the list has."""
    found: dict[str, str] = {}
    after: str | None = None
    client = AppClient(app.app_url)
    while True:
        page = client.get("runs", query={"limit": 200, "after": after})
        found |= {run["id"]: run["phase"] for run in page["runs"]}
        after = page["next"]
        if not after:
            return found


def _measure(app: LocalApp, load: Load) -> None:
    """Look at memory and processor time of the host's processes, and at storage's."""
    pids = app.installation().pids
    host = list(_group(pids["app"]))
    if host:
        load.host_mib.append(sum(_resident_mib(each) for each in host))
        load.cpu_seconds["host"] = sum(_cpu_seconds(each) for each in host)
        storage = _group(pids["storage"])
        load.cpu_seconds["storage"] = sum(_cpu_seconds(each) for each in storage)
        load.others_busy.append(_busy_seconds() - sum(load.cpu_seconds.values()))


def _busy_seconds() -> float:
    """Return the processor time that all work on the machine has taken."""
    first = Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()
    user, nice, system, _, _, irq, softirq, steal = (int(each) for each in first[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _group(leader: int | None) -> Iterator[Path]:
    """Iterate over the processes that one has started and itself, where the system tells."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            if _fields(stat.parent)[2] == str(leader):
                yield stat.parent


def _resident_mib(process: Path) -> float:
    pages = int((process / "statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu_seconds(process: Path) -> float:
    fields = _fields(process)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _fields(process: Path) -> list[str]:
    """Return what Linux tells of a process behind its name's bracket: state, parent, group, …"""
    text = (process / "stat").read_text(encoding="ascii", errors="replace")
    return text.rpartition(")")[2].split()


@contextmanager
def _beside(act: Callable[[], None]) -> Iterator[None]:
    """Do something again and again in a thread of its own until the block is left."""
    over = threading.Event()

    def repeat() -> None:
        while not over.wait(_LOOK_SECONDS):
            with suppress(OSError):  # a process has ended meanwhile
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
    parser.add_argument("--answers", type=float, default=ANSWERS_A_SECOND, help="a second")
    parser.add_argument("--timeout", type=float, default=1800, help="seconds")
    options = parser.parse_args()
    print(describe())
    with tempfile.TemporaryDirectory() as state, LocalApp(state=Path(state)) as app:
        load = drop_at_once(
            app,
            datasets=options.datasets,
            timeout_seconds=options.timeout,
            answers=options.answers,
        )
    _tell(load)
    raise SystemExit(1 if load.lost else 0)


def _tell(load: Load) -> None:
    answers, took = load.answers, load.all_ended_seconds
    print(f"dropped at once           {load.datasets}, in {load.drop_seconds:.1f} s")
    print(f"all ended after           {took:.1f} s")
    print(f"lost                      {load.lost}")
    refused = answers.unanswered
    print(f"status answers            {answers.count}, {len(refused)} unanswered")
    for what in refused[:_MOST_TOLD]:
        print(f"  instead                 {what}")
    for what, kinds in {"all": (), "of runs": ("run",), "of datasets": ("dataset",)}.items():
        shares = (1000 * answers.within(share, *kinds) for share in (0.5, 0.9, 0.99, 1.0))
        print(f"  {what:<12} 50, 90, 99, 100 of 100 in {' '.join(f'{ms:.0f}' for ms in shares)} ms")
    if load.host_mib:
        middle = statistics.median(load.host_mib)
        print(f"host memory               {middle:.0f} MiB median, {max(load.host_mib):.0f} most")
    spent_by = load.cpu_seconds | {"asking": answers.cpu_seconds}
    if busy := load.others_busy:
        spent_by["all else"] = busy[-1] - busy[0] - answers.cpu_seconds
    for who, spent in spent_by.items():
        each = 1000 * spent / load.datasets
        print(
            f"processor, {who:<14} {spent:.1f} s, {100 * spent / took:.0f} % of a core, "
            f"{each:.0f} ms a dataset"
        )


if __name__ == "__main__":
    main()

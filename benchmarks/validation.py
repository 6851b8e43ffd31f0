"""How fast and how large a validation is, against the lab's own code on the same file.

    python -m benchmarks.validation                 100 and 500 MB, the table of the docs
    python -m benchmarks.validation --mb 20 50      smaller files, while developing

Every figure is of a fresh process, start and imports included; the lab, ours and the physical limit
take turns, so that all share the machine's mood, and of the rounds it is the median. Memory is the
proportional set size of the whole process tree, sampled in a run of its own: a look takes a core
for some milliseconds, and holds up whom it sees.
"""

from __future__ import annotations

import argparse
import compileall
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.corpus import write_corpus
from benchmarks.machine import describe

ROOT = Path(__file__).parents[1]
FORMAT_ONLY = "file,lines,shapes,chat,limits"
_SAMPLE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Run:
    """One process tree from start to end."""

    seconds: float
    cpu: float
    said: Any


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mb", type=int, nargs=2, default=(100, 500), metavar=("SMALL", "LARGE"))
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--folder", type=Path, help="where corpora lie or are made")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="droptune-bench-") as made:
        folder = given.folder or Path(made)
        small, large = (_corpus(folder, mb) for mb in given.mb)
        compileall.compile_dir(ROOT / "droptune", quiet=1)  # as an installation does
        print(describe())
        _print_table(small, large, given.mb, given.rounds)


def _print_table(small: Path, large: Path, mb: tuple[int, int], rounds: int) -> None:
    rows: dict[str, list[Run]] = {}
    peaks: dict[str, float] = {}
    commands = {
        "lab, large": _lab(large),
        "format, 1 process, large": _ours(large, 1, FORMAT_ONLY),
        "format, 2 processes, large": _ours(large, 2, FORMAT_ONLY),
        "all rules, 2 processes, large": _ours(large, 2),
        "lab, small": _lab(small),
        "all rules, 2 processes, small": _ours(small, 2),
    }
    for name, command in commands.items():
        peaks[name] = peak_mib(command)
    limits = []
    for _ in range(rounds):
        for name, command in commands.items():
            rows.setdefault(name, []).append(measure(command))
        limits.append(_limit(large))
    expected = {"large": rows["lab, large"][0].said, "small": rows["lab, small"][0].said}
    for name, runs in rows.items():
        equal = all(run.said == expected[name.rpartition(" ")[2]] for run in runs)
        seconds = statistics.median(run.seconds for run in runs)
        size = mb[1] if name.endswith("large") else mb[0]
        lab = statistics.median(run.seconds for run in rows[f"lab, {name.rpartition(' ')[2]}"])
        print(
            f"{name:32s} {seconds:7.2f} s {size / seconds:6.1f} MB/s {lab / seconds:5.1f} x lab, "
            f"cpu {statistics.median(run.cpu for run in runs):6.2f} s, "
            f"{peaks[name]:6.0f} MiB  {'same figures' if equal else 'OTHER FIGURES'}"
        )
    growth = peaks["all rules, 2 processes, large"] - peaks["all rules, 2 processes, small"]
    print(f"growth of memory, small to large   {growth:.0f} MiB")
    limit = statistics.median(limits)
    reached = statistics.median(run.seconds for run in rows["format, 2 processes, large"])
    print(f"physical limit, 2 processes        {limit:.2f} s; reached {limit / reached:.0%}")
    ten = [measure(_ten(small.parent)).seconds for _ in range(5)]
    print(f"10 examples, whole command         {statistics.median(ten):.2f} s")


def measure(command: list[str]) -> Run:
    """Run a command; return its time and what it printed."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=False, text=True)
    seconds, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if ended.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {ended.returncode}")
    return Run(seconds, cpu, json.loads(ended.stdout))


def peak_mib(command: list[str]) -> float:
    """Run a command and return the largest size of its process tree."""
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    sampler = _Sampler(process.pid)
    sampler.start()
    process.wait()
    sampler.stop()
    return sampler.peak_kib / 1024


class _Sampler(threading.Thread):
    """Samples the proportional set size of a process and its descendants."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._ended = pid, threading.Event()
        self.peak_kib = 0

    def stop(self) -> None:
        """End the sampling."""
        self._ended.set()
        self.join()

    def run(self) -> None:
        """Sample until stopped."""
        while not self._ended.wait(_SAMPLE_SECONDS):
            self.peak_kib = max(self.peak_kib, sum(map(_pss_kib, _tree(self._pid))))


def _tree(pid: int) -> list[int]:
    found = [pid]
    for each in found:
        try:
            text = Path(f"/proc/{each}/task/{each}/children").read_text("ascii")
        except OSError:
            continue
        found += [int(child) for child in text.split()]
    return found


def _pss_kib(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _lab(file: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.validation_lab", str(file)]


def _ours(file: Path, workers: int, only: str = "") -> list[str]:
    run = [sys.executable, "-m", "benchmarks.validation_run", str(file)]
    return [*run, "--workers", str(workers), "--only", only]


def _ten(folder: Path) -> list[str]:
    file = folder / "training.jsonl"
    examples = [
        {"messages": [{"role": "user", "content": f"{at} + {at}?"},
                      {"role": "assistant", "content": f"That is {2 * at}."}]}
        for at in range(10)
    ]  # fmt: skip
    file.write_text("".join(json.dumps(each) + "\n" for each in examples), encoding="utf-8")
    return [sys.executable, "-m", "droptune.cli", "validate", str(file), "--json"]


def _limit(file: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.validation_limit", str(file), "--workers", "2"]
    said = subprocess.check_output(command, cwd=ROOT, text=True)
    return float(json.loads(said)["seconds"])


def _corpus(folder: Path, mb: int) -> Path:
    file = folder / f"chat{mb}.jsonl"
    if not file.exists():
        write_corpus(file, mb * 1_000_000, seed=5)
    return file


if __name__ == "__main__":
    main()

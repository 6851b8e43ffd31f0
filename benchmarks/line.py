"""What the line itself costs: the demo's wall time less the waits for the scaled service. Nothing
has to settle in it: the demo says `_SUCCESS`.

    python -m benchmarks.line              once set up
    python -m benchmarks.line --from-nothing   in a fresh copy, set-up included
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.machine import describe

ROOT = Path(__file__).parents[1]
# The phases in which a run waits for the scaled service, or for the time to submit.
WAITS = ("queued", "uploading", "training", "deploying", "testing", "promoting")
_LINE = re.compile(r"^  (\w+) +([\d.]+) s$", re.MULTILINE)


def main() -> None:
    """Run the demo, read its record, and print where the time went."""
    options = _options()
    print(describe())
    with _clone(options.from_nothing) as clone, tempfile.TemporaryDirectory() as state:
        if options.from_nothing:
            started = time.monotonic()
            _run(clone, "doctor")
            _run(clone, "test", "tests/test_launcher.py", "-q", "-k", "nothing_selected")
            print(f"set-up from nothing          {time.monotonic() - started:6.1f} s")
        started = time.monotonic()
        said = _run(clone, "demo", "--state", state).stdout
        wall = time.monotonic() - started
        print(f"demo                         {wall:6.1f} s wall")
        _tell(said, wall)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--from-nothing", action="store_true")
    return parser.parse_args()


@contextmanager
def _clone(fresh: bool) -> Iterator[Path]:
    """Yield this checkout, or a copy of what git tracks in it."""
    if not fresh:
        yield ROOT
        return
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "droptune"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(place)], check=True)
        yield place
        shutil.rmtree(place / ".droptune", ignore_errors=True)


def _run(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "droptune", *arguments]
    return subprocess.run(command, cwd=clone, text=True, stdout=subprocess.PIPE, check=False)


def _tell(said: str, wall: float) -> None:
    """Read the demo's own account, "Where the time went", and take the waits from the whole."""
    waited = 0.0
    for phase, seconds in _LINE.findall(said.partition("Where the time went")[2]):
        waited += float(seconds) if phase in WAITS else 0.0
        print(f"  {phase:<26} {seconds:>6} s")
    print(f"waits for the scaled service {waited:6.1f} s")
    print(f"overhead of everything else  {wall - waited:6.1f} s")


if __name__ == "__main__":
    main()

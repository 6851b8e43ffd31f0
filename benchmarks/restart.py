"""How long runs stand still when the local host is killed: from SIGKILL, with the start of the next
host at once, until an activity that was cut off has answered, and until the app answers.

    python -m benchmarks.restart [--kills 10]
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
import threading
import time
from contextlib import closing
from pathlib import Path

from benchmarks.load import drop
from benchmarks.machine import describe, spread
from droptune.cli.local_app import LocalApp

DATASETS = 200  # enough that something is always under way
_LOOK_SECONDS = 0.005
_BETWEEN_SECONDS = 1.0
_PATIENCE_SECONDS = 60.0


def restart(app: LocalApp, database: Path) -> tuple[float, float]:
    """Kill the host and start it again; return the seconds until a run moved, and until ready."""
    app.kill_host()
    began, cut_off = time.monotonic(), _waiting(database)
    seconds: list[float] = []

    def watch() -> None:
        while time.monotonic() - began < _PATIENCE_SECONDS:
            if cut_off - _waiting(database):
                seconds.append(time.monotonic() - began)
                return
            time.sleep(_LOOK_SECONDS)

    watcher = threading.Thread(target=watch)
    watcher.start()
    app.start_host()
    ready = time.monotonic() - began
    watcher.join()
    if not seconds:
        raise RuntimeError(f"of {len(cut_off)} activities none answered")
    return seconds[0], ready


def _waiting(database: Path) -> set[int]:
    """Return the activities that have to run: one goes when its answer is written."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
        return {row[0] for row in store.execute("SELECT id FROM activities")}


def main() -> None:
    """Kill again and again while datasets become runs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    kills = parser.parse_args().kills
    print(describe())
    with tempfile.TemporaryDirectory() as state, LocalApp(state=Path(state)) as app:
        drop(app, range(DATASETS))
        seen = []
        for _ in range(kills):
            time.sleep(_BETWEEN_SECONDS)
            seen.append(restart(app, Path(state) / "devhost" / "devhost.sqlite"))
    print(f"from kill to a run that moves       {spread([moved for moved, _ in seen])} s")
    print(f"from kill to an app that answers    {spread([ready for _, ready in seen])} s")


if __name__ == "__main__":
    main()

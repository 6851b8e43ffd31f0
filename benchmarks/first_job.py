"""How long it takes from the last blob of a dataset to its job, nothing to settle and no wait to
submit: `_SUCCESS` says that all is there. Azure's own upload processing is scaled away.

    python -m benchmarks.first_job
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.machine import describe, spread
from droptune.cli.app_client import AppClient
from droptune.cli.demo_command import SAMPLE
from droptune.cli.folders import read_folder
from droptune.cli.local_app import LocalApp
from droptune.cli.submit import drop
from droptune.cli.targets import Target

RUNS = 5
SCALE = 1000


def main() -> None:
    """Drop the sample a few times, each as another project, and print the seconds."""
    print(describe())
    with (
        tempfile.TemporaryDirectory() as state,
        LocalApp(state=Path(state), time_scale=SCALE) as app,
    ):
        found = [_seconds(app, f"project-{number}") for number in range(RUNS)]
    print(f"drop (upload included) to job   {spread(found)} s")


def _seconds(app: LocalApp, project: str) -> float:
    client = AppClient(app.app_url)
    target = Target(client=client, local=app.installation())
    dataset = read_folder(SAMPLE, project=project, version="v1")
    started = time.monotonic()
    run = drop(target, dataset, storage=app.storage_connection_string)
    while not client.get("runs", run["id"])["job"]:
        time.sleep(0.02)
    return time.monotonic() - started


if __name__ == "__main__":
    main()

"""What people wait for: the weight of a page, the time to its first byte and to what is new with
1,000 runs in store, what an open page asks of the server, and how long a command takes to begin.

    python -m benchmarks.pages [--runs 1000]      needs chromium
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, Response, sync_playwright

from benchmarks.machine import describe, spread
from droptune.cli.app_client import AppClient
from droptune.cli.folders import read_folder
from droptune.cli.local_app import ROOT, LocalApp
from droptune.cli.storage import open_storage
from droptune.cli.submit import drop
from droptune.cli.targets import Target
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord, index_name
from tests.api.world import a_run

PROJECTS = 10
TIMES = 7
OPEN_SECONDS = 20.0
_SLOW = (
    4  # times the real pace: training lasts for minutes, so that its page is looked at meanwhile
)
_COMMANDS = (("--version",), ("--help",), ("runs", "--help"), ("validate", "--help"))


def fill(app: LocalApp, runs: int) -> None:
    """Put ended runs into the store, as registration and the steps do."""
    with open_storage(app.storage_connection_string) as storage:
        container = storage.get_container_client("runs")

        def put(blob: tuple[str, Any]) -> None:
            name, document = blob
            container.upload_blob(name, json.dumps(document).encode(), overwrite=True)

        with ThreadPoolExecutor(8) as writers:
            list(writers.map(put, (blob for n in range(runs) for blob in _blobs(_ended(n)))))


def _ended(number: int) -> RunRecord:
    at = datetime.now(UTC) - timedelta(hours=number + 1)
    project = f"project-{number % PROJECTS}"
    return replace(
        a_run(f"{project}-v{number}-{number:08x}"),
        project=project,
        version=f"v{number}",
        phase=Phase.SUCCEEDED,
        outcome=Outcome.TRAINED,
        message="Trained and tried, not promoted.",
        cost={"low": 1.2, "high": 2.5, "spent": 1.75},
        created_at=at,
        updated_at=at,
        ended_at=at,
    )


def _blobs(record: RunRecord) -> Iterator[tuple[str, Any]]:
    row = {"id": record.id, "project": record.project, "version": record.version}
    yield index_name(record.created_at, record.id), row
    yield f"_ids/{record.id}", {"project": record.project}
    yield record.ref.record, record.to_payload()


def first_bytes(url: str) -> tuple[list[float], list[float], int, int]:
    """Return milliseconds to the first byte of new and of unchanged answers, bytes, and gzipped."""
    fresh, known = [], []
    with requests.Session() as session:
        for _ in range(TIMES):
            answer = session.get(url, timeout=60)
            fresh.append(answer.elapsed.total_seconds() * 1000)
            named = {"If-None-Match": answer.headers.get("ETag", "")}
            known.append(session.get(url, headers=named, timeout=60).elapsed.total_seconds() * 1000)
    answer.raise_for_status()
    return fresh, known, len(answer.content), len(gzip.compress(answer.content))


def first_view(page: Page, url: str) -> tuple[int, int]:
    """Return the bytes and the requests of a first view."""
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - it is tagged
    page.goto(url, wait_until="load")
    sizes = [len(answer.body()) for answer in list(answers) if answer.status == 200]
    return sum(sizes), len(sizes)


def asked_while_open(page: Page) -> float:
    """Return how many requests a minute an open page makes."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(OPEN_SECONDS * 1000)
    return len(asked) * 60 / OPEN_SECONDS


def live_update(page: Page, client: AppClient, run_id: str) -> list[float]:
    """Return seconds from a change, saying pause and resume, until the open page shows it."""
    seconds = []
    for word, shown in (("pause", "visible"), ("resume", "hidden")) * 3:
        client.post("runs", run_id, word)
        said = time.monotonic()
        page.locator(".chip", has_text="paused").first.wait_for(state=shown, timeout=30_000)  # type: ignore[arg-type]
        seconds.append(time.monotonic() - said)
    return seconds


def start_up(arguments: tuple[str, ...]) -> tuple[list[float], list[float]]:
    """Return milliseconds, on the clock and of the processor, of a command that only begins."""
    taken, worked = [], []
    for _ in range(TIMES):
        started, before = time.perf_counter(), os.times()
        command = [sys.executable, "-m", "droptune.cli", *arguments]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        taken.append((time.perf_counter() - started) * 1000)
        after = os.times()
        user = after.children_user - before.children_user
        worked.append((user + after.children_system - before.children_system) * 1000)
    return taken, worked


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    print(describe())
    with (
        tempfile.TemporaryDirectory() as state,
        LocalApp(state=Path(state), time_scale=_SLOW) as app,
    ):
        fill(app, options.runs)
        _measure_pages(app, options.runs)
    for arguments in _COMMANDS:
        taken, worked = start_up(arguments)
        said = f"{spread(taken)} ms, {spread(worked)} of the processor"
        print(f"droptune {' '.join(arguments):<24} {said}")


def _measure_pages(app: LocalApp, runs: int) -> None:
    client = AppClient(app.app_url)
    target = Target(client=client, local=app.installation())
    dataset = read_folder(ROOT / "samples" / "support-bot", project="support-bot", version="v1")
    run_id = drop(target, dataset, storage=app.storage_connection_string)["id"]
    while (client.get("runs", run_id)["job"] or {}).get("status") != "running":
        time.sleep(0.2)
    paths = {
        "dashboard": "/api/dashboard",
        "run page": f"/api/dashboard/runs/{run_id}",
        "project page": "/api/dashboard/projects/project-3",
        "GET /api/runs": "/api/runs",
        "GET /api/runs/{id}": f"/api/runs/{run_id}",
    }
    with sync_playwright() as playwright:
        found = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for name in ("run page", "dashboard", "project page"):
            page = browser.new_page()
            weight, count = first_view(page, app.app_url + paths[name])
            if name == "run page":
                print(f"  shows a change after   {spread(live_update(page, client, run_id))} s")
            rate = asked_while_open(page)
            print(f"  {name:<22} {weight:,} bytes in {count} requests; open: {rate:.0f} a minute")
            page.close()
        browser.close()
    print(f"with {runs + 1} runs in store; milliseconds to the first byte: new, unchanged (304)")
    for name, path in paths.items():
        fresh, known, size, packed = first_bytes(app.app_url + path)
        print(f"  {name:<22} {spread(fresh)}, {spread(known)}; {size:,} bytes, {packed:,} gzipped")


if __name__ == "__main__":
    main()

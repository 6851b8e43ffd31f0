"""What `doctor` finds of a local app: its state, its processes, whether its parts answer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from droptune.cli.checks import Check, attempt, no, yes
from droptune.cli.installation import Installation, find_installation
from droptune.cli.ledger import read_ledger
from droptune.cli.refusals import Refusal
from droptune.cli.storage import CONTAINERS, open_storage
from droptune.cli.targets import find_target
from droptune.domain.report.wording import number_of

LEAST_FREE_BYTES = 500 * 10**6


def look_at_local_app(state: Path) -> Iterator[Check]:
    """Yield what is found of the app that keeps its data in a state."""
    yield look_at_state(state)
    try:
        target = find_target(None, state)
    except Refusal as refusal:
        yield no("app", str(refusal), refusal.remedy)
        yield from _last_words(state)
        return
    installation = find_installation(state)
    yield attempt(
        "app", lambda: f"{target.client.base_url}, {_health(target.client.get('health'))}"
    )
    if installation is not None:
        yield _processes(installation, state)
        yield attempt("Azure OpenAI", lambda: _emulator(installation))
        yield attempt("storage", lambda: _storage(installation))
    yield attempt("data", lambda: _data(target.client.get("datasets")["datasets"]))


def look_at_state(state: Path) -> Check:
    """Return whether a state can be written and has room."""
    place = next(each for each in (state, *state.absolute().parents) if each.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        return no("state", f"{state} cannot be written.", "Name another with --state DIR.")
    free = shutil.disk_usage(place).free
    said = f"{state}, {free / 10**9:,.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return no("state", said, "Free some space; what is not written is not lost but waits.")
    return yes("state", said)


def _health(health: dict[str, object]) -> str:
    return f"version {health.get('version')}"


def _processes(installation: Installation, state: Path) -> Check:
    gone = [name for name, pid in installation.pids.items() if pid and not _is_alive(pid)]
    if gone:
        remedy = f"Stop `up` and start it again; the logs are in {state / 'logs'}."
        return no("processes", f"{', '.join(gone)} does not run.", remedy)
    return yes("processes", ", ".join(f"{name} {pid}" for name, pid in installation.pids.items()))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs and belongs to another user
        return True
    return True


def _emulator(installation: Installation) -> str:
    ledger = read_ledger(installation.emulator_url)
    jobs = number_of(len(ledger["jobs"]), "job")
    return f"{installation.emulator_url} (a stand-in), {jobs} so far"


def _storage(installation: Installation) -> str:
    from azure.core.exceptions import AzureError

    try:
        with open_storage(installation.storage_connection_string) as storage:
            names = {container.name for container in storage.list_containers()}
    except AzureError as error:
        first = str(error).splitlines()[0]
        raise Refusal(f"It does not answer: {first}", "Stop `up` and start it again.") from None
    if missing := sorted(set(CONTAINERS) - names):
        raise Refusal(
            f"The container {missing[0]} is missing.", "Stop `up` and start it again; it is made."
        )
    return f"containers {', '.join(CONTAINERS)}"


def _data(datasets: list[dict[str, object]]) -> str:
    refused = [each for each in datasets if each["state"] == "rejected"]
    if refused:
        first = refused[0]
        raise Refusal(f"{first.get('path')}: {first['message']}", str(first.get("remedy") or ""))
    waiting = sum(each["state"] == "waiting" for each in datasets)
    return f"{len(datasets)} datasets" + (f", {waiting} of them wait" if waiting else "")


def _last_words(state: Path) -> Iterator[Check]:
    """Yield the last words of processes that ended by themselves the last time."""
    for log in sorted((state / "logs").glob("*.log")):
        lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        if lines and ("Error" in lines[-1] or "Traceback" in "".join(lines[-40:])):
            yield no(log.stem, f"Its last words were: {lines[-1][:200]}", f"Its log: {log}")

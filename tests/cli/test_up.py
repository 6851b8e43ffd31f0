"""`up` as a process: it stays, a second one does no harm, and its end ends everything."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from droptune.cli.local_app import ROOT as REPOSITORY
from droptune.cli.ports import is_free
from tests.cli.test_local_app import SERVER, has_azurite

pytestmark = [
    pytest.mark.skipif(not has_azurite(), reason="Azurite is not set up; see AZURITE"),
    pytest.mark.skipif(os.name == "nt", reason="signals"),
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose emulator and host only say that they are there."""
    place = tmp_path / "clone"
    for name in ("emulator", "devhost"):
        (place / name).mkdir(parents=True)
        (place / name / "__init__.py").write_text("")  # else this clone's own package goes before
        (place / name / "__main__.py").write_text(SERVER)
    (place / "function_app.py").write_text("")
    (place / ".droptune").symlink_to(REPOSITORY / ".droptune")
    shutil.copytree(
        REPOSITORY / "droptune", place / "droptune", ignore=shutil.ignore_patterns("__pycache__")
    )
    return place


def command(clone: Path) -> list[str]:
    """Return `up` on the clone's own state."""
    return [sys.executable, "-m", "droptune.cli", "up", "--state", str(clone / "state"), "--json"]


@pytest.fixture
def up(clone: Path) -> Iterator[subprocess.Popen[str]]:
    """`up`, started."""
    started = subprocess.Popen(command(clone), cwd=clone, stdout=subprocess.PIPE, text=True)
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def read_document(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return the document that `up --json` prints once everything answers."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    document: dict[str, Any] = json.loads("".join(lines))
    return document


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_end_it_ends_everything(
    up: subprocess.Popen[str], clone: Path, number: int
) -> None:
    """Ctrl-C, SIGTERM and a closed terminal are a yes and leave nothing running."""
    read_document(up)
    pids = json.loads((clone / "state" / "installation.json").read_bytes())["pids"]

    up.send_signal(number)
    up.communicate(timeout=30)

    parts = [pid for name, pid in pids.items() if name != "local_app"]
    assert up.returncode == 0
    assert len(parts) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in parts)


def shown_environ(app_url: str) -> dict[str, str]:
    """Return the environment that the app was started with."""
    with urllib.request.urlopen(f"{app_url}/api/health", timeout=10) as answer:
        environ: dict[str, str] = json.load(answer)
    return environ


def test_app_is_told_of_a_receiver_that_ends_with_it(up: subprocess.Popen[str]) -> None:
    """Notifications have somewhere to go without anything being set."""
    environ = shown_environ(read_document(up)["app_url"])
    port = urlsplit(environ["NOTIFY_LOCAL"]).port or 0
    listens = not is_free(port)

    up.send_signal(signal.SIGINT)
    up.communicate(timeout=30)

    assert listens
    assert environ["NOTIFY_LOCAL_SECRET"].startswith("whsec_")
    assert is_free(port)


def test_receiver_of_ones_own_is_told_instead(clone: Path) -> None:
    """Who writes a receiver tries it on a laptop."""
    own = {"NOTIFY_LOCAL": "http://127.0.0.1:9/mine", "NOTIFY_LOCAL_SECRET": "whsec_AAAA"}
    started = subprocess.Popen(
        command(clone), cwd=clone, env=os.environ | own, stdout=subprocess.PIPE, text=True
    )
    try:
        environ = shown_environ(read_document(started)["app_url"])
    finally:
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=30)

    assert {name: environ[name] for name in own} == own


def test_second_up_says_where_the_first_is_and_starts_nothing(
    up: subprocess.Popen[str], clone: Path
) -> None:
    """The same state is served once; both name the same addresses."""
    first = read_document(up)

    second = subprocess.run(
        command(clone), cwd=clone, capture_output=True, text=True, timeout=60, check=False
    )

    assert second.returncode == 0
    assert json.loads(second.stdout) == first
    assert up.poll() is None


def test_part_that_ends_by_itself_ends_the_rest_with_3(
    up: subprocess.Popen[str], clone: Path
) -> None:
    """A host that dies is not left half alive: everything stops and the code says so."""
    app_url = read_document(up)["app_url"]
    pids = json.loads((clone / "state" / "installation.json").read_bytes())["pids"]

    os.kill(pids["app"], signal.SIGKILL)
    up.communicate(timeout=30)

    assert up.returncode == 3
    assert is_free(int(app_url.rpartition(":")[2]))
    assert not Path(f"/proc/{pids['storage']}").exists()

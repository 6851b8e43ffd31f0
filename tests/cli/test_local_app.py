"""A local installation: real Azurite, and servers that only say that they are there."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from droptune.cli.installation import find_installation, is_claimed
from droptune.cli.local_app import ROOT, AlreadyRunningError, LocalApp
from droptune.cli.refusals import Refusal
from droptune.cli.storage import CONTAINERS, azurite_command, open_storage

SERVER = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
name = sys.argv[0].split(os.sep)[-2]
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(dict(os.environ) | {"pid": os.getpid(), "argv": sys.argv[1:]}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_):
        pass
server = HTTPServer(("127.0.0.1", int(sys.argv[sys.argv.index("--port") + 1])), Handler)
print(f"{name} ready http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
"""


def has_azurite() -> bool:
    """Whether Azurite can be started here."""
    try:
        return all(Path(part).exists() for part in azurite_command(ROOT))
    except Refusal:
        return False


pytestmark = pytest.mark.skipif(not has_azurite(), reason="Azurite is not set up; see AZURITE")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A clone whose emulator and host are servers that show their environment."""
    place = tmp_path / "clone"
    for name in ("emulator", "devhost"):
        (place / name).mkdir(parents=True)
        (place / name / "__init__.py").write_text("")  # else this clone's own package goes before
        (place / name / "__main__.py").write_text(SERVER)
    (place / "function_app.py").write_text("")
    (place / ".droptune").symlink_to(ROOT / ".droptune")
    return place


@pytest.fixture
def app(root: Path, tmp_path: Path) -> Iterator[LocalApp]:
    """A local app that runs."""
    with LocalApp(state=tmp_path / "state", root=root) as app:
        yield app


def shown(url: str) -> dict[str, object]:
    """Return what a server shows of itself."""
    with urllib.request.urlopen(f"{url}/api/health", timeout=10) as answer:
        document: dict[str, object] = json.load(answer)
    return document


def is_alive(url: str) -> bool:
    """Whether a server answers."""
    try:
        return bool(shown(url))
    except urllib.error.URLError:
        return False


def test_host_is_told_where_everything_is(app: LocalApp) -> None:
    """The host gets storage and stand-in by environment, and nothing of this machine's Azure."""
    environ = shown(app.app_url)

    assert environ["AzureWebJobsStorage"] == app.storage_connection_string
    assert environ["AZURE_OPENAI_ENDPOINT"] == app.emulator_url
    assert environ["ARM_ENDPOINT"] == app.emulator_url
    assert "AZURE_CLIENT_ID" not in environ


def test_containers_are_there_before_the_host(app: LocalApp) -> None:
    """The containers of an installation exist once it runs."""
    with open_storage(app.storage_connection_string) as storage:
        names = {container.name for container in storage.list_containers()}

    assert names == set(CONTAINERS)


def test_killed_host_comes_back_at_its_address(app: LocalApp) -> None:
    """A crash changes the process and nothing else; links stay good."""
    before, url = shown(app.app_url)["pid"], app.app_url

    app.kill_host()
    gone = not is_alive(url)
    app.start_host()

    assert gone
    assert app.app_url == url
    assert shown(url)["pid"] != before


def test_killed_emulator_comes_back_at_its_address(app: LocalApp) -> None:
    """The host need not be told that the stand-in was away."""
    url = app.emulator_url

    app.kill_emulator()
    gone = not is_alive(url)
    app.start_emulator()

    assert gone
    assert app.emulator_url == url
    assert is_alive(url)


def test_second_app_on_a_state_is_told_of_the_first(app: LocalApp, root: Path) -> None:
    """A second start does no harm and learns where the first one is."""
    with pytest.raises(AlreadyRunningError) as raised, LocalApp(state=app.state, root=root):
        pass

    assert raised.value.installation == app.installation()
    assert is_alive(app.app_url)


def test_state_that_was_stopped_starts_at_the_same_addresses(app: LocalApp, root: Path) -> None:
    """Links that people kept lead to the same place after a restart."""
    urls = (app.app_url, app.emulator_url, app.storage_connection_string)
    app.stop()

    with LocalApp(state=app.state, root=root) as again:
        assert (again.app_url, again.emulator_url, again.storage_connection_string) == urls


def test_stopped_app_leaves_nothing_running(app: LocalApp) -> None:
    """After the stop no process lives and the state is free."""
    pids = [pid for name, pid in app.installation().pids.items() if name != "local_app" and pid]

    app.stop()

    assert len(pids) == 3
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert not is_claimed(app.state)


def test_part_that_fails_to_start_takes_the_others_with_it(root: Path, tmp_path: Path) -> None:
    """When the host cannot start, storage and stand-in are stopped and the reason is said."""
    (root / "devhost" / "__main__.py").write_text("raise SystemExit('bad function_app')")
    app = LocalApp(state=tmp_path / "state", root=root)

    with pytest.raises(Refusal, match="bad function_app"):
        app.start()

    assert app.ended() == "azurite"
    assert not is_alive(app.emulator_url)
    assert not is_claimed(app.state)


def test_part_that_ends_by_itself_is_named(app: LocalApp) -> None:
    """Whoever watches over the app learns which process ended."""
    assert app.ended() is None

    app.kill_emulator()

    assert app.ended() == "emulator"


def test_installation_is_written_for_other_commands(app: LocalApp) -> None:
    """What is written down is where everything is now."""
    found = find_installation(app.state)

    assert found == app.installation()
    assert found.pids["local_app"] == os.getpid()

"""`.ci/audit` against an advisory service of this machine, with the real tool."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.test_dependencies import LOCKS

ROOT = Path(__file__).parents[1]
HASH = "--hash=sha256:" + "0" * 64
WEAKNESS = {
    "id": "PYSEC-2099-1",
    "summary": "It gives everything away.",
    "affected": [
        {
            "package": {"name": "leaky", "ecosystem": "PyPI"},
            "ranges": [
                {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]},
            ],
        }
    ],
}


def script() -> Any:
    """Load the script, which is no module of a package."""
    loader = SourceFileLoader("audit", str(ROOT / ".ci/audit"))
    spec = spec_from_loader("audit", loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


audit = script()


class Advisories(BaseHTTPRequestHandler):
    """Knows a weakness of `leaky 1.0`, and falls over when asked about `broken`."""

    def do_POST(self) -> None:
        """Answer as OSV does: an empty object where nothing is known."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name, version = asked["package"]["name"], asked["version"]
        known = {"vulns": [WEAKNESS]} if (name, version) == ("leaky", "1.0") else {}
        body = json.dumps(known).encode()
        self.send_response(500 if name == "broken" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked tool, installed as the script does."""
    found: Path | None = audit.install(tmp_path_factory.mktemp("audit"))
    if found is None:
        pytest.skip("the tool's packages cannot be fetched here")
    return found


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An advisory service, which the tool is sent to by its own variables."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Advisories) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
        monkeypatch.setenv("PIP_AUDIT_OSV_URL", f"http://127.0.0.1:{server.server_port}/v1/query")
        yield
        server.shutdown()
        thread.join()


def lock(folder: Path, *packages: str) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.txt"
    path.write_text("".join(f"{each} {HASH}\n" for each in packages), "utf-8")
    return str(path)


@pytest.mark.usefixtures("service")
@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [
        (["sound==1.0", "leaky==1.1"], 0, "2 packages, 0 known weaknesses, 0 without an answer"),
        (["sound==1.0", "leaky==1.0"], 1, "PYSEC-2099-1, mended by 1.1"),
        (["sound==1.0", "broken==1.0"], 2, "1 without an answer"),
        ([], 2, "0 packages"),
    ],
)
def test_a_weakness_and_a_missing_answer_are_told_apart(
    packages: list[str], code: int, said: str, tool: Path, tmp_path: Path, capsys: Any
) -> None:
    """Nothing known of anything is 0, a weakness 1, and whatever was not answered is no 0."""
    assert audit.audit(tool, [lock(tmp_path, *packages)]) == code
    assert said in capsys.readouterr().out


@pytest.mark.usefixtures("service")
def test_a_weakness_counts_whatever_else_had_no_answer(tool: Path, tmp_path: Path) -> None:
    """One package in two locks, and a lock that could not be asked about, hide nothing."""
    locks = [lock(tmp_path, "leaky==1.0"), lock(tmp_path, "leaky==1.0", "broken==1.0")]

    assert audit.audit(tool, locks) == audit.WEAK


@pytest.mark.usefixtures("service")
def test_every_lock_of_the_project_can_be_asked_about(tool: Path, capsys: Any) -> None:
    """Each is read by the tool as it stands, and each of its packages is asked about."""
    assert set(audit.LOCKS) == set(LOCKS)

    assert audit.audit(tool, [str(ROOT / name) for name in audit.LOCKS]) == audit.NOTHING_KNOWN
    count = int(capsys.readouterr().out.split(" packages")[0].split()[-1])
    assert count > 100


def test_service_that_cannot_be_reached_is_no_yes(
    tool: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused connection ends as no answer, not as a clean bill."""
    monkeypatch.setenv("PIP_AUDIT_VULNERABILITY_SERVICE", "osv")
    monkeypatch.setenv("PIP_AUDIT_OSV_URL", "http://127.0.0.1:9/v1/query")

    assert audit.audit(tool, [lock(tmp_path, "sound==1.0")]) == audit.NO_ANSWER

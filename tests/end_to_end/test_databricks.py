"""docs/databricks.md: every Python block of it, run in order as one notebook."""

from __future__ import annotations

import builtins
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest

from droptune.cli.local_app import EMULATOR_KEY, ROOT
from tests.end_to_end.line import Line

PAGE = (ROOT / "docs" / "databricks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SAMPLE = ROOT / "samples" / "support-bot"


class Notebook:
    """Runs blocks one after the other in one namespace, and keeps what they print."""

    def __init__(self) -> None:
        """Begin with what a Databricks notebook has: `dbutils`."""
        secrets = SimpleNamespace(get=lambda scope, key: f"{scope}'s {key}")
        self.said: list[str] = []
        self.names: dict[str, Any] = {
            "dbutils": SimpleNamespace(secrets=secrets),
            "print": self._print,
        }

    def _print(self, *words: object) -> None:
        self.said.append(" ".join(map(str, words)))

    def run(self, block: str, **instead: Any) -> None:
        """Run a block, then put other values in the place of some that it set."""
        assert instead.keys() <= self.names.keys() | set(re.findall(r"^(\w+)", block, re.M))
        builtins.exec(compile(block, "docs/databricks.md", "exec"), self.names)
        self.names |= instead


@contextmanager
def mirrored(folder: Path, line: Line) -> Iterator[None]:
    """Write to the container whatever is written to a folder, as an external volume does."""
    stop, seen = threading.Event(), dict[Path, tuple[int, int]]()

    def look() -> None:
        while not stop.wait(0.1):
            for path in sorted(p for p in folder.rglob("*") if p.is_file()):
                now = (path.stat().st_mtime_ns, path.stat().st_size)
                if seen.get(path) != now:
                    seen[path] = now
                    line.put(path.relative_to(folder).as_posix(), path.read_bytes())

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)


@contextmanager
def elsewhere(line: Line) -> Iterator[str]:
    """Serve what is not Droptune's: the lab's files, Entra's tokens, and blobs over HTTPS."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2].replace("_set", "")
            self._answer(200, (SAMPLE / name).read_bytes())

        def do_POST(self) -> None:
            asked = parse_qs(self._body().decode())
            right = asked["client_secret"] == ["droptune's client-secret"] and asked["scope"]
            token = b'{"access_token": "%s"}' % EMULATOR_KEY.encode()
            self._answer(200 if right else 401, token)

        def do_PUT(self) -> None:
            opened = self.headers["Authorization"] == f"Bearer {EMULATOR_KEY}"
            if not opened or self.headers["x-ms-blob-type"] != "BlockBlob":
                self._answer(400, b"")
                return
            line.put(self.path.partition("/datasets/")[2], self._body())
            self._answer(201, b"")

        def _body(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _answer(self, status: int, data: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def notebook(line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    """The page's blocks, run to the end against an installation."""
    volume = tmp_path_factory.mktemp("volume")
    notebook = Notebook()
    with mirrored(volume, line), elsewhere(line) as other:
        where, *blocks, container, put = BLOCKS
        notebook.run(
            where, SOURCE=other, VOLUME=str(volume), APP=line.app.app_url, LOGIN=other, SECONDS=0.2
        )
        for block in blocks:
            notebook.run(block)
        notebook.run(container, CONTAINER=f"{other}/datasets")
        notebook.run(put)
        yield notebook


def test_notebook_goes_from_two_files_to_an_answer(notebook: Notebook) -> None:
    """The run ends promoted, and the answer is the fine-tuned model's own."""
    status = notebook.names["status"]

    assert status["outcome"] == "promoted"
    assert notebook.names["completion"].json()["model"] == status["job"]["fine_tuned_model"]
    assert (
        notebook.said[-1] == notebook.names["completion"].json()["choices"][0]["message"]["content"]
    )


def test_notebook_prints_what_the_lab_prints(notebook: Notebook) -> None:
    """Smallest, largest, mean and median of total and assistant tokens, for both files."""
    figures = [line.split() for line in notebook.said if " total " in line or " assistant " in line]

    assert [words[:2] for words in figures] == [
        ["training_set.jsonl", "total"],
        ["training_set.jsonl", "assistant"],
        ["validation_set.jsonl", "total"],
        ["validation_set.jsonl", "assistant"],
    ]
    assert all(len(words) == 6 for words in figures)


def test_notebook_without_a_volume_drops_the_next_version(notebook: Notebook, line: Line) -> None:
    """What was put over HTTPS is a dataset like any other."""
    seen = line.wait_for(
        lambda: line.client.get("datasets", "clippy", "v2"), until=lambda s: bool(s["runs"])
    )

    assert [file["role"] for file in seen["files"]].count("training") == 1
    assert seen["state"] == "started"

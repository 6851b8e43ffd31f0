"""Copies of a process: only where they are safe, and nothing depends on them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread
from time import sleep

import pytest

from droptune.cli.refusals import Exit
from droptune.validation.copies import Copy, may_copy

ROOT = Path(__file__).parents[2]
LINE = b'{"messages":[{"role":"user","content":"%d %s"},{"role":"%s","content":"yes"}]}\n'
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="copies are made on Linux alone")
VALIDATE = """
import json, os, sys
from pathlib import Path
from droptune.domain.dataset import Role
from droptune.validation import FileSource, ValidationRequest, validate
from droptune.validation import copies, pool, signs
from droptune.validation.scan import Scanner

FIRST, SCAN = os.getpid(), Scanner.scan

def end():
    assert os.getpid() != FIRST
    os._exit(9)

def scan(self, *args, **more):
    return SCAN(self, *args, **more) if os.getpid() == FIRST else end()

def main(path, how):
    assert copies.may_copy()
    if how == "spawned":
        pool.may_copy = lambda: False
    if how == "hashing dies":
        read = pool.Digest.read
        pool.Digest.read = lambda *given: read(*given) if os.getpid() == FIRST else end()
    if how == "compiling dies":
        compiled = signs._serialised
        signs._serialised = lambda bits: compiled(bits) if os.getpid() == FIRST else end()
    if how == "scanning dies":
        Scanner.scan = scan
    workers = 1 if how == "alone" else 2
    request = ValidationRequest(model="gpt-4o")
    source = FileSource(path=Path(path), role=Role.TRAINING)
    report = validate([source], request=request, workers=workers)
    json.dump(report.to_payload(), sys.stdout)

if __name__ == "__main__":
    main(*sys.argv[1:])
"""


@LINUX
def test_a_process_with_threads_is_not_copied() -> None:
    """What another thread holds would stay held in a copy for ever."""
    held = Event()
    thread = Thread(target=held.wait)
    thread.start()
    try:
        assert not may_copy()
    finally:
        held.set()
        thread.join()


@LINUX
def test_copy_answers_raises_and_is_not_missed() -> None:
    """Whoever waits for it learns what it worked out, and works that out where it died."""
    first = os.getpid()

    def fails() -> None:
        raise FileNotFoundError(2, "No such file")

    assert Copy(lambda: ("found", 1)).result() == ("found", 1)
    with pytest.raises(FileNotFoundError):
        Copy(fails).result()
    assert Copy(lambda: "here" if os.getpid() == first else os._exit(9)).result() == "here"
    waiting = Copy(Event().wait)
    waiting.end()
    assert not waiting._process.is_alive()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is worth several processes."""
    path = tmp_path_factory.mktemp("copies") / "training.jsonl"
    with path.open("wb") as stream:
        for at in range(12_000):
            role = b"bot" if at % 1_000 == 999 else b"assistant"
            stream.write(LINE % (at % 9_000, b"word " * 450, role))
    return path


def report_of(path: Path, how: str, folder: Path) -> object:
    """Validate in a process of its own, which has no thread of a test's."""
    script = folder / "validate_it.py"
    script.write_text(VALIDATE, "utf-8")
    command = [sys.executable, str(script), str(path), how]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=120)
    assert ran.returncode == 0, ran.stderr.decode()[-2000:]
    return json.loads(ran.stdout)


@LINUX
@pytest.mark.parametrize(
    "how", ["copied", "spawned", "hashing dies", "compiling dies", "scanning dies"]
)
def test_report_is_the_same_however_others_are_started_and_end(
    how: str, dataset: Path, tmp_path: Path
) -> None:
    """Copies, fresh processes, and any of them dying change no byte of the report."""
    assert report_of(dataset, how, tmp_path) == report_of(dataset, "alone", tmp_path)


@LINUX
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_copies_end_with_their_process_and_say_nothing(
    sent: signal.Signals, tmp_path: Path
) -> None:
    """Whoever ends the command at any moment finds no process and no stack trace."""
    path = tmp_path / "training.jsonl"
    path.write_bytes(b"".join(LINE % (at, b"word " * 450, b"assistant") for at in range(24_000)))
    command = [sys.executable, "-m", "droptune.cli", "validate", str(path)]
    for pause in (0, 0.2, 0.6):
        ran = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        children = Path(f"/proc/{ran.pid}/task/{ran.pid}/children")
        while not children.read_text("ascii") and ran.poll() is None:
            sleep(0.005)
        sleep(pause)
        ran.send_signal(sent)
        _, said = ran.communicate(timeout=60)  # until nobody holds the pipes

        assert ran.returncode in (-sent, Exit.INTERRUPTED, Exit.YES)
        assert b"Traceback" not in said, said

"""Runs a host as a process, in a test."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
TINY_APP = Path(__file__).parent / "tiny_app"
KEY = "a key"
_STOP_SECONDS = 20


class HostProcess:
    """A host that serves the tiny app from a folder that outlives it."""

    def __init__(self, folder: Path, environ: Mapping[str, str] | None = None) -> None:
        """Start it, and wait until it says where it is."""
        self.folder = folder
        settings = {"TINY_FOLDER": str(folder), "TINY_HUB": "tiny", "DEVHOST_KEY": KEY}
        self.process = subprocess.Popen(
            command(TINY_APP, folder / "state"),
            cwd=ROOT,
            env={**os.environ, **settings, **(environ or {})},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        if not said.startswith("devhost ready "):
            self.process.communicate(timeout=_STOP_SECONDS)
            raise RuntimeError(f"it ended with {self.process.returncode} before it was ready")
        self.url = said.split()[-1]

    def end(self, signal_number: int) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.process.send_signal(signal_number)
        self.process.communicate(timeout=_STOP_SECONDS)
        return self.process.returncode

    def lines(self, name: str) -> list[str]:
        """Return what the app wrote to a log."""
        log = self.folder / name
        return log.read_text().splitlines() if log.exists() else []


@contextmanager
def running(folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[HostProcess]:
    """Run a host; it is stopped at the end unless the test ended it."""
    host = HostProcess(folder, environ)
    try:
        yield host
    finally:
        if host.process.poll() is None:
            host.process.terminate()
        host.process.communicate(timeout=_STOP_SECONDS)


def refused(app: Path, folder: Path) -> str:
    """Return what a host says that does not start; its exit code must be 3."""
    done = subprocess.run(
        command(app, folder / "state"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    return done.stderr


def command(app: Path, state: Path) -> list[str]:
    """Return the command line of a host on a free port."""
    return [sys.executable, "-m", "devhost", "--app", str(app), "--state", str(state)]

"""Servers of a test session: started as processes, ready when they say so, stopped at the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
ACCOUNT = "devstoreaccount1"
# Azurite's published development key: it opens nothing else.
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
EMULATOR_KEY = "emulator-key"
_STOP_SECONDS = 10


def find_azurite() -> str | None:
    """Return the command of Azurite's blob service, or None where it is not installed."""
    installed = ROOT / ".droptune/azurite/node_modules/.bin/azurite-blob"
    return os.environ.get("AZURITE") or shutil.which(installed)


def connection_string(url: str) -> str:
    """Return the connection string of an Azurite at a URL."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint={url}/{ACCOUNT};"
    )


@contextmanager
def running_azurite(command: str, state: Path) -> Iterator[str]:
    """Run Azurite and yield its connection string."""
    arguments = ["--blobHost", "127.0.0.1", "--blobPort", "0", "--location", str(state)]
    quiet = ["--skipApiVersionCheck", "--loose", "--disableTelemetry"]
    with _running([command, *arguments, *quiet], ready="listens on ") as url:
        yield connection_string(url)


@contextmanager
def running_emulator(state: Path, *, time_scale: float = 1) -> Iterator[str]:
    """Run the local Azure OpenAI and yield its URL."""
    arguments = ["--port", "0", "--state", str(state), "--time-scale", str(time_scale)]
    command = [sys.executable, "-m", "emulator", *arguments, "--key", EMULATOR_KEY]
    with _running(command, ready="emulator ready ") as url:
        yield url


@contextmanager
def _running(command: list[str], *, ready: str) -> Iterator[str]:
    """Yield the URL that a server prints behind the words `ready`."""
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield _url(process, ready)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_STOP_SECONDS)


def _url(process: subprocess.Popen[str], ready: str) -> str:
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        _, found, url = line.partition(ready)
        if found:
            return url.split()[0]
    raise RuntimeError(f"{process.args!r} ended before it was ready:\n{''.join(said)}")

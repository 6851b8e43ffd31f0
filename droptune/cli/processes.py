"""One process of the local app: started in its own group, awaited, stopped or killed."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from droptune.cli.refusals import Refusal

_PR_SET_PDEATHSIG = 1
_POLL_SECONDS = 0.02
_TAIL_LINES = 8
_INTERRUPTS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
if sys.platform == "win32":
    _NEW_GROUP = subprocess.CREATE_NEW_PROCESS_GROUP
else:
    _NEW_GROUP = 0


class LocalProcess:
    """A server that says on its output where it listens.

    Its output goes to a log file and not through a pipe, so that it never depends on its reader.
    """

    def __init__(self, *, name: str, ready: str, log: Path, cwd: Path) -> None:
        """Name the process; `ready` is a pattern whose group is the URL that it prints."""
        self.name = name
        self._ready = re.compile(ready)
        self._log = log
        self._cwd = cwd
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self._process.pid if self._process and self.is_running else None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def start(
        self, command: Sequence[str], environ: Mapping[str, str], *, timeout: float = 60
    ) -> str:
        """Start it and return the URL that it serves; raises Refusal with its last words."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            offset = log.tell()
            self._process = subprocess.Popen(
                command,
                cwd=self._cwd,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                creationflags=_NEW_GROUP,
                preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - started from one thread
            )
        return self._wait_until_ready(offset, timeout)

    def _wait_until_ready(self, offset: int, timeout: float) -> str:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            ended = not self.is_running
            said = self._said_since(offset)
            if match := self._ready.search(said):
                return match.group(1)
            if ended:
                raise self._refusal(f"{self.name} ended while it started", said)
            time.sleep(_POLL_SECONDS)
        self.kill()
        raise self._refusal(f"{self.name} did not start in {timeout:.0f} s", said)

    def _said_since(self, offset: int) -> str:
        with self._log.open("rb") as log:
            log.seek(offset)
            return log.read().decode("utf-8", "replace")

    def _refusal(self, what: str, said: str) -> Refusal:
        tail = "\n".join(f"    {line}" for line in said.splitlines()[-_TAIL_LINES:])
        return Refusal(f"{what}:\n{tail or '    (it said nothing)'}", f"Its log: {self._log}")

    def stop(self, *, timeout: float = 10) -> None:
        """Ask it to end, and kill it only if it does not."""
        if self._process is None:
            return
        if self.is_running:
            self._process.terminate()
            try:
                self._process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """End it and what it started at once (SIGKILL), as a crash would."""
        if self._process is None:
            return
        if sys.platform == "win32":
            self._process.kill()
        elif self.is_running:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let a second Ctrl-C not end what the first one began: stopping what was started."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in _INTERRUPTS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _die_with(parent: int) -> Callable[[], None] | None:
    """Return what a new process runs first to be stopped when its launcher dies, even by SIGKILL.

    Only Linux can; elsewhere a killed launcher leaves its processes running.
    """
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask

"""A lock against two set-ups at once; the operating system lets go of it when a process dies.

The tools that a set-up runs hold it too, so that one that outlives a killed set-up is waited for.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from types import TracebackType

from droptune.setup.progress import say

_RETRY_SECONDS = 0.2


class SetupLock:
    """Held while parts are made; a second set-up waits for the first and says so."""

    def __init__(self, path: Path) -> None:
        """Name the file that is locked."""
        self._path = path

    def __enter__(self) -> None:
        """Wait for the lock."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("a+b")
        os.set_inheritable(self._file.fileno(), True)
        if try_lock(self._file.fileno()):
            return
        say("another set-up is under way here; waiting for it.")
        while not try_lock(self._file.fileno()):
            time.sleep(_RETRY_SECONDS)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go."""
        self._file.close()


def try_lock(descriptor: int) -> bool:
    """Lock a file for this process unless another one holds it; closing it lets go."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(descriptor, 0, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True

"""The launcher: makes a clone ready to run on a machine where nothing is, then hands over.

Standard library only, any Python from 3.9; what it makes lies in `.droptune/` beside the package.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Protocol

from droptune.setup.azurite import Azurite
from droptune.setup.environment import Environment
from droptune.setup.lock import SetupLock
from droptune.setup.progress import Progress, SetupError, say

NEED_AZURITE = frozenset({"demo", "test", "up"})
COULD_NOT_SET_UP = 3
INTERRUPTED = 130


class Part(Protocol):
    """Something that a set-up makes."""

    def is_ready(self) -> bool:
        """Whether it is complete."""

    def make(self, progress: Progress) -> None:
        """Make it anew."""


def enter(root: Path, arguments: Sequence[str]) -> int:
    """Prepare what the command needs and become it; returns only when that is not possible."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        python = prepare(root, with_azurite=NEED_AZURITE.intersection(arguments[:1]) != set())
    except SetupError as error:
        say(str(error))
        return COULD_NOT_SET_UP
    except KeyboardInterrupt:
        say("interrupted; the next start repairs what is half made.")
        return INTERRUPTED
    return _become(root, python, arguments)


def prepare(root: Path, *, with_azurite: bool) -> Path:
    """Return the Python of a complete environment, making what is missing.

    Safe to repeat and to interrupt: each part counts only once its marker, written last, is there.
    """
    home = root / ".droptune"
    environment = Environment(home=home, lock=root / "requirements-dev.txt")
    azurite = Azurite(home=home, source=root / "azurite", python=environment.python)
    needed: list[Part] = [environment, azurite] if with_azurite else [environment]
    missing = [part for part in needed if not part.is_ready()]
    if missing:
        with SetupLock(home / "setup.lock"):
            progress = Progress(log=home / "setup.log", steps=len(missing))
            for part in missing:
                if not part.is_ready():  # another process may have made it while we waited
                    part.make(progress)
    return environment.python


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that no tool goes on alone."""
    raise KeyboardInterrupt


def _become(root: Path, python: Path, arguments: Sequence[str]) -> int:
    command = [str(python), "-m", "droptune.cli", *arguments]
    paths = [str(root), os.environ.get("PYTHONPATH", "")]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    if os.name == "posix":
        os.execve(command[0], command, environ)
    return subprocess.call(command, env=environ)  # Windows' exec would detach from the console

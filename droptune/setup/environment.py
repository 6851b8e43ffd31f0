"""The virtual environment, made from the hashed lock and keyed by it."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from pathlib import Path

from droptune.setup.interpreters import obtain_python
from droptune.setup.marker import digest, read_marker, write_marker
from droptune.setup.progress import Progress, counter, say


class Environment:
    """A virtual environment that holds exactly what the lock names."""

    def __init__(self, *, home: Path, lock: Path) -> None:
        """Name the folder that holds environments, and the lock."""
        key = f"{digest(lock)[:12]}-{sys.platform}-{platform.machine()}".lower()
        self._home = home
        self._lock = lock
        self.folder = home / f"venv-{key}"

    @property
    def python(self) -> Path:
        """The environment's interpreter."""
        return venv_python(self.folder)

    def is_ready(self) -> bool:
        """Whether it is complete, and the interpreter behind it still there."""
        return bool(read_marker(self.folder)) and self.python.exists()

    def make(self, progress: Progress) -> None:
        """Make it anew; what a broken set-up left is removed."""
        progress.begin("Python packages, from the lock")
        base = obtain_python(self._home, progress)
        say(f"      with Python at {base}")
        shutil.rmtree(self.folder, ignore_errors=True)
        progress.run([str(base), "-m", "venv", str(self.folder)])
        install(self.python, self._lock, progress)
        write_marker(self.folder, {"python": str(base), "lock": digest(self._lock)})
        progress.done()


def install(python: Path, lock: Path, progress: Progress, *options: str) -> None:
    """Install a hashed lock with an interpreter's pip."""
    text = lock.read_text(encoding="utf-8")
    total = sum(1 for line in text.splitlines() if "==" in line and line[0].isalnum())
    pip = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command = [*pip, "--require-hashes", *options, "-r", str(lock)]
    progress.run(command, on_line=counter("Collecting ", total, "packages"))


def venv_python(folder: Path) -> Path:
    """Return where a virtual environment has its interpreter."""
    return folder / "Scripts" / "python.exe" if os.name == "nt" else folder / "bin" / "python"

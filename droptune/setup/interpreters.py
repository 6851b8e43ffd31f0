"""Finding a Python that can run the app, on a machine that may hold many or none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from droptune.setup.progress import Progress, SetupError, say

OLDEST = (3, 11)
# In order of preference: 3.13 runs in Azure; the lock was made for these.
VERSIONS = ("3.13", "3.12", "3.11")
# Debian's Python may lack ensurepip, without which there is no virtual environment.
PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"


def obtain_python(home: Path, progress: Progress) -> Path:
    """Return an interpreter that can make environments: one of this machine, else one from uv."""
    found = choose(candidates())
    if found is not None:
        return found
    say("      no Python from 3.11 to 3.13 here; fetching one with uv")
    return _fetch_with_uv(home, progress)


def choose(paths: Iterable[Path]) -> Path | None:
    """Return the first interpreter that answers with a fitting version, or None."""
    return next((path for path in paths if version_of(path) in VERSIONS), None)


def candidates() -> Iterator[Path]:
    """Yield interpreters worth asking: the running one, then PATH, pyenv's folder, `py`."""
    if sys.version_info >= OLDEST:
        yield Path(getattr(sys, "_base_executable", "") or sys.executable)
    for version in VERSIONS:
        yield from _on_path(f"python{version}")
        yield from _in_pyenv(version)
        yield from _of_launcher(version)
    for name in ("python3", "python"):
        yield from _on_path(name)


def version_of(path: Path) -> str:
    """Return an interpreter's version such as "3.11"; "" when it cannot make environments."""
    return ask([str(path), "-I", "-c", PROBE])


def ask(command: list[str]) -> str:
    """Return what a command prints; "" when it cannot be run or fails."""
    try:
        asked = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=20,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def _on_path(name: str) -> Iterator[Path]:
    found = shutil.which(name)
    if found:
        yield Path(found)


def _in_pyenv(version: str) -> Iterator[Path]:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for folder in sorted(root.glob(f"versions/{version}.*"), reverse=True):
        yield folder / "bin" / "python"


def _of_launcher(version: str) -> Iterator[Path]:
    launcher = shutil.which("py")
    if launcher:
        answer = ask([launcher, f"-{version}", "-c", "import sys; print(sys.executable)"])
        if answer:
            yield Path(answer)


def _fetch_with_uv(home: Path, progress: Progress) -> Path:
    """Return a Python that uv brings into the home folder.

    Unverified: fetching it; the machine that this was written on cannot reach its source.
    """
    found = shutil.which("uv")
    uv = Path(found) if found else _install_uv(home, progress)
    folder = home / "python"
    progress.run([str(uv), "python", "install", "--install-dir", str(folder), VERSIONS[0]])
    name = "python.exe" if os.name == "nt" else "bin/python3"
    python = choose(sorted(folder.glob(f"cpython-*/{name}")))
    if python is None:
        raise SetupError("uv brought no Python that can run. Install Python 3.13 and try again.")
    return python


def _install_uv(home: Path, progress: Progress) -> Path:
    if not ask([sys.executable, "-m", "pip", "--version"]):
        raise SetupError(
            f"there is no Python from 3.11 to 3.13, and {sys.executable} has no pip to fetch one. "
            "Install Python 3.13 with its venv module and try again."
        )
    folder = home / "uv"
    from droptune.setup.environment import install

    lock = Path(__file__).with_name("requirements-uv.txt")
    install(Path(sys.executable), lock, progress, "--target", str(folder), "--upgrade")
    return folder / "bin" / ("uv.exe" if os.name == "nt" else "uv")

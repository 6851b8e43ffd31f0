"""What `doctor` finds on this machine: Python, the packages of the lock, Azurite."""

from __future__ import annotations

import platform
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from droptune.cli.checks import Check, attempt, no, yes
from droptune.cli.refusals import Refusal
from droptune.cli.storage import azurite_command

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?:\s*;\s*(.+?))?\s*\\?$", re.MULTILINE)


def look_at_python() -> Check:
    """Return which Python runs this."""
    return yes("python", f"{platform.python_version()}, {sys.executable}")


def look_at_clone(root: Path) -> Iterator[Check]:
    """Yield what a clone needs to run everything."""
    yield look_at_packages(root / "requirements-dev.txt", Path(sys.prefix))
    yield attempt("azurite", lambda: _azurite(root))


def look_at_packages(lock: Path, environment: Path) -> Check:
    """Return whether the packages are those of the lock."""
    wrong = []
    pinned = _PINNED.findall(lock.read_text(encoding="utf-8"))
    for name, version, marker in pinned:
        if (found := _version(name)) != version and not marker:
            wrong.append(f"{name} is {found or 'missing'}, not {version}")
    if not wrong:
        return yes("packages", f"{len(pinned)}, as {lock.name} names them")
    more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
    remedy = f"Remove {environment} and run any command again; it is made anew."
    return no("packages", f"{wrong[0]}{more}", remedy)


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _azurite(root: Path) -> str:
    command = azurite_command(root)
    missing = [part for part in command if not Path(part).exists()]
    if missing:
        raise Refusal(f"{missing[0]} is gone.", "python3 -m droptune up repairs it.")
    return " ".join(command)

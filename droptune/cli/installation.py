"""What a local app writes down about itself, so that other commands find it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from droptune.cli.refusals import Refusal
from droptune.setup.lock import try_lock

FILE = "installation.json"
LOCK = "local-app.lock"


@dataclass(frozen=True, kw_only=True, slots=True)
class Installation:
    """Where the parts of a local app are; `key` opens its routes if it has one."""

    app_url: str
    emulator_url: str
    storage_connection_string: str = field(repr=False)
    key: str | None = field(default=None, repr=False)
    pids: dict[str, int | None] = field(default_factory=dict)


def find_installation(state: Path) -> Installation | None:
    """Return what was written last under a state, or None; its app may have ended since."""
    try:
        said: dict[str, Any] = json.loads((state / FILE).read_bytes())
        return Installation(**said)
    except (OSError, ValueError, TypeError):
        return None


def write_installation(state: Path, installation: Installation) -> None:
    """Write it down in one step, for its owner's eyes."""
    partial = state / f"{FILE}.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(installation), file, indent=1)
    os.replace(partial, state / FILE)


def claim_state(state: Path) -> IO[bytes] | None:
    """Return the open lock of a state, or None when a local app holds it; closing it lets go."""
    try:
        state.mkdir(parents=True, exist_ok=True)
        lock = (state / LOCK).open("a+b")
    except OSError as error:
        raise Refusal(
            f"The state {state} cannot be written: {error}.", "Name another with --state DIR."
        ) from None
    if try_lock(lock.fileno()):
        return lock
    lock.close()
    return None


def is_claimed(state: Path) -> bool:
    """Whether a local app runs on a state now."""
    if not (state / LOCK).exists():
        return False
    lock = claim_state(state)
    if lock is None:
        return True
    lock.close()
    return False

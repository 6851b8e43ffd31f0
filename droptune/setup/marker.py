"""Markers: a part of a set-up counts only once its marker, written last, is there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

MARKER = "ready.json"


def digest(*paths: Path) -> str:
    """Return the SHA-256 of files' bytes."""
    hashed = hashlib.sha256()
    for path in paths:
        hashed.update(path.read_bytes())
    return hashed.hexdigest()


def read_marker(folder: Path) -> dict[str, str]:
    """Return what a folder's marker says; `{}` for a part that is missing or half made."""
    try:
        said = json.loads((folder / MARKER).read_bytes())
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def write_marker(folder: Path, said: Mapping[str, str]) -> None:
    """Declare a part complete, in one step."""
    partial = folder / f"{MARKER}.partial"
    partial.write_text(json.dumps(said, indent=1), encoding="utf-8")
    os.replace(partial, folder / MARKER)

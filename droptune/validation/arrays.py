"""Whether numpy is there, which comes with the fast counter."""

from __future__ import annotations

from importlib.util import find_spec


def has_numpy() -> bool:
    """Whether numpy is installed; it is loaded only where many numbers are worth it."""
    return find_spec("numpy") is not None

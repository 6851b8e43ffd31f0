"""What stands in the data, as a message quotes it: short, and no secret or person's data in it."""

from __future__ import annotations

from functools import lru_cache

from droptune.validation.masking import mask

_LOOKED_AT, _LEFT_OUT = 4_000, 400


def shown(text: str, longest: int = 60) -> str:
    """Return the beginning of a text, masked before it is cut: half a secret looks like none."""
    masked = _masked(text[:_LOOKED_AT])
    return masked[: max(0, min(longest, len(masked) - _LEFT_OUT * (len(text) > _LOOKED_AT)))]


def quoted(text: str, longest: int = 60) -> str:
    """Return the beginning of a text in quotes, what is not printable escaped."""
    return repr(shown(text, longest))


_masked = lru_cache(maxsize=512)(mask)

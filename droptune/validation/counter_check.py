"""The fast counter is young: on large files the reference counts a sample of what it counted."""

from __future__ import annotations

from collections.abc import Sequence

from droptune.validation.tokens.reference import ReferenceCounter

WORTH_BYTES = 8 << 20


def counter_agrees(
    sample: Sequence[tuple[str, int]], encoding: str, size_bytes: int, *, worth: int = WORTH_BYTES
) -> bool:
    """Whether the reference gives the same counts; true unasked for files not worth its loading.

    Loading it takes half a second, which is why only what spends money asks.
    """
    if size_bytes < worth:
        return True
    reference = ReferenceCounter(encoding)
    return all(reference.count(text) == tokens for text, tokens in sample)

"""How many keys stand in each line of a block, by the quotes before colons."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

_WORTH_BYTES = 1 << 18  # numpy needs a twentieth of a second to be loaded
_QUOTE, _COLON, _NEWLINE = b'":\n'


def count_written(data: bytes, lines: Sequence[bytes]) -> list[int]:
    """Return for each line of a block how many quotes stand right before a colon.

    Quotes inside texts are escaped but count as well, so there are as many as keys without a blank
    before their colon, or more.
    """
    if len(data) < _WORTH_BYTES or find_spec("numpy") is None:
        return [line.count(b'":') for line in lines]
    import numpy as np

    found = np.frombuffer(data, dtype=np.uint8)
    keys = np.flatnonzero((found[:-1] == _QUOTE) & (found[1:] == _COLON))
    ends = np.flatnonzero(found == _NEWLINE)[: len(lines)]
    before = np.searchsorted(keys, ends)
    if len(ends) < len(lines):
        before = np.append(before, len(keys))
    counts: list[int] = np.diff(before, prepend=0).tolist()
    return counts

"""What a line may concern: many expressions, sought in one pass over its bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from droptune.validation.copies import Copy

WORTH_BYTES = 1 << 19  # Hyperscan needs a tenth of a second to be loaded and to compile
_Masks = Callable[[Sequence[bytes]], list[int]]


class Signs:
    """Seeks signs in lines: with Hyperscan where that is installed, else with `re`, to one effect.

    A sign is one or more expressions, of those that both know: no look-around, no references. A
    mask has a bit for each sign, in the order in which they are given.
    """

    def __init__(self, signs: Sequence[tuple[bytes, ...]], *, worth: int = WORTH_BYTES) -> None:
        """Seek signs; `worth` is from how many bytes on it pays to make the faster search."""
        self._bits: dict[bytes, int] = {}
        for at, sign in enumerate(signs):
            for each in sign:
                self._bits[each] = self._bits.get(each, 0) | 1 << at
        self._until = worth
        self._coming: Copy[bytes | None] | None = None
        self._slow: _Masks | None = None
        self._fast: _Masks | None = None

    def masks(self, lines: Sequence[bytes]) -> list[int]:
        """Return for each line which signs it holds."""
        if self._fast is not None:
            return self._fast(lines)
        self._until -= sum(map(len, lines))
        if self._until < 0:
            return self.prepare()(lines)
        if self._slow is None:
            self._slow = _seek_each(self._bits)
        return self._slow(lines)

    def prepare_beside(self) -> None:
        """Let a copy of this process compile the faster search, which takes a tenth of a second."""
        bits = self._bits
        self._coming = Copy(lambda: _serialised(bits))

    def prepare(self) -> _Masks:
        """Make the faster search, if that is not done, and return it."""
        if self._fast is None:
            self._fast = self._come() or _seek_together(self._bits) or _seek_each(self._bits)
        return self._fast

    def _come(self) -> _Masks | None:
        """Return the search that a copy has compiled, if one has."""
        coming, self._coming = self._coming, None
        compiled = coming.result() if coming else None
        return _seek_with(_loaded(compiled), self._bits) if compiled else None


def _seek_each(bits: Mapping[bytes, int]) -> _Masks:
    """Return a search by one expression after the other."""
    searches = [(mask, re.compile(each, re.DOTALL).search) for each, mask in bits.items()]

    def masks(lines: Sequence[bytes]) -> list[int]:
        data = b"\n".join(lines)
        there = [(mask, search) for mask, search in searches if search(data)]
        return [_mask(there, line) for line in lines] if there else [0] * len(lines)

    return masks


def _mask(there: Sequence[tuple[int, Callable[[bytes], Any]]], line: bytes) -> int:
    found = 0
    for mask, search in there:
        if mask & ~found and search(line):
            found |= mask
    return found


def _seek_together(bits: Mapping[bytes, int]) -> _Masks | None:
    """Return one search by all expressions; None where Hyperscan is not installed, or cannot be."""
    database = _compiled(bits)
    return None if database is None else _seek_with(database, bits)


def _compiled(bits: Mapping[bytes, int]) -> Any:
    """Return a database of all expressions, or None."""
    try:
        import hyperscan
    except ImportError:
        return None
    flags = hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_DOTALL
    try:
        database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
        numbers = list(range(len(bits)))
        database.compile(expressions=list(bits), ids=numbers, flags=[flags] * len(bits))
    except hyperscan.error:  # a processor that it does not know; no expressions
        return None
    return database


def _serialised(bits: Mapping[bytes, int]) -> bytes | None:
    database = _compiled(bits)
    if database is None:
        return None
    import hyperscan

    serialised: bytes = hyperscan.dumpb(database)
    return serialised


def _loaded(serialised: bytes) -> Any:
    import hyperscan

    database = hyperscan.loadb(serialised, hyperscan.HS_MODE_BLOCK)
    database.scratch = hyperscan.Scratch(database)
    return database


def _seek_with(database: Any, bits: Mapping[bytes, int]) -> _Masks:
    """Return a search by a database of expressions."""
    scan, of, found = database.scan, list(bits.values()), 0

    def tell(at: int, _start: int, _end: int, _flags: int, _context: object) -> None:
        nonlocal found
        found |= of[at]

    def masks(lines: Sequence[bytes]) -> list[int]:
        nonlocal found
        every = []
        for line in lines:
            found = 0
            scan(line, match_event_handler=tell)
            every.append(found)
        return every

    return masks

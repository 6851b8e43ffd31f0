"""Other ways to read the same bytes: in ranges, and from a source that gives a little at a time."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import BinaryIO, cast

from droptune.domain.dataset import Role
from droptune.validation.reading import Digest, Plan
from droptune.validation.scanned import Scanned
from droptune.validation.sources import Source


class InRanges:
    """Reads in ranges that end anywhere, each by a scanner of its own, merged pair by pair.

    Those that begin at an odd position count in a thread beside.
    """

    def __init__(self, plan: Plan, cuts: Sequence[int], *, from_the_right: bool = False) -> None:
        """Cut at these positions."""
        self._plan, self._cuts, self._from_the_right = plan, sorted(set(cuts)), from_the_right

    def scan(self, source: Source, digest: Digest) -> Scanned:
        """Return what all ranges hold together."""
        digest.read(source)
        starts = [0, *self._cuts]
        ends = [*self._cuts, None]
        parts = [
            self._plan.scanner().scan(source, start, end, beside=start % 2 == 1)
            for start, end in zip(starts, ends, strict=True)
        ]
        while len(parts) > 1:
            at = len(parts) - 2 if self._from_the_right else 0
            parts[at].merge(parts.pop(at + 1))
        return parts[0]

    def close(self) -> None:
        """Hold nothing."""


class DribblingSource:
    """Bytes that come a few at a time, as they may from a blob."""

    def __init__(self, data: bytes, piece: int, role: Role = Role.TRAINING) -> None:
        """Give at most `piece` bytes a read."""
        self.name, self.role = f"{role.value}.jsonl", role
        self._data, self._piece = data, piece

    @property
    def size_bytes(self) -> int:
        """How many there are."""
        return len(self._data)

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """Return a stream that reads short."""
        return cast(BinaryIO, _Dribble(self._data[start:end], self._piece))


class _Dribble(io.BytesIO):
    def __init__(self, data: bytes, piece: int) -> None:
        super().__init__(data)
        self._piece = piece

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self._piece if size is None or size < 0 else min(size, self._piece))

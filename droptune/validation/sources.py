"""Where a dataset's bytes come from."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from droptune.domain.dataset import Role


class Source(Protocol):
    """One file of a dataset; parts count as one file."""

    @property
    def name(self) -> str:
        """The file's name inside the dataset."""

    @property
    def role(self) -> Role:
        """What the file is for."""

    @property
    def size_bytes(self) -> int:
        """How long it is."""

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """Return a stream of the bytes from `start` up to `end`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileSource:
    """A file on this machine."""

    path: Path
    role: Role

    @property
    def name(self) -> str:
        """See Source."""
        return self.path.name

    @property
    def size_bytes(self) -> int:
        """See Source."""
        return self.path.stat().st_size

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """See Source."""
        stream = self.path.open("rb")
        stream.seek(start)
        return stream if end is None else io.BytesIO(stream.read(end - start))


@dataclass(frozen=True, kw_only=True, slots=True)
class BytesSource:
    """Bytes in memory."""

    name: str
    role: Role
    data: bytes = field(repr=False)

    @property
    def size_bytes(self) -> int:
        """See Source."""
        return len(self.data)

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """See Source."""
        return io.BytesIO(self.data[start:end])

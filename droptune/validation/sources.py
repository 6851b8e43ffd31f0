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
    """A file on this machine.

    Attributes:
        label: how the report calls it; "" for its name.
    """

    path: Path
    role: Role
    label: str = ""

    @property
    def name(self) -> str:
        """See Source."""
        return self.label or self.path.name

    @property
    def size_bytes(self) -> int:
        """See Source."""
        return self.path.stat().st_size

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """See Source."""
        stream = self.path.open("rb")
        if start:
            stream.seek(start)
        if end is None:
            return stream
        with stream:
            return io.BytesIO(stream.read(end - start))

    def fingerprint(self) -> tuple[int, ...] | None:
        """Return what changes when the file is written to, None once it is gone."""
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


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


def read_start(source: Source, most: int) -> bytes:
    """Return a source's first bytes, however few of them it gives at a time."""
    data = b""
    with source.open(0, most) as stream:
        while len(data) < most and (piece := stream.read(most - len(data))):
            data += piece
    return data

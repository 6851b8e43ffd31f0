"""The pinned blobs of a role, read as one file: seekable, streamed, never held whole."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, cast

from droptune.domain.dataset import Role
from droptune.domain.run import Pin, RunRecord
from droptune.domain.services import BlobStore

_BUFFER = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class _Segment:
    """A stretch of the joined file: a blob, or the newline between two blobs."""

    pin: Pin | None
    start: int
    length: int


class PinnedData(io.RawIOBase):
    """The parts of a role joined by newlines, each read with `if_match` on its pinned ETag.

    Reading raises ConflictError when a blob has changed, BlobNotFoundError when it is gone.
    """

    def __init__(self, datasets: BlobStore, pins: tuple[Pin, ...]) -> None:
        """Lay the parts out; a part that lacks its last newline gets one, except the last part."""
        self._datasets = datasets
        self._segments = _lay_out(datasets, pins)
        self.size_bytes = sum(segment.length for segment in self._segments)
        self._position = 0
        self._chunks: Iterator[bytes] = iter(())
        self._rest = b""

    def readable(self) -> bool:
        """Return true."""
        return True

    def seekable(self) -> bool:
        """Return true."""
        return True

    def tell(self) -> int:
        """Return the position in the joined file."""
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move; reading goes on with a new range request."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size_bytes}[whence]
        self._position = max(0, base + offset)
        self._chunks, self._rest = self._stream(self._position), b""
        return self._position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        """Fill the buffer with what the next chunk has; 0 at the end."""
        if not self._rest and self._position == 0:
            self.seek(0)
        while not self._rest:
            chunk = next(self._chunks, None)
            if chunk is None:
                return 0
            self._rest = chunk
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken) :]
        self._position += len(taken)
        return len(taken)

    def _stream(self, start: int) -> Iterator[bytes]:
        for segment in self._segments:
            skip = max(0, start - segment.start)
            if skip >= segment.length:
                continue
            if segment.pin is None:
                yield b"\n"
            else:
                pin = segment.pin
                yield from self._datasets.open(pin.name, start=skip, if_match=pin.etag)


@dataclass(frozen=True, kw_only=True, slots=True)
class PinnedSource:
    """A role's data as the validator reads it."""

    name: str
    role: Role
    size_bytes: int
    datasets: BlobStore
    pins: tuple[Pin, ...]

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """Return the bytes from `start` up to `end` of the joined file."""
        data = open_data(self.datasets, self.pins)
        data.seek(start)
        return data if end is None else cast(BinaryIO, _Limited(data, end - start))


class _Limited(io.RawIOBase):
    """At most so many bytes of another stream."""

    def __init__(self, inner: BinaryIO, length: int) -> None:
        self._inner, self._left = inner, length

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any writable buffer
        data = self._inner.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)


def open_data(datasets: BlobStore, pins: tuple[Pin, ...]) -> BinaryIO:
    """Return the joined parts as a buffered binary file."""
    return io.BufferedReader(PinnedData(datasets, pins), _BUFFER)


def sources(record: RunRecord, datasets: BlobStore) -> tuple[PinnedSource, ...]:
    """Return the data of every role that a run's dataset has."""
    return tuple(
        PinnedSource(
            name=_shown_name(record, role, pins),
            role=role,
            size_bytes=PinnedData(datasets, pins).size_bytes,
            datasets=datasets,
            pins=pins,
        )
        for role in Role
        if (pins := record.pins_of(role))
    )


def _shown_name(record: RunRecord, role: Role, pins: tuple[Pin, ...]) -> str:
    if len(pins) == 1:
        return pins[0].name.removeprefix(record.dataset.prefix)
    return f"{pins[0].name.removeprefix(record.dataset.prefix).split('/')[0]}/"


def _lay_out(datasets: BlobStore, pins: tuple[Pin, ...]) -> tuple[_Segment, ...]:
    segments: list[_Segment] = []
    at = 0
    filled = [pin for pin in pins if pin.size_bytes]
    for pin in filled:
        segments.append(_Segment(pin=pin, start=at, length=pin.size_bytes))
        at += pin.size_bytes
        if pin is not filled[-1] and not _ends_line(datasets, pin):
            segments.append(_Segment(pin=None, start=at, length=1))
            at += 1
    return tuple(segments)


def _ends_line(datasets: BlobStore, pin: Pin) -> bool:
    last = datasets.open(pin.name, start=pin.size_bytes - 1, if_match=pin.etag)
    return b"".join(last) == b"\n"

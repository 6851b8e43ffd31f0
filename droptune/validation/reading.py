"""How a file is read: in this process, or in ranges by several; its digest beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from droptune.validation.rules.example import Asked
from droptune.validation.scan import Scanner
from droptune.validation.scanned import Scanned
from droptune.validation.sources import FileSource, Source

WORTH_A_THREAD = 4 << 20
_BUFFER_BYTES = 256 << 10
Progress = Callable[[int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What every process that reads has to know; `fast` False counts with the reference alone."""

    asked: Asked
    encoding: str
    fast: bool = True

    def scanner(self, *, copies: bool = False) -> Scanner:
        """Return a scanner for it; with `copies` see Scanner."""
        return Scanner(self.asked, self.encoding, fast=self.fast, copies=copies)


class Digest:
    """SHA-256 and length of a file's bytes."""

    def __init__(self, progress: Progress | None = None) -> None:
        """Begin with nothing; `progress` is told of the number of bytes that come."""
        self._hash, self._progress = hashlib.sha256(), progress
        self._known = ""
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """The digest of all bytes so far, in hex."""
        return self._known or self._hash.hexdigest()

    def know(self, sha256: str, size_bytes: int) -> None:
        """Be what another process made of the whole file."""
        self._known, self.size_bytes = sha256, size_bytes

    def add(self, data: bytes) -> None:
        """Take in bytes, and tell of them."""
        self._take(data)
        self.tell(len(data))

    @contextmanager
    def beside(self) -> Iterator[Callable[[bytes], None]]:
        """Give what takes in bytes in a thread, one piece at a time, and tells of them in this."""
        with ThreadPoolExecutor(1) as executor:
            last = executor.submit(self._take, b"")

            def add(data: bytes) -> None:
                nonlocal last
                last.result()
                last = executor.submit(self._take, data)
                self.tell(len(data))

            yield add
            last.result()

    def tell(self, size_bytes: int) -> None:
        """Tell of progress."""
        if self._progress is not None:
            self._progress(size_bytes)

    def read(self, source: Source) -> None:
        """Take in a whole file; of its progress, whoever else reads it tells."""
        if isinstance(source, FileSource):
            self._read_file(source)
            return
        with source.open() as stream:
            while data := stream.read(1 << 20):
                self._take(data)

    def _read_file(self, source: FileSource) -> None:
        """Read into one buffer, so small that it stays near the processor."""
        buffer = memoryview(bytearray(_BUFFER_BYTES))
        with source.path.open("rb", buffering=0) as stream:
            while size := stream.readinto(buffer):
                self._take(buffer[:size])

    def _take(self, data: bytes | memoryview) -> None:
        self._hash.update(data)
        self.size_bytes += len(data)


class Reader(Protocol):
    """Reads files; every reader says the same of them."""

    def scan(self, source: Source, digest: Digest) -> Scanned:
        """Return what a file holds, and its bytes' digest."""

    def close(self) -> None:
        """Give back what was held for reading."""


class InOneGo:
    """Reads in this process, from the first byte to the last."""

    def __init__(self, plan: Plan) -> None:
        """Read as a plan says; the counter is loaded at the first file."""
        self._plan = plan
        self._scanner: Scanner | None = None

    def scan(self, source: Source, digest: Digest) -> Scanned:
        """See Reader."""
        if source.size_bytes <= WORTH_A_THREAD or (os.cpu_count() or 1) < 2:
            return self.scanner().scan(source, on_bytes=digest.add)
        with digest.beside() as add:
            return self.scanner().scan(source, on_bytes=add, beside=True)

    def scanner(self, *, copies: bool = False) -> Scanner:
        """Return this process's scanner; with `copies` see Scanner."""
        if self._scanner is None:
            self._scanner = self._plan.scanner(copies=copies)
        return self._scanner

    def close(self) -> None:
        """See Reader: nothing is held."""

"""Ranges of a file on this machine, scanned by several processes, this one among them."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Any

from droptune.validation.copies import Copy, may_copy, pool_of_copies
from droptune.validation.reading import Digest, InOneGo, Plan
from droptune.validation.scan import Scanner
from droptune.validation.scanned import Scanned
from droptune.validation.sources import FileSource, Source

WORTH_BYTES = 24 << 20
SMALLEST_RANGE, LARGEST_RANGE = 1 << 20, 8 << 20
Range = tuple[int, int | None]
_PATIENCE_SECONDS = 10.0  # for another process to take its turn, which takes a microsecond
_own: list[tuple[Scanner, Turns]] = []  # a process of a pool has no other place to keep them


class Pool:
    """Reads large files of this machine by several processes, all else in one go.

    Every process takes the next range when it is done with one; they become smaller towards the
    end, so that all end together. The others start at the first file that is worth it: as
    copies of this process where that is safe, which have the counter's tables at once. If one of
    them dies (memory), the file is read once more in this process.
    """

    def __init__(self, plan: Plan, workers: int) -> None:
        """Use so many processes, of which this is one."""
        self._plan, self._workers = plan, workers
        self._in_one_go = InOneGo(plan)
        self._others: tuple[ProcessPoolExecutor, Turns] | None = None

    def scan(self, source: Source, digest: Digest) -> Scanned:
        """See Reader."""
        if not isinstance(source, FileSource) or source.size_bytes < WORTH_BYTES:
            return self._in_one_go.scan(source, digest)
        try:
            return self._scan(source, digest)
        except BrokenProcessPool:
            self.close()
            return self._in_one_go.scan(source, Digest() if digest.size_bytes else digest)

    def close(self) -> None:
        """End the processes."""
        if self._others is not None:
            self._others[0].shutdown(cancel_futures=True)
            self._others = None

    @property
    def is_started(self) -> bool:
        """Whether processes were started."""
        return self._others is not None

    def _scan(self, source: FileSource, digest: Digest) -> Scanned:
        copies = self._others is None and may_copy()
        with _hashing(source, digest, copies) as hashed:
            executor, turns = self._started(copies)
            parts = list(ranges(source.size_bytes, self._workers))
            whole = _InOrder(parts, lambda part: digest.tell(_length(part, source.size_bytes)))
            turns.begin()
            others = deque(executor.submit(_scan_next, source, parts) for _ in parts)
            scanner = self._in_one_go.scanner()
            while (at := turns.take()) < len(parts):
                whole.take_in((at, scanner.scan(source, *parts[at])))
                while others and others[0].done():
                    whole.take_in(others.popleft().result())
            for each in [other for other in others if not other.cancel()]:
                whole.take_in(each.result())
            hashed()
        return whole.scanned or Scanned()

    def _started(self, copies: bool) -> tuple[ProcessPoolExecutor, Turns]:
        if self._others is not None:
            return self._others
        turns = Turns("fork" if copies else "spawn")
        if copies:
            scanner = self._in_one_go.scanner(copies=True)
            scanner.prepare()
            executor = pool_of_copies(self._workers - 1, _own.append, (scanner, turns))
        else:
            executor = ProcessPoolExecutor(
                self._workers - 1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_prepare,
                initargs=(self._plan, turns),
            )
        self._others = executor, turns
        return self._others


@contextmanager
def _hashing(source: FileSource, digest: Digest, copies: bool) -> Iterator[Callable[[], None]]:
    """Let a digest take in a file beside all else; give what waits for it."""
    if not copies:
        with ThreadPoolExecutor(1) as beside:
            yield beside.submit(digest.read, source).result
        return
    copy = Copy(lambda: _digest(source))

    def know() -> None:
        digest.know(*copy.result())

    try:
        yield know
    finally:
        copy.end()


def _digest(source: FileSource) -> tuple[str, int]:
    digest = Digest()
    digest.read(source)
    return digest.sha256, digest.size_bytes


class Turns:
    """Numbers from 0 on, each given to one process; processes have it from their start."""

    def __init__(self, method: str) -> None:
        """Begin at 0, for processes that are started by `fork` or by `spawn`."""
        self._next: Any = multiprocessing.get_context(method).Value("q", 0)

    def begin(self) -> None:
        """Begin anew; nobody may be about to take a turn."""
        self._next.value = 0

    def take(self) -> int:
        """Return the next number. Raises BrokenProcessPool if a process died while it took one."""
        lock = self._next.get_lock()
        if not lock.acquire(timeout=_PATIENCE_SECONDS):
            raise BrokenProcessPool("a process died while it took its turn")
        try:
            turn: int = self._next.value
            self._next.value = turn + 1
        finally:
            lock.release()
        return turn


class _InOrder:
    """What the parts of a file hold, merged in their order as they come, and held once."""

    def __init__(self, parts: list[Range], tell: Callable[[Range], object]) -> None:
        """Merge what parts hold, and tell of each."""
        self.scanned: Scanned | None = None
        self._parts, self._tell, self._merged = parts, tell, 0
        self._early: dict[int, Scanned] = {}

    def take_in(self, found: tuple[int, Scanned] | None) -> None:
        """Take in what a part holds, if it is one, and merge what is complete from the start."""
        if found is not None:
            self._early[found[0]] = found[1]
        while (each := self._early.pop(self._merged, None)) is not None:
            if self.scanned is None:
                self.scanned = each
            else:
                self.scanned.merge(each)
            self._tell(self._parts[self._merged])
            self._merged += 1


def _length(part: Range, size_bytes: int) -> int:
    start, end = part
    return (size_bytes if end is None else end) - start


def ranges(size_bytes: int, workers: int) -> Iterator[Range]:
    """Cut a file into ranges, none too large, smaller towards the end.

    The last one has no end: it takes what a growing file gained meanwhile.
    """
    start = 0
    while start < size_bytes:
        step = min(LARGEST_RANGE, max(SMALLEST_RANGE, (size_bytes - start) // (4 * workers)))
        yield start, start + step if start + step < size_bytes else None
        start += step


def _prepare(plan: Plan, turns: Turns) -> None:
    _own[:] = [(plan.scanner(), turns)]


def _scan_next(source: Source, parts: list[Range]) -> tuple[int, Scanned] | None:
    """Scan the part whose turn it is, in a process of a pool; None when all are taken."""
    scanner, turns = _own[0]
    at = turns.take()
    return (at, scanner.scan(source, *parts[at])) if at < len(parts) else None

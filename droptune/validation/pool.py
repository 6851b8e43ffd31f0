"""Ranges of a file on this machine, scanned by several processes, this one among them."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass

from droptune.validation.copies import Copy, may_copy, pool_of_copies
from droptune.validation.reading import Digest, InOneGo, Plan
from droptune.validation.scan import Scanner
from droptune.validation.scanned import Scanned
from droptune.validation.sources import FileSource, Source

WORTH_BYTES = 24 << 20
SMALLEST_RANGE, LARGEST_RANGE = 1 << 20, 8 << 20
Range = tuple[int, int | None]
_own: list[Scanner] = []  # of a process of a pool, which has no other place to keep it


class Pool:
    """Reads large files of this machine by several processes, all else in one go.

    Every process takes the next range as soon as it is done with one; they become smaller towards
    the end, so that all end together. The others start at the first file that is worth it: as
    copies of this process where that is safe, which have the counter's tables at once. If one of
    them dies (memory), the file is read once more in this process.
    """

    def __init__(self, plan: Plan, workers: int) -> None:
        """Use so many processes, of which this is one."""
        self._plan, self._workers = plan, workers
        self._in_one_go = InOneGo(plan)
        self._executor: ProcessPoolExecutor | None = None

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
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    @property
    def is_started(self) -> bool:
        """Whether processes were started."""
        return self._executor is not None

    def _scan(self, source: FileSource, digest: Digest) -> Scanned:
        copies = self._executor is None and may_copy()
        with _hashing(source, digest, copies) as hashed:
            executor, size = self._started(copies), source.size_bytes
            left = deque(
                _Part(start, end, executor.submit(_scan, source, start, end))
                for start, end in ranges(size, self._workers)
            )
            whole = _InOrder(left, lambda part: digest.tell((part.end or size) - part.start))
            scanner = self._in_one_go.scanner()
            while part := next(filter(_is_untouched, left), None):
                part.own = scanner.scan(source, part.start, part.end)
                whole.take_in()
            whole.take_in(wait=True)
            hashed()
        return whole.scanned or Scanned()

    def _started(self, copies: bool) -> ProcessPoolExecutor:
        if self._executor is None and copies:
            scanner = self._in_one_go.scanner(copies=True)
            scanner.prepare()
            self._executor = pool_of_copies(self._workers - 1, _own.append, scanner)
        elif self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._workers - 1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_prepare,
                initargs=(self._plan,),
            )
        return self._executor


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


@dataclass(slots=True)
class _Part:
    """A range, and what it holds once this or another process has scanned it."""

    start: int
    end: int | None
    others: Future[Scanned]
    own: Scanned | None = None


class _InOrder:
    """What the parts of a file hold, merged in their order as they come, and held once."""

    def __init__(self, left: deque[_Part], tell: Callable[[_Part], object]) -> None:
        """Merge parts, which are taken from `left`, and tell of each."""
        self.scanned: Scanned | None = None
        self._left, self._tell = left, tell

    def take_in(self, *, wait: bool = False) -> None:
        """Merge what is there; with `wait` all. Raises BrokenProcessPool if a process died."""
        while self._left and (wait or self._left[0].own or _is_done(self._left[0].others)):
            part = self._left.popleft()
            found = part.own or part.others.result()
            if self.scanned is None:
                self.scanned = found
            else:
                self.scanned.merge(found)
            self._tell(part)


def _is_untouched(part: _Part) -> bool:
    """Whether nobody has begun with a part; if so no other process will."""
    return part.own is None and part.others.cancel()


def _is_done(future: Future[Scanned]) -> bool:
    return future.done() and not future.cancelled()


def ranges(size_bytes: int, workers: int) -> Iterator[Range]:
    """Cut a file into ranges, none too large, smaller towards the end.

    The last one has no end: it takes what a growing file gained meanwhile.
    """
    start = 0
    while start < size_bytes:
        step = min(LARGEST_RANGE, max(SMALLEST_RANGE, (size_bytes - start) // (4 * workers)))
        yield start, start + step if start + step < size_bytes else None
        start += step


def _prepare(plan: Plan) -> None:
    _own[:] = [plan.scanner()]


def _scan(source: Source, start: int, end: int | None) -> Scanned:
    return _own[0].scan(source, start, end)

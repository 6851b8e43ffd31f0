"""Ranges of a file on this machine, scanned by several processes, this one among them."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from droptune.validation.reading import Digest, InOneGo, Plan
from droptune.validation.scan import Scanner
from droptune.validation.scanned import Scanned
from droptune.validation.sources import FileSource, Source

WORTH_BYTES = 24 << 20
SMALLEST_RANGE, LARGEST_RANGE = 4 << 20, 8 << 20
Range = tuple[int, int | None]
_own: list[Scanner] = []  # of a process of a pool, which has no other place to keep it


class Pool:
    """Reads large files of this machine by several processes, all else in one go.

    This process takes ranges from the end while the others take them from the beginning. They start
    at the first file that is worth it. If one of them dies (memory), the file is read once more in
    this process.
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
        executor, size = self._started(), source.size_bytes
        cut = list(ranges(size, self._workers))
        parts = {at: executor.submit(_scan, source, *each) for at, each in enumerate(cut)}
        with ThreadPoolExecutor(1) as beside:
            hashed = beside.submit(digest.read, source)
            own = self._take_from_the_end(source, cut, parts, digest)
            whole: Scanned | None = None
            for at, (start, end) in enumerate(cut):
                part = own.pop(at, None)
                if part is None:
                    part = parts.pop(at).result()
                    digest.tell((size if end is None else end) - start)
                if whole is None:
                    whole = part
                else:
                    whole.merge(part)
            hashed.result()
        return whole or Scanned()

    def _take_from_the_end(
        self,
        source: FileSource,
        cut: list[Range],
        parts: dict[int, Future[Scanned]],
        digest: Digest,
    ) -> dict[int, Scanned]:
        """Scan here what no other process has begun, the last range first."""
        scanner, own = self._in_one_go.scanner(), {}
        for at in reversed(range(len(cut))):
            if parts[at].cancel():
                start, end = cut[at]
                own[at] = scanner.scan(source, start, end)
                digest.tell((source.size_bytes if end is None else end) - start)
        return own

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._workers - 1,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_prepare,
                initargs=(self._plan,),
            )
        return self._executor


def ranges(size_bytes: int, workers: int) -> Iterator[Range]:
    """Cut a file into ranges: enough for every process to have some, none too large.

    The last one has no end: it takes what a growing file gained meanwhile.
    """
    step = min(LARGEST_RANGE, max(SMALLEST_RANGE, size_bytes // (4 * workers)))
    for start in range(0, size_bytes, step):
        yield start, start + step if start + step < size_bytes else None


def _prepare(plan: Plan) -> None:
    _own[:] = [plan.scanner()]


def _scan(source: Source, start: int, end: int | None) -> Scanned:
    return _own[0].scan(source, start, end)

"""Ranges of a file on this machine, scanned by several processes."""

from __future__ import annotations

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from droptune.validation.rules.example import Asked
from droptune.validation.scan import Scanned, Scanner
from droptune.validation.sources import Source

SMALLEST_RANGE, LARGEST_RANGE = 4 << 20, 16 << 20
_scanner: Scanner | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """What every process has to know."""

    asked: Asked
    encoding: str
    fast: bool = True


class Pool:
    """Processes that scan; they start at the first file that is worth it."""

    def __init__(self, plan: Plan, workers: int) -> None:
        """Use at most so many processes."""
        self._plan, self._workers = plan, workers
        self._executor: ProcessPoolExecutor | None = None

    def close(self) -> None:
        """End the processes."""
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)
            self._executor = None

    def scan(self, source: Source, meanwhile: Callable[[], object]) -> Scanned | None:
        """Return what a file holds, or None if a process died; `meanwhile` is called in between."""
        executor = self._started()
        futures = deque(
            executor.submit(_scan, source, start, end)
            for start, end in ranges(source.size_bytes, self._workers)
        )
        try:
            meanwhile()
            whole = futures.popleft().result()
            while futures:
                whole.merge(futures.popleft().result())
        except BrokenProcessPool:
            self.close()
            return None
        return whole

    def _started(self) -> ProcessPoolExecutor:
        if self._executor is None:
            self._executor = ProcessPoolExecutor(
                self._workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_prepare,
                initargs=(self._plan,),
            )
        return self._executor


def ranges(size_bytes: int, workers: int) -> Iterator[tuple[int, int]]:
    """Cut a file into ranges: enough for every process to have some, none too large."""
    step = min(LARGEST_RANGE, max(SMALLEST_RANGE, size_bytes // (4 * workers)))
    for start in range(0, size_bytes, step):
        yield start, min(start + step, size_bytes)


def _prepare(plan: Plan) -> None:
    global _scanner  # noqa: PLW0603  # a process of a pool has no other place of its own
    _scanner = Scanner(plan.asked, plan.encoding, fast=plan.fast)


def _scan(source: Source, start: int, end: int) -> Scanned:
    assert _scanner is not None
    return _scanner.scan(source, start, end)

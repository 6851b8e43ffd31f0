"""How far the reading of a dataset is, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from droptune.cli.terminal import Terminal

WORTH_BYTES = 8 << 20
_EVERY_SECONDS = 0.1
_BAR = 24
_TELLING_SHARE = 0.05


class ReadingProgress:
    """A line that is written again as bytes are read."""

    def __init__(self, size_bytes: int, terminal: Terminal, clock: Callable[[], float]) -> None:
        """Begin at no byte of so many; `clock` gives seconds."""
        self._size, self._terminal, self._clock = size_bytes, terminal, clock
        self._begun = self._shown = clock()
        self._done = 0

    def __call__(self, size_bytes: int) -> None:
        """Take note of bytes that were read."""
        self._done += size_bytes
        now = self._clock()
        if now - self._shown >= _EVERY_SECONDS:
            self._shown = now
            self._terminal.rewrite(self._line(now - self._begun))

    def _line(self, seconds: float) -> str:
        share = min(1.0, self._done / self._size) if self._size else 1.0
        full = round(share * _BAR)
        bar = f"{'█' * full}{'░' * (_BAR - full)}"
        read = f"{self._done / 1e6:,.0f} of {self._size / 1e6:,.0f} MB"
        return f"  {bar} {share:4.0%}  {read}{_left(share, seconds)}"


def _left(share: float, seconds: float) -> str:
    """Return how long it will take, once that can be told."""
    if share < _TELLING_SHARE:
        return ""
    left = seconds * (1 - share) / share
    return f", about {left:,.0f} s left" if left >= 1 else ", almost done"


@contextmanager
def reading_progress(size_bytes: int) -> Iterator[Callable[[int], None] | None]:
    """Yield what is to be told of bytes read: nothing for short files, or without a terminal."""
    terminal = Terminal(sys.stderr)
    if not terminal.is_live or size_bytes < WORTH_BYTES:
        yield None
        return
    try:
        yield ReadingProgress(size_bytes, terminal, time.monotonic)
    finally:
        terminal.erase()

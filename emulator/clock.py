"""The emulator's clock: real time, faster time, or time that a test turns."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable


class Clock(Protocol):
    """What the emulator asks for the time."""

    def now(self) -> datetime:
        """Return the aware UTC time; it never goes back."""


@runtime_checkable
class AdvancingClock(Protocol):
    """A clock that can be put forward."""

    def advance(self, seconds: float) -> None:
        """Put the clock forward by `seconds`."""


@runtime_checkable
class PacedClock(Protocol):
    """A clock that knows when outsiders saw what happened at an emulated time."""

    def seen(self, at: float) -> float:
        """Return the real Unix time of an emulated one."""


# From an emulated time on, which real time was it, and how many emulated seconds each one took.
Pace = list[float]


def seen_at(at: float, paces: Sequence[Pace]) -> float:
    """Return the real time of an emulated one, by the pace that held then.

    Where time was put forward, everything between happened at once.
    """
    known = [number for number, (begins, _, _) in enumerate(paces) if begins < at]
    if not known:
        return at
    begins, real, scale = paces[known[-1]]
    later = [begun for _, begun, _ in paces[known[-1] + 1 :]]
    return min([real + (at - begins) / scale, *later])


class ScaledClock:
    """Emulated time: `scale` seconds for each real one.

    `paces` holds how time went before; what happens from now on is added to it.
    """

    def __init__(
        self, *, start: datetime, scale: float = 1.0, paces: list[Pace] | None = None
    ) -> None:
        self.scale = scale
        self._start = start
        self._started = time.monotonic()
        self._advanced = timedelta()
        self._paces: list[Pace] = [] if paces is None else paces
        self._note_pace()

    def _note_pace(self) -> None:
        if self.scale:  # what only a test moves is seen as it is
            self._paces.append([self.now().timestamp(), time.time(), self.scale])

    def seen(self, at: float) -> float:
        """Return the real Unix time of an emulated one."""
        return seen_at(at, self._paces)

    def now(self) -> datetime:
        """Return the emulated UTC time."""
        passed = (time.monotonic() - self._started) * self.scale
        return self._start + self._advanced + timedelta(seconds=passed)

    def advance(self, seconds: float) -> None:
        """Put the clock forward by `seconds` of emulated time."""
        self._advanced += timedelta(seconds=seconds)
        self._note_pace()


class ManualClock:
    """Time that stands still until it is put forward."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """Return the time last set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Put the clock forward by `seconds`."""
        self._now += timedelta(seconds=seconds)

"""The emulator's clock: real time, faster time, or time that a test turns."""

from __future__ import annotations

import time
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


class ScaledClock:
    """Emulated time: `scale` seconds for each real one."""

    def __init__(self, *, start: datetime, scale: float = 1.0) -> None:
        self.scale = scale
        self._start = start
        self._started = time.monotonic()
        self._advanced = timedelta()

    def now(self) -> datetime:
        """Return the emulated UTC time."""
        passed = (time.monotonic() - self._started) * self.scale
        return self._start + self._advanced + timedelta(seconds=passed)

    def advance(self, seconds: float) -> None:
        """Put the clock forward by `seconds` of emulated time."""
        self._advanced += timedelta(seconds=seconds)


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

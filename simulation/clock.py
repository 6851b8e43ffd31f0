"""Virtual time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class VirtualClock:
    """Stands still until the simulation lets time pass.

    Attributes:
        passed: seconds since the beginning.
    """

    def __init__(self) -> None:
        """Begin at `START`."""
        self._now, self.passed = START, 0.0

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass; time never goes back."""
        self._now += timedelta(seconds=max(0.0, seconds))
        self.passed = (self._now - START).total_seconds()

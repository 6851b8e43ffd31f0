"""Virtual time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


class VirtualClock:
    """Stands still until the simulation lets time pass."""

    def __init__(self) -> None:
        """Begin at `START`."""
        self._now = START

    def now(self) -> datetime:
        """Return the aware UTC time."""
        return self._now

    @property
    def passed(self) -> float:
        """Seconds since the beginning."""
        return (self._now - START).total_seconds()

    def advance(self, seconds: float) -> None:
        """Let so many seconds pass; time never goes back."""
        self._now += timedelta(seconds=max(0.0, seconds))

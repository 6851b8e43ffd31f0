"""The emulated clock, and what it looks like to those whose clocks run at the real pace."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from emulator.clock import ScaledClock, seen_at

# From 1,000 on at 60 times the real pace; put forward from 1,600 to 9,000; stopped and started.
PACES = [[1_000.0, 1_000.0, 60.0], [9_000.0, 1_010.0, 60.0], [9_600.0, 5_000.0, 1.0]]


@pytest.mark.parametrize(
    ("emulated", "real"),
    [
        (900, 900),
        (1_000, 1_000),
        (1_300, 1_005),
        (5_000, 1_010),
        (9_300, 1_015),
        (9_600, 1_020),
        (9_700, 5_100),
    ],
)
def test_emulated_time_is_seen_when_it_really_happened(emulated: float, real: float) -> None:
    """Scaled time shrinks, what was put forward happened at once, and no restart is forgotten."""
    assert seen_at(emulated, PACES) == real


def test_scaled_clock_tells_the_future_in_real_seconds() -> None:
    """What comes in an emulated hour comes in a real minute."""
    clock = ScaledClock(start=datetime(2026, 11, 23, tzinfo=UTC), scale=60)

    in_an_hour = clock.seen(clock.now().timestamp() + 3_600)

    assert in_an_hour - time.time() == pytest.approx(60, abs=1)


def test_restarted_clock_keeps_what_was_seen() -> None:
    """The past does not move when the emulator starts again at another pace."""
    paces: list[list[float]] = []
    first = ScaledClock(start=datetime(2026, 11, 23, tzinfo=UTC), scale=100, paces=paces)
    happened = first.now().timestamp() + 50
    seen = first.seen(happened)

    second = ScaledClock(start=datetime(2026, 11, 24, tzinfo=UTC), scale=10, paces=paces)

    assert second.seen(happened) == pytest.approx(seen, abs=1)

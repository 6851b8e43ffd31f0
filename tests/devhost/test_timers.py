"""When a schedule comes next."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from devhost.functions import Function
from devhost.timers import Timer, next_time

AFTER = datetime(2026, 1, 1, 12, 0, 0, 500_000, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("* * * * * *", "2026-01-01 12:00:01"),
        ("0 */5 * * * *", "2026-01-01 12:05:00"),
        ("30 * * * * *", "2026-01-01 12:00:30"),
        ("0 0 12 * * *", "2026-01-02 12:00:00"),
        ("0 0 0 1 * *", "2026-02-01 00:00:00"),
        ("0 0 0 31 * *", "2026-01-31 00:00:00"),
        ("0 0 0 31 4-6 *", "2026-05-31 00:00:00"),
        ("0 0 9 * * 1", "2026-01-05 09:00:00"),
        ("0 0 9 * * MON-FRI", "2026-01-02 09:00:00"),
        ("0 0 9 * * sun", "2026-01-04 09:00:00"),
        ("0 0 0 1 DEC *", "2026-12-01 00:00:00"),
        ("0 15,45 * * * *", "2026-01-01 12:15:00"),
        ("0 10-20/5 * * * *", "2026-01-01 12:10:00"),
        ("0 50/4 * * * *", "2026-01-01 12:50:00"),
        ("0 0 0 29 2 *", "2028-02-29 00:00:00"),
        ("0 0 0 13 * 5", "2026-02-13 00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31 23:59:59"),
    ],
)
def test_schedule_comes_next_at(schedule: str, expected: str) -> None:
    """Seconds, minutes, hours, days, months and weekdays, all of which must fit."""
    assert f"{next_time(schedule, AFTER):%Y-%m-%d %H:%M:%S}" == expected


def test_time_that_fits_is_not_given_twice() -> None:
    """The next one is later than the last."""
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)

    assert next_time("0 0 12 * * *", noon) == noon.replace(day=2)


@pytest.mark.parametrize(
    ("schedule", "named"),
    [
        ("* * * * *", "six fields"),
        ("00:05:00", "six fields"),
        ("60 * * * * *", "outside 0 to 59"),
        ("0 0 0 0 * *", "outside 1 to 31"),
        ("0 0 0 * * 7", "outside 0 to 6"),
        ("0 30-10 * * * *", "outside 0 to 59"),
        ("0 */0 * * * *", "outside 0 to 59"),
        ("0 0 0 * NEVER *", "'NEVER' is no number and no name"),
        ("0 0 0 30 2 *", "never comes"),
    ],
)
def test_text_that_is_no_schedule_is_refused(schedule: str, named: str) -> None:
    """With what is wrong in it."""
    with pytest.raises(ValueError, match=named):
        next_time(schedule, AFTER)


@pytest.mark.parametrize(("took", "pause"), [(0.1, 5.0), (2.0, 18.0)])
def test_period_is_longer_where_a_call_takes_long(took: float, pause: float) -> None:
    """What replaces a schedule by seconds keeps the host busy for a tenth of its time at most."""
    function = Function(name="look", trigger={"type": "timerTrigger"}, call=print)
    timer = Timer(function=function, schedule="0 30 3 * * *", period=5.0)

    assert timer.pause(took) == pause

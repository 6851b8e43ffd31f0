"""Timer triggers: NCRONTAB schedules of six fields, in UTC."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from azure.functions.timer import TimerRequest

from devhost.functions import Function, LoadedApp

_logger = logging.getLogger(__name__)
_RANGES = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))


def next_time(schedule: str, after: datetime) -> datetime:
    """Return the first second after `after` that fits; raises ValueError for what is no
    schedule."""
    fields = schedule.split()
    if len(fields) != 6:
        raise ValueError(f"{schedule!r} does not have six fields")
    wanted = [_values(text, low, high) for text, (low, high) in zip(fields, _RANGES, strict=True)]
    at = after.replace(microsecond=0) + timedelta(seconds=1)
    while True:
        if not (
            at.month in wanted[4] and at.day in wanted[3] and (at.weekday() + 1) % 7 in wanted[5]
        ):
            at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        elif at.hour not in wanted[2]:
            at = at.replace(minute=0, second=0) + timedelta(hours=1)
        elif at.minute not in wanted[1]:
            at = at.replace(second=0) + timedelta(minutes=1)
        elif at.second not in wanted[0]:
            at += timedelta(seconds=1)
        else:
            return at


def _values(text: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        start = low if span == "*" else int(first)
        end = high if span == "*" or (step and not dash) else int(last) if dash else start
        if not low <= start <= end <= high:
            raise ValueError(f"{part!r} is outside {low} to {high}")
        found.update(range(start, end + 1, int(step) if step else 1))
    return found


async def run_timer(app: LoadedApp, function: Function, period: float | None) -> None:
    """Call a timer's function when it is due; `period` seconds override its schedule."""
    if function.trigger.get("runOnStartup"):
        await _fire(app, function)
    while True:
        now = datetime.now(UTC)
        due = next_time(str(function.trigger["schedule"]), now)
        await asyncio.sleep(period if period is not None else (due - now).total_seconds())
        await _fire(app, function)


async def _fire(app: LoadedApp, function: Function) -> None:
    try:
        await app.call(function, TimerRequest(past_due=False))
    except Exception:
        _logger.exception("Timer %s raised", function.name)

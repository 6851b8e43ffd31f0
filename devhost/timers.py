"""Timer triggers: NCRONTAB schedules of six fields, in UTC."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from azure.functions.timer import TimerRequest

from devhost.functions import Function, LoadedApp, UnsupportedBindingError
from devhost.settings import resolve

_logger = logging.getLogger(__name__)
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
_REST = 9  # times as long as a call took: what replaces a schedule by seconds keeps nobody busy
_LONGEST = timedelta(days=366 * 8)  # from one 29 February over a century's end to the next


@dataclass(frozen=True, kw_only=True)
class _Field:
    """What a field of a schedule may hold."""

    low: int
    high: int
    names: Sequence[str] = ()

    def values(self, text: str) -> set[int]:
        """Return the numbers that a field's text stands for; raises ValueError."""
        found: set[int] = set()
        for part in text.split(","):
            span, _, step = part.partition("/")
            first, dash, last = span.partition("-")
            start = self.low if span == "*" else self._number(first)
            open_ended = span == "*" or (step and not dash)
            end = self.high if open_ended else self._number(last) if dash else start
            stride = self._number(step) if step else 1
            if not (self.low <= start <= end <= self.high and stride > 0):
                raise ValueError(f"{part!r} is outside {self.low} to {self.high}")
            found.update(range(start, end + 1, stride))
        return found

    def _number(self, text: str) -> int:
        name = text.lower()
        if name in self.names:
            return self.names.index(name) + self.low
        if not text.isdecimal():
            raise ValueError(f"{text!r} is no number" + (" and no name" if self.names else ""))
        return int(text)


_FIELDS = (
    _Field(low=0, high=59),
    _Field(low=0, high=59),
    _Field(low=0, high=23),
    _Field(low=1, high=31),
    _Field(low=1, high=12, names=_MONTHS),
    _Field(low=0, high=6, names=_DAYS),
)


def next_time(schedule: str, after: datetime) -> datetime:
    """Return the first second after `after` that fits; raises ValueError for what is no
    schedule."""
    fields = schedule.split()
    if len(fields) != len(_FIELDS):
        raise ValueError(f"{schedule!r} does not have six fields")
    wanted = [field.values(text) for field, text in zip(_FIELDS, fields, strict=True)]
    seconds, minutes, hours, days, months, weekdays = wanted
    at = after.replace(microsecond=0) + timedelta(seconds=1)
    while at - after < _LONGEST:
        if not (at.month in months and at.day in days and at.isoweekday() % 7 in weekdays):
            at = at.replace(hour=0, minute=0, second=0) + timedelta(days=1)
        elif at.hour not in hours:
            at = at.replace(minute=0, second=0) + timedelta(hours=1)
        elif at.minute not in minutes:
            at = at.replace(second=0) + timedelta(minutes=1)
        elif at.second not in seconds:
            at += timedelta(seconds=1)
        else:
            return at
    raise ValueError(f"{schedule!r} never comes")


@dataclass(frozen=True, kw_only=True)
class Timer:
    """A function and when it is called; `period` seconds override its schedule."""

    function: Function
    schedule: str
    period: float | None = None

    async def run(self, app: LoadedApp) -> None:
        """Call the function when it is due, until cancelled."""
        took = 0.0
        if self.function.trigger.get("runOnStartup"):
            took = await self._fire(app)
        while True:
            await asyncio.sleep(self.pause(took))
            took = await self._fire(app)

    def pause(self, took: float) -> float:
        """Return the seconds until the next call, after one that took so many."""
        if self.period:
            return max(self.period, _REST * took)
        now = datetime.now(UTC)
        return (next_time(self.schedule, now) - now).total_seconds()

    async def _fire(self, app: LoadedApp) -> float:
        """Call the function, and return how many seconds it took."""
        began = time.monotonic()
        try:
            await app.call(self.function, TimerRequest(past_due=False))
        except Exception:
            _logger.exception("Timer %s raised", self.function.name)
        return time.monotonic() - began


def timers(app: LoadedApp, period: float | None) -> Sequence[Timer]:
    """Return the app's timers; raises UnsupportedBindingError for a schedule that is none."""
    return [_timer(function, period) for function in app.of_kind("timerTrigger")]


def _timer(function: Function, period: float | None) -> Timer:
    schedule = resolve(str(function.trigger["schedule"]))
    try:
        next_time(schedule, datetime.now(UTC))
    except ValueError as error:
        raise UnsupportedBindingError(f"{function.name}: schedule: {error}") from error
    return Timer(function=function, schedule=schedule, period=period)

"""How values read on a page: ages, lengths of time, money, sizes, hostile text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from droptune.api import sentences
from droptune.domain.payload import format_time, parse_time

# Controls, and what turns the direction of a text around it.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def inert(value: Any) -> Any:
    """Return text without controls, lone surrogates and overrides of direction; a page prints
    nothing for None."""
    if value is None:
        return ""
    if type(value) is str:
        return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", value)
    return value


def as_time(value: object) -> datetime | None:
    """Return a time, from RFC 3339 text, too; None for anything else."""
    if isinstance(value, datetime):
        return value
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None


def iso(value: object) -> str:
    """Return a time as machines read it."""
    at = as_time(value)
    return format_time(at.replace(microsecond=0)) if at else ""


def full(value: object) -> str:
    """Return a time as people read it, in UTC."""
    at = as_time(value)
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M:%S} UTC" if at else ""


def day(value: object) -> str:
    """Return the date of a time."""
    at = as_time(value)
    return f"{at.astimezone(UTC):%-d %b %Y}" if at else ""


def ago(value: object, now: datetime) -> str:
    """Return how long ago a time was, or how far ahead it is."""
    at = as_time(value)
    if at is None:
        return ""
    seconds = (now - at).total_seconds()
    if seconds < 0:
        return f"in {sentences.duration(-seconds)}"
    return "just now" if seconds < 5 else f"{sentences.duration(seconds)} ago"


def took(seconds: object) -> str:
    """Return a length of time with two units at most: 41 s, 3 min 5 s, 2 h 10 min, 3 d 4 h."""
    if not isinstance(seconds, int | float):
        return ""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    for big, small, size, unit in _UNITS:
        if whole < size * unit:
            first, rest = divmod(whole, unit)
            second = rest // (unit // 60 if unit < 86_400 else 3_600)
            return f"{first} {big} {second} {small}" if second else f"{first} {big}"
    return f"{whole // 86_400} d"


_UNITS = (("min", "s", 60, 60), ("h", "min", 24, 3_600), ("d", "h", 14, 86_400))


def money(amount: object) -> str:
    """Return an amount of US dollars; small ones keep their cents and less."""
    if not isinstance(amount, int | float):
        return "not known"
    if 0 < amount < 0.01:
        return "under $0.01"
    return sentences.money(round(float(amount), 2))


def count(value: object) -> str:
    """Return a whole number with separators, as text anything else."""
    return f"{value:,}" if isinstance(value, int) else str(inert(value))


def size(value: object) -> str:
    """Return a number of bytes."""
    if not isinstance(value, int):
        return ""
    amount = float(value)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"


def words(value: object) -> str:
    """Return an identifier as words."""
    return str(inert(value)).replace("_", " ")

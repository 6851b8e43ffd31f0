"""What a search in a text finds, and how it is told: the first place and how many follow."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple, TypeVar

MOST = 100
T = TypeVar("T")


class Found(NamedTuple):
    """Something that is not to be shown: where it stands, what it is, what may be shown of it."""

    start: int
    end: int
    what: str
    shown: str


def first_of(found: Iterable[T]) -> tuple[T | None, str]:
    """Return the first, and how many follow it as ", and 3 more"; looks at a hundred."""
    some = list(islice(found, MOST))
    if not some:
        return None, ""
    least = "at least " if len(some) == MOST else ""
    return some[0], f", and {least}{len(some) - 1} more" if len(some) > 1 else ""

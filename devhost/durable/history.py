"""Rows of an orchestration's history, as the extension writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import Any

Row = dict[str, Any]


class Kind(IntEnum):
    """EventType of a row."""

    EXECUTION_STARTED = 0
    EXECUTION_COMPLETED = 1
    EXECUTION_TERMINATED = 3
    TASK_SCHEDULED = 4
    TASK_COMPLETED = 5
    TASK_FAILED = 6
    SUB_CREATED = 7
    SUB_COMPLETED = 8
    SUB_FAILED = 9
    TIMER_CREATED = 10
    TIMER_FIRED = 11
    ORCHESTRATOR_STARTED = 12
    ORCHESTRATOR_COMPLETED = 13
    EVENT_RAISED = 15


SCHEDULED = (Kind.TASK_SCHEDULED, Kind.SUB_CREATED, Kind.TIMER_CREATED)


def row(kind: Kind, at: datetime, *, event_id: int = -1, **fields: Any) -> Row:
    """Return a row; `at` is its timestamp."""
    return {
        "EventType": int(kind),
        "EventId": event_id,
        "IsPlayed": False,
        "Timestamp": stamp(at),
        **fields,
    }


def taken_in(message: Row, at: datetime) -> Row:
    """Return the row that a message to a running instance becomes."""
    kind = message["kind"]
    if kind == "event":
        return row(Kind.EVENT_RAISED, at, Name=message["name"], Input=message["input"])
    if kind == "timer":
        return row(Kind.TIMER_FIRED, at, TimerId=message["id"], FireAt=message["fire_at"])
    sub = kind.startswith("sub_")
    if kind.endswith("completed"):
        done = Kind.SUB_COMPLETED if sub else Kind.TASK_COMPLETED
        return row(done, at, TaskScheduledId=message["id"], Result=message["result"])
    failed, reason = Kind.SUB_FAILED if sub else Kind.TASK_FAILED, message["reason"]
    return row(failed, at, TaskScheduledId=message["id"], Reason=reason, Details=reason)


@lru_cache(maxsize=1024)
def stamp(at: datetime) -> str:
    """Return a time as history writes it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_stamp(text: str) -> datetime:
    """Read a time of a history or an action; without an offset it is UTC."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return at if at.tzinfo else at.replace(tzinfo=UTC)

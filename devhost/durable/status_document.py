"""What the client's RPC shows of an instance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import QueryParams

from devhost.durable.history import Kind, Row, parse_stamp
from devhost.durable.store import Instance

_NOT_SHOWN = (Kind.ORCHESTRATOR_STARTED, Kind.ORCHESTRATOR_COMPLETED)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """How much a caller wants to see."""

    input: bool = True
    history: bool = False
    history_output: bool = False

    @classmethod
    def of(cls, query: QueryParams) -> Wanted:
        """Read `showInput`, `showHistory` and `showHistoryOutput`; the input is shown unless
        refused."""
        return cls(
            input=query.get("showInput", "true").lower() != "false",
            history=query.get("showHistory", "").lower() == "true",
            history_output=query.get("showHistoryOutput", "").lower() == "true",
        )


def show(instance: Instance, history: list[Row], wanted: Wanted) -> dict[str, Any]:
    """Return an instance's status document."""
    document = {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": instance.input if wanted.input else None,
        "customStatus": _value(instance.custom_status),
        "output": _value(instance.output),
        "createdTime": _seconds(parse_stamp(instance.created_at)),
        "lastUpdatedTime": _seconds(parse_stamp(instance.updated_at)),
    }
    if wanted.history:
        document["historyEvents"] = [
            _event(row, wanted) for row in history if row["EventType"] not in _NOT_SHOWN
        ]
    return document


def _event(row: Row, wanted: Wanted) -> dict[str, Any]:
    kind = "".join(word.capitalize() for word in Kind(row["EventType"]).name.split("_"))
    event = {"EventType": kind, "Timestamp": row["Timestamp"]}
    shown = ("Name", "FireAt", "Reason", "OrchestrationStatus", "TaskScheduledId", "TimerId")
    hidden = (
        *(("Input",) if wanted.input else ()),
        *(("Result",) if wanted.history_output else ()),
    )
    return event | {name: row[name] for name in (*shown, *hidden) if row.get(name) is not None}


def _value(text: str | None) -> Any:
    return json.loads(text) if text else None


def _seconds(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")

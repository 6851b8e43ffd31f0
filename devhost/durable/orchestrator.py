"""Calling an orchestrator with its history, and reading what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from devhost.durable.history import Row
from devhost.durable.store import Instance

_LABEL = "$OutOfProcData$:"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an orchestrator answered: the protocol's fields.

    `broke` says that it raised without the SDK's label: there are no actions to replay, and the
    instance fails at once. Output and custom status are JSON text.
    """

    actions: Sequence[dict[str, Any]] = field(default_factory=list)
    is_done: bool = False
    output: str | None = None
    error: str | None = None
    custom_status: str | None = None
    broke: bool = False


def ask(
    orchestrator: Callable[[str], str],
    instance: Instance,
    history: Sequence[Row],
    *,
    is_replaying: bool,
) -> Answer:
    """Run an orchestrator from the top."""
    body = {
        "history": history,
        "input": instance.input,
        "instanceId": instance.id,
        "isReplaying": is_replaying,
        "parentInstanceId": instance.parent,
        "upperSchemaVersion": 2,
        "maximumShortTimerDuration": "6.00:00:00",
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
    }
    try:
        return _read(json.loads(orchestrator(json.dumps(body))))
    except Exception as error:  # noqa: BLE001 - an orchestrator may raise anything
        return _failed(error)


def _read(document: Mapping[str, Any]) -> Answer:
    actions = [action for batch in document.get("actions", []) for action in batch]
    output, status = document.get("output"), document.get("customStatus")
    return Answer(
        actions=actions,
        is_done=bool(document.get("isDone")),
        output=json.dumps(output) if "output" in document else None,
        error=document.get("error"),
        custom_status=json.dumps(status) if status else None,
    )


def _failed(error: Exception) -> Answer:
    """Return what a failing orchestrator left behind its label, or the error alone."""
    message, _, left = str(error).partition(_LABEL)
    if not left:
        return Answer(error=f"{type(error).__name__}: {message.strip()}", broke=True)
    answer = _read(json.loads(left))
    return replace(answer, error=answer.error or message.strip())

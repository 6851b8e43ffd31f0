"""Calling an orchestrator with its history, and reading what it answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

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
    history: str,
    *,
    is_replaying: bool,
) -> Answer:
    """Run an orchestrator from the top; `history` is the JSON text of its rows."""
    body = {
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
        rest = json.dumps(body).removeprefix("{")
        return _read(json.loads(orchestrator(f'{{"history": {history}, {rest}')))
    except Exception as error:  # noqa: BLE001 - an orchestrator may raise anything
        return _failed(error)


def joined(first: str, then: str) -> str:
    """Return two lists as one, all of them JSON text."""
    if first == "[]":
        return then
    return f"{first[:-1]}, {then[1:]}" if then != "[]" else first


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

"""Which fine-tuning method a dataset was made for, from its first lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

_FIRST_LINES = 50
_REFUSALS = (msgspec.MsgspecError, ValueError, RecursionError)


def recognise_format(start: bytes) -> str:
    """Return supervised, dpo or reinforcement: what most of the first lines are."""
    votes = Counter(_format_of(value) for value in _first_objects(start))
    return max(("supervised", "dpo", "reinforcement"), key=lambda name: votes[name])


def _first_objects(start: bytes) -> Iterator[dict[str, Any]]:
    for line in start.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:_FIRST_LINES]:
        try:
            value = msgspec.json.decode(line)
        except _REFUSALS:
            continue
        if type(value) is dict:
            yield value


def _format_of(value: dict[str, Any]) -> str:
    if "preferred_output" in value or "non_preferred_output" in value:
        return "dpo"
    messages = value.get("messages")
    if type(messages) is not list or not messages:
        return ""
    last = messages[-1].get("role") if type(messages[-1]) is dict else None
    more = value.keys() - {"messages", "tools", "parallel_tool_calls", "functions", "metadata"}
    return "reinforcement" if last == "user" and more else "supervised"

"""The question that a new deployment is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from activities.configurations import configuration_of
from activities.pinned_data import open_data
from droptune.domain.dataset import Role
from droptune.domain.errors import BlobNotFoundError, ConflictError
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore

DEFAULT = ({"role": "user", "content": "Hello, who are you?"},)
_LONGEST_LINE = 16 << 20
_SAID = ("system", "developer", "user", "assistant")

Messages = Sequence[Mapping[str, Any]]


def question(record: RunRecord, datasets: BlobStore) -> Messages:
    """Return the messages of the smoke test: as configured, else the first example held out.

    The model is paid for by now: a dataset that has changed or gone meanwhile, or an example that
    cannot be asked, leads to the next role's, and in the end to a greeting.
    """
    smoke_test = configuration_of(record).pipeline.smoke_test
    if smoke_test is not None and smoke_test.messages:
        return smoke_test.messages
    for role in (Role.TEST, Role.VALIDATION, Role.TRAINING):
        if messages := _first_prompt(record, role, datasets):
            return messages
    return DEFAULT


def _first_prompt(record: RunRecord, role: Role, datasets: BlobStore) -> Messages:
    pins = record.pins_of(role)
    try:
        with open_data(datasets, pins) as data:
            example = json.loads(data.readline(_LONGEST_LINE).decode("utf-8-sig"))
    except (ConflictError, BlobNotFoundError, ValueError):
        return ()
    if not isinstance(example, Mapping):
        return ()
    asked = example.get("input")
    if isinstance(asked, Mapping):  # a preference: its prompt stands apart from the answers
        return _prompt(asked.get("messages"))
    messages = example.get("messages")
    return _prompt(messages[:-1]) if isinstance(messages, list) else ()


def _prompt(messages: object) -> list[Mapping[str, Any]]:
    """Return what can be asked, up to the last user message; tool calls are left out."""
    given = messages if isinstance(messages, list) else []
    plain = [m for m in given if isinstance(m, Mapping) and isinstance(m.get("content"), str)]
    asked = [m for m in plain if m.get("role") in _SAID and "tool_calls" not in m]
    while asked and asked[-1].get("role") != "user":
        asked.pop()
    return asked

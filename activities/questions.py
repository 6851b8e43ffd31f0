"""The question that a new deployment is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from activities.configurations import configuration_of
from activities.pinned_data import open_data
from droptune.domain.dataset import Role
from droptune.domain.errors import BlobNotFoundError, ConflictError
from droptune.domain.identity import canonical
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore

DEFAULT = ({"role": "user", "content": "Hello, who are you?"},)
_LONGEST_LINE = 16 << 20
_MOST_LINES = 1000
_LONGEST_PROMPT = 8_000
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


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """An example of held-out data as it can be asked.

    Attributes:
        line: 1-based, in the role's joined data.
        expected: what the example answers, or "".
    """

    line: int
    messages: Messages
    expected: str = ""

    @property
    def last(self) -> str:
        """What the user says last."""
        return str(self.messages[-1].get("content", ""))


def prompts(record: RunRecord, role: Role, datasets: BlobStore) -> Iterator[Prompt]:
    """Iterate over the prompts of a role's first lines that can be asked, each once.

    Ends early where the data has changed or gone. Prompts above 8,000 bytes are left out, and
    lines that hold no example.
    """
    seen: set[bytes] = set()
    try:
        with open_data(datasets, record.pins_of(role)) as data:
            for line in range(1, _MOST_LINES + 1):
                if not (raw := data.readline(_LONGEST_LINE)):
                    return
                prompt = _prompt_of(raw, line)
                key = canonical([dict(m) for m in prompt.messages]) if prompt else b""
                if prompt and key not in seen and len(key) <= _LONGEST_PROMPT:
                    seen.add(key)
                    yield prompt
    except (ConflictError, BlobNotFoundError):
        return


def _prompt_of(raw: bytes, line: int) -> Prompt | None:
    try:
        example = json.loads(raw.decode("utf-8-sig"))
    except ValueError:
        return None
    messages = _asked(example) if isinstance(example, Mapping) else ()
    return Prompt(line=line, messages=messages, expected=_expected(example)) if messages else None


def _expected(example: Mapping[str, Any]) -> str:
    """Return the text of the answer that an example, or the preferred one of a pair, ends with."""
    said = example.get("preferred_output") or example.get("messages")
    last = said[-1] if isinstance(said, list) and said else None
    text = last.get("content") if isinstance(last, Mapping) else None
    return text if isinstance(text, str) else ""


def _first_prompt(record: RunRecord, role: Role, datasets: BlobStore) -> Messages:
    pins = record.pins_of(role)
    try:
        with open_data(datasets, pins) as data:
            example = json.loads(data.readline(_LONGEST_LINE).decode("utf-8-sig"))
    except (ConflictError, BlobNotFoundError, ValueError):
        return ()
    return _asked(example) if isinstance(example, Mapping) else ()


def _asked(example: Mapping[str, Any]) -> Messages:
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

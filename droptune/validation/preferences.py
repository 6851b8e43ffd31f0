"""The rules of the preference format (DPO)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.chat import Complaint, check_messages

_OUTPUTS = ("preferred_output", "non_preferred_output")


def check_preference(example: Mapping[str, Any]) -> Iterator[Complaint]:
    """Yield everything that is wrong with a preference example. Source: facts 4, [FT-DPO1]."""
    given = example.get("input")
    messages = given.get("messages") if isinstance(given, Mapping) else None
    if not isinstance(messages, list) or not messages:
        yield _missing("input.messages", "Write the prompt's messages there.")
    else:
        yield from check_messages(messages, "input.messages")
    for name in _OUTPUTS:
        output = example.get(name)
        if not isinstance(output, list) or not output:
            yield _missing(name, "Write the answer's messages there.")
        else:
            yield from check_messages(output, name)
            yield from _check_output(output, name)
    if example.get(_OUTPUTS[0]) == example.get(_OUTPUTS[1]) is not None:
        yield Complaint(
            rule="same-outputs",
            path=_OUTPUTS[1],
            message="both outputs are the same, so there is nothing to prefer.",
            fix="Remove the example.",
            severity=Severity.WARNING,
        )


def messages_of(example: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all messages of a preference example, for counting."""
    given = example.get("input")
    lists = [given.get("messages") if isinstance(given, Mapping) else None]
    lists += [example.get(name) for name in _OUTPUTS]
    return [m for found in lists if isinstance(found, list) for m in found if isinstance(m, dict)]


def _check_output(output: list[Any], name: str) -> Iterator[Complaint]:
    roles = [m.get("role") for m in output if isinstance(m, Mapping)]
    if any(role not in ("assistant", "tool") for role in roles) or "assistant" not in roles:
        yield Complaint(
            rule="bad-output",
            path=name,
            message="an output holds only assistant and tool messages, one assistant's at least.",
            fix="Move the prompt to input.messages.",
        )


def _missing(path: str, fix: str) -> Complaint:
    message = f"{path} is missing or empty."
    return Complaint(rule="missing-messages", path=path, message=message, fix=fix)

"""Preference pairs (DPO)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.rules.example import OUTPUTS, Example
from droptune.validation.rules.fixtures import assistant, pair, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("dpo")
GOOD = case(pair(), method="dpo")
DPO = ("dpo",)


@rules.example(
    "missing-input",
    Severity.ERROR,
    says="A preference pair has no prompt.",
    fix='Write {"input": {"messages": [...]}, …}.',
    cookbook="missing_messages_list",
    formats=DPO,
    odd_only=True,
    fails=case(pair(prompt=[]), method="dpo"),
    passes=GOOD,
)
def missing_input(example: Example) -> Iterator[Place]:
    """Yield a place if `input.messages` is missing, empty or no list."""
    given = example.value.get("input")
    messages = given.get("messages") if type(given) is dict else None
    if type(messages) is not list or not messages:
        yield Place(message="input.messages is missing or empty", path="input.messages")


@rules.example(
    "missing-output",
    Severity.ERROR,
    says="A side of a preference pair is missing.",
    fix="Write both preferred_output and non_preferred_output, each a list of messages.",
    formats=DPO,
    odd_only=True,
    fails=case(pair(other=[]), method="dpo"),
    passes=GOOD,
)
def missing_output(example: Example) -> Iterator[Place]:
    """Yield a place for each side that is missing, empty or no list."""
    for name in OUTPUTS:
        if type(example.value.get(name)) is not list or not example.value[name]:
            yield Place(message=f"{name} is missing or empty", path=name)


@rules.example(
    "bad-output",
    Severity.ERROR,
    says="A side of a preference pair holds more than assistant and tool messages, or no answer.",
    fix="Move the prompt to input.messages; end each side with the assistant's answer.",
    formats=DPO,
    odd_only=True,
    fails=case(pair([user(), assistant()]), method="dpo"),
    passes=GOOD,
)
def bad_output(example: Example) -> Iterator[Place]:
    """Yield a place for each side with other roles, or without an assistant's message."""
    for name in OUTPUTS:
        roles = _roles(example.value.get(name))
        if roles and ("assistant" not in roles or set(roles) - {"assistant", "tool"}):
            said = "a side holds only assistant and tool messages, one assistant's at least"
            yield Place(message=said, path=name)


@rules.example(
    "same-outputs",
    Severity.ERROR,
    says="Both sides of a preference pair are the same, so there is nothing to prefer.",
    fix="Remove the example.",
    formats=DPO,
    odd_only=True,
    fails=case(pair([assistant("Yes")], [assistant("Yes")]), method="dpo"),
    passes=GOOD,
)
def same_outputs(example: Example) -> Iterator[Place]:
    """Yield a place if both sides hold the same."""
    preferred, other = (example.value.get(name) for name in OUTPUTS)
    if preferred and preferred == other:
        yield Place(message="both sides are the same", path=OUTPUTS[1])


def _roles(output: Any) -> list[str]:
    if type(output) is not list:
        return []
    return [str(message.get("role")) for message in output if type(message) is dict]

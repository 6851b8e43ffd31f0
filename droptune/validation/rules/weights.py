"""`weight`: which assistant messages are learned from."""

from __future__ import annotations

from collections.abc import Iterator

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("chat")
GOOD = case(chat(user(), assistant(weight=0), user(), assistant(weight=1)))


@rules.example(
    "bad-weight",
    Severity.ERROR,
    says="A weight is neither 0 nor 1.",
    fix="Use the number 0 or 1.",
    odd_only=True,
    fails=case(chat(user(), assistant(weight=0.5))),
    passes=GOOD,
)
def bad_weight(example: Example) -> Iterator[Place]:
    """Yield a place for each weight that is no 0 or 1; true and "1" are none."""
    for message in example.messages:
        weight = message.value.get("weight")
        if weight is not None and (type(weight) is not int or weight not in (0, 1)):
            yield Place(message="weight is not 0 or 1", path=f"{message.path}.weight")


@rules.example(
    "weight-on-others",
    Severity.ERROR,
    says="A weight stands on a message that is not the assistant's.",
    fix="Remove it.",
    odd_only=True,
    fails=case(chat(user(weight=0), assistant())),
    passes=GOOD,
)
def weight_on_others(example: Example) -> Iterator[Place]:
    """Yield a place for each weight of another role."""
    for message in example.messages:
        if message.value.get("weight") is not None and message.role != "assistant":
            said = "weight stands on a message that is not the assistant's"
            yield Place(message=said, path=f"{message.path}.weight")


@rules.example(
    "all-weights-zero",
    Severity.ERROR,
    says="Every assistant message has weight 0, so there is nothing to learn.",
    fix="Give the wanted answer weight 1, or remove the example.",
    formats=("supervised",),
    odd_only=True,
    fails=case(chat(user(), assistant(weight=0))),
    passes=GOOD,
)
def all_weights_zero(example: Example) -> Iterator[Place]:
    """Yield a place if there are answers, and none has a weight other than 0."""
    weights = [m.value.get("weight") for m in example.messages if m.role == "assistant"]
    if weights and all(type(weight) is int and weight == 0 for weight in weights):
        yield Place(message="every assistant message has weight 0", path="messages")

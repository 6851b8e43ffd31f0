"""Reinforcement: recognised and checked; what a run does about it is not the data's matter."""

from __future__ import annotations

from collections.abc import Iterator

from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.validation.rules.example import DatasetView, Example
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("reinforcement")
RFT = ("reinforcement",)
LINE = chat(user("How much is 2 + 2?"), answer="4")


@rules.dataset(
    "not-yet",
    Severity.ERROR,
    says="Reinforcement fine-tuning is not supported yet.",
    fix="Use supervised or dpo.",
    formats=RFT,
    fails=case(LINE, method="reinforcement"),
    passes=case(LINE),
)
def not_yet(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if the configuration asks for it; data alone may be looked at."""
    if dataset.asked.request.method == "reinforcement":
        yield Place(message="reinforcement fine-tuning is not supported yet")


@rules.example(
    "last-message-not-user",
    Severity.ERROR,
    says="The last message of a reinforcement example is not the user's.",
    fix="End with the question; the grader reads the reference from other fields.",
    formats=RFT,
    odd_only=False,
    fails=case(chat(user(), assistant(), answer="4"), method="reinforcement"),
    passes=case(LINE, method="reinforcement"),
)
def last_message_not_user(example: Example) -> Iterator[Place]:
    """Yield a place if the last message is another role's."""
    messages = example.value.get("messages")
    if type(messages) is list and messages and example.messages:
        last = example.messages[-1]
        if last.role != "user":
            said = "the last message is not the user's"
            yield Place(message=said, path=f"{last.path}.role")


@rules.example(
    "missing-grader-field",
    Severity.ERROR,
    says="An example lacks a field that the grader reads.",
    fix="Add the field, or change the grader.",
    formats=RFT,
    odd_only=True,
    fails=case(LINE, method="reinforcement", grader_fields=("reference",)),
    passes=case(LINE, method="reinforcement", grader_fields=("answer",)),
)
def missing_grader_field(example: Example) -> Iterator[Place]:
    """Yield a place for each field of `item` that is not there."""
    for name in example.asked.request.grader_fields:
        if name not in example.value:
            yield Place(message=f"the grader reads item.{name}, which is missing", path=name)


@rules.dataset(
    "missing-validation-data",
    Severity.ERROR,
    says="Reinforcement fine-tuning needs validation data.",
    fix="Add validation.jsonl; `droptune split` makes one.",
    formats=RFT,
    fails=case(LINE, method="reinforcement"),
    passes=case(LINE, method="reinforcement", validation=(LINE,)),
)
def missing_validation_data(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place if there is training data alone."""
    if dataset.training and not dataset.of(Role.VALIDATION):
        yield Place(message="there is no validation data")

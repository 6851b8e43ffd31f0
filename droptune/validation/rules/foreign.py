"""Shapes of other vendors and tools, recognised by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example
from droptune.validation.rules.fixtures import chat, pair
from droptune.validation.rules.registry import Family, Place, case

rules = Family("shapes")


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """How somebody else writes examples.

    Attributes:
        keys: what an example of this shape has; those of ours, it has not.
    """

    id: str
    name: str
    keys: frozenset[str]
    sample: Mapping[str, Any]
    fix: str = "`droptune convert` writes it as messages."


SHAPES = (
    Shape(
        id="sharegpt",
        name="ShareGPT's (conversations with from and value)",
        keys=frozenset({"conversations"}),
        sample={
            "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Ho"}]
        },
    ),
    Shape(
        id="alpaca",
        name="Alpaca's (instruction, input, output)",
        keys=frozenset({"instruction", "output"}),
        sample={"instruction": "Say hi", "input": "", "output": "Hi"},
    ),
    Shape(
        id="prompt-completion",
        name="the old completions' (prompt and completion)",
        keys=frozenset({"prompt", "completion"}),
        sample={"prompt": "Say hi", "completion": " Hi"},
    ),
    Shape(
        id="batch-lines",
        name="the Batch service's (custom_id, url, body)",
        keys=frozenset({"custom_id", "body"}),
        sample={"custom_id": "1", "method": "POST", "url": "/v1/chat/completions", "body": {}},
        fix="Use the messages of each body with the answer as last message; `droptune convert` "
        "does so where it is.",
    ),
    Shape(
        id="gemini-contents",
        name="Gemini's (contents with parts)",
        keys=frozenset({"contents"}),
        sample={"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]},
    ),
    Shape(
        id="question-answer",
        name="question and answer",
        keys=frozenset({"question", "answer"}),
        sample={"question": "Who?", "answer": "Ada"},
    ),
)
_OURS = ("messages", "preferred_output", "non_preferred_output")


def foreign_shape(value: Mapping[str, Any]) -> Shape | None:
    """Return the shape of somebody else that an object has, or None."""
    if any(key in value for key in _OURS):
        return None
    return next((shape for shape in SHAPES if shape.keys <= value.keys()), None)


def _declare(shape: Shape) -> Callable[[Example], Iterator[Place]]:
    @rules.example(
        shape.id,
        Severity.ERROR,
        says=f"The example has another shape: {shape.name}.",
        fix=shape.fix,
        odd_only=True,
        fails=case(shape.sample),
        passes=case(chat()),
    )
    def check(example: Example) -> Iterator[Place]:
        if foreign_shape(example.value) is shape:
            yield Place(message=f"the shape is {shape.name}, not messages")

    return check


for _shape in SHAPES:
    _declare(_shape)


@rules.example(
    "wrong-format",
    Severity.ERROR,
    says="The example is of another fine-tuning method than the one that is configured.",
    fix="Set method.type to what the data is, or mend the data.",
    odd_only=True,
    fails=case(pair(), method="supervised"),
    passes=case(pair(), method="dpo"),
)
def wrong_format(example: Example) -> Iterator[Place]:
    """Yield a place if an example is a preference pair and should not be, or the reverse."""
    wanted = example.asked.format
    is_pair = "preferred_output" in example.value or "non_preferred_output" in example.value
    if is_pair and wanted != "dpo":
        yield Place(message=f"this is a preference pair, and the method is {wanted}")
    elif not is_pair and wanted == "dpo" and "messages" in example.value:
        yield Place(message="this is a chat, and the method is dpo")

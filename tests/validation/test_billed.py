"""What is billed: the training data alone, each example up to the model's limit."""

from __future__ import annotations

import json
from typing import Any

from droptune.domain.dataset import Role
from droptune.validation import BytesSource, Report, ValidationRequest, validate
from droptune.validation.rules.fixtures import assistant, call, calling, chat, user

LONG = chat(user("a b " * 40_000), assistant())
SHORT = chat(user("Hi"), assistant())
TOOLS = [{"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}]
CALLS = {"messages": [user("Where is it?"), calling(call())], "tools": TOOLS}


def report_on(*training: dict[str, Any], model: str | None = "gpt-4.1-mini") -> Report:
    data = "".join(f"{json.dumps(each)}\n" for each in training).encode()
    sources = [
        BytesSource(name="training.jsonl", role=Role.TRAINING, data=data),
        BytesSource(name="validation.jsonl", role=Role.VALIDATION, data=data),
    ]
    return validate(sources, request=ValidationRequest(model=model, n_epochs=1))


def test_long_example_is_billed_up_to_the_limit() -> None:
    """The rest of it is cut, not trained on and not billed; the validation data costs nothing."""
    report = report_on(LONG, SHORT)

    file = report.file(Role.TRAINING)
    assert file is not None
    assert report.cost is not None
    assert file.over_limit == 1
    assert report.cost.training_tokens == 65_536 + file.tokens["whole"].min
    assert report.cost.tokens_cut == file.tokens["whole"].max - 65_536


def test_tools_are_billed_with_the_example_that_has_them() -> None:
    """Whole is what the recipe counts and what is counted apart, example by example."""
    report = report_on(CALLS, SHORT)

    file = report.file(Role.TRAINING)
    assert file is not None
    assert report.cost is not None
    figures = file.tokens
    assert figures["apart"].sum > 0
    assert figures["whole"].sum == figures["total"].sum + figures["apart"].sum
    assert figures["whole"].n == 2
    assert report.cost.training_tokens == figures["whole"].sum


def test_without_a_model_nothing_is_cut_and_nothing_is_over_the_limit() -> None:
    """No model has no limit that is known."""
    report = report_on(LONG, model=None)

    file = report.file(Role.TRAINING)
    assert file is not None
    assert report.example_tokens is None
    assert file.over_limit is None
    assert report.cost is not None
    assert report.cost.tokens_cut == 0

"""Tokens are those of the models."""

from __future__ import annotations

import pytest

from emulator.tokens import count_tokens
from tests.emulator.resources import Resource, chat_data, jsonl


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("Hello, world!", 4), ("don't", 1), ("\n\n  x", 3), ("<|endoftext|>", 7)],
)
def test_text_has_the_published_number_of_tokens(text: str, tokens: int) -> None:
    """Counts of o200k_base; the names of special tokens are text like other text."""
    assert count_tokens(text) == tokens


def test_text_that_breaks_the_tokenizer_is_counted(resource: Resource) -> None:
    """A million blanks in a training file break nothing."""
    row = {"messages": [{"role": "user", "content": " " * 1_000_000}]}
    row["messages"].append({"role": "assistant", "content": "x"})
    resource.upload(chat_data() + jsonl([row]))
    resource.advance(60)

    assert resource.v1.files.list().data[0].status == "processed"


def test_job_is_billed_by_the_published_recipe(resource: Resource) -> None:
    """Three for each message and each example, and every string value."""
    messages = [{"role": "user", "content": "Hello, world!"}, {"role": "assistant", "content": "x"}]
    content = jsonl([{"messages": messages}] * 10)

    job = resource.trained(content, hyperparameters={"n_epochs": 1})

    assert job.trained_tokens == 10 * (3 + (3 + 1 + 4) + (3 + 1 + 1))

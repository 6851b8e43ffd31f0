"""What a report cannot know stands at its end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from droptune.domain.dataset import Role
from droptune.validation import BytesSource, ValidationRequest, validate
from droptune.validation.rules.fixtures import assistant, chat, user

PICTURE = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}


@pytest.mark.parametrize(
    ("example", "model", "said"),
    [
        (chat(), None, "harm"),
        (chat(), None, "none is named"),
        (chat(), "gpt-4o", "account may train gpt-4o"),
        (chat(), "Ministral-3B", "encoding of Ministral-3B is not public"),
        (chat(), "gpt-6", "encoding of gpt-6 is not public"),
        (chat(user([PICTURE]), assistant()), "gpt-4o", "images can be fetched"),
        (chat(), "gpt-4o", "price on the day"),
    ],
)
def test_report_says_what_it_cannot_know(
    example: dict[str, Any], model: str | None, said: str
) -> None:
    """A yes is no promise of the service; each sentence stands where it applies."""
    data = json.dumps(example).encode() + b"\n"
    source = BytesSource(name="training.jsonl", role=Role.TRAINING, data=data)

    report = validate([source], request=ValidationRequest(model=model))

    assert any(said in sentence for sentence in report.unknown)


def test_images_are_not_spoken_of_where_there_are_none() -> None:
    """What does not apply is not said."""
    data = json.dumps(chat()).encode() + b"\n"
    source = BytesSource(name="training.jsonl", role=Role.TRAINING, data=data)

    report = validate([source], request=ValidationRequest(model="gpt-4o"))

    assert not any("image" in sentence for sentence in report.unknown)

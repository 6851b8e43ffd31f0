"""Answers that hold a conversation instead of one turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("answers")
_TURN = re.compile(
    r"(?:^|\n)[ \t]*(?:#+ ?|\*\*)?(Human|User|Assistant):\*{0,2}[ \t]*(?=\S+[ \t]+\S+)"
)
_ASKS_FOR_TURNS = re.compile(
    r"dialog|conversation|transcript|chat|script|interview|role.?play|screenplay|scene|exchange"
    r"|discussion|log\b|logs\b|\b(?:User|Human|Assistant):",
    re.IGNORECASE,
)


@rules.example(
    "turns-in-answer",
    Severity.WARNING,
    says='An answer holds turns of a conversation, such as "User:" or "Assistant:".',
    fix="Make each turn a message of its own, and let the answer hold the answer alone.",
    formats=("supervised", "dpo"),
    signs=(b"Human:", b"User:", b"Assistant:"),
    fails=case(chat(user(), assistant("The Pacific.\nUser: And then?\nAssistant: The Atlantic."))),
    passes=case(chat(user("Write a dialogue."), assistant("User: Good day.\nAssistant: Hi, you."))),
)
def turns_in_answer(example: Example) -> Iterator[Place]:
    """Yield a place for each such answer, unless a conversation was asked for."""
    texts = example.texts
    if any(_ASKS_FOR_TURNS.search(text.text) for text in texts if text.role != "assistant"):
        return
    for text in texts:
        if text.role == "assistant" and _holds_turns(text.text):
            yield Place(message="the answer holds turns of a conversation", path=text.path)


def _holds_turns(text: str) -> bool:
    """Whether a turn's name begins the text, or both names begin lines, or a question follows one.

    A list of fields has a user too: "User: anna" is no turn.
    """
    found = list(_TURN.finditer(text))
    if not found:
        return False
    if not text[: found[0].start()].strip():
        return found[0][1] == "Assistant" or len({match[1] for match in found}) > 1
    asks = text[found[0].end() :].split("\n", 1)[0]
    return len({match[1] for match in found}) > 1 or found[0][1] == "Human" or "?" in asks

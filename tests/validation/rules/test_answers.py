"""The sample of answers: the same however a file is cut, and of bounded size."""

from __future__ import annotations

import json

import pytest

from droptune.validation import ValidationRequest
from droptune.validation.rules.answers import SAMPLED, Answers, read_answer
from droptune.validation.rules.example import Asked, Example
from droptune.validation.rules.fixtures import assistant, chat, pair, user
from droptune.validation.rules.habits import MOST_PROMPTS, Lines

ASKED = Asked(request=ValidationRequest(), format="supervised", model=None)


def example(line: dict[str, object], at: int = 1) -> Example:
    raw = json.dumps(line).encode()
    return Example(None, line, raw, at, 0, ASKED)


def many(count: int) -> list[Example]:
    return [
        example(
            {
                "messages": [
                    {"role": "system", "content": f"Prompt {at % 1_700}"},
                    user(f"{at}?"),
                    assistant(f"It is {at}"),
                ]
            }
        )
        for at in range(count)
    ]


def gathered(kind: type[Answers] | type[Lines], parts: list[list[Example]]) -> object:
    states = [kind() for _ in parts]
    for state, part in zip(states, parts, strict=True):
        for each in part:
            state.add(each)
    first = states[0]
    for state in states[1:]:
        first.merge(state, 0)  # type: ignore[arg-type]
    return first.sample() if isinstance(first, Answers) else (first.systems, first.without_system)


@pytest.mark.parametrize("kind", [Answers, Lines])
def test_parts_of_a_file_give_what_the_whole_gives(kind: type[Answers] | type[Lines]) -> None:
    """More examples than are kept, in one part or in three, leave the same."""
    lines = many(2 * SAMPLED + 900)

    whole = gathered(kind, [lines, []])
    parts = gathered(kind, [lines[:50], lines[50:7_000], lines[7_000:]])

    assert whole == parts
    assert len(whole if isinstance(whole, list) else whole[0]) == (  # type: ignore[index]
        SAMPLED if kind is Answers else MOST_PROMPTS + 1
    )


@pytest.mark.parametrize(
    ("answer", "script"),
    [
        ("The Pacific.", "Latin"),
        ("Où est-il ?", "Latin"),
        ("Тихий океан", "Cyrillic"),
        ("太平洋です。", "Chinese or Japanese"),
        ("ขอบคุณ", "Thai"),
        ("42", ""),
        ("👍", ""),
    ],
)
def test_script_is_that_of_most_letters(answer: str, script: str) -> None:
    """Signs and digits are of no script."""
    assert read_answer(example(chat(user(), assistant(answer))), 1).script == script


@pytest.mark.parametrize(
    ("answer", "refuses"),
    [
        ("I'm sorry, but I can't help with that.", True),
        ("I cannot provide medical advice.", True),
        ("As an AI, I have no opinion.", True),
        ("I'm sorry to hear that. Your parcel arrives tomorrow.", False),
        ("Unfortunately it rains.", False),
        ("You cannot park there.", False),
    ],
)
def test_refusal_is_told_by_how_an_answer_begins(answer: str, refuses: bool) -> None:
    """To be sorry is not to refuse."""
    assert read_answer(example(chat(user(), assistant(answer))), 1).refuses is refuses


def test_preference_pair_is_read_by_its_preferred_answer() -> None:
    """What is not preferred is no habit."""
    found = read_answer(example(pair([assistant("Blue")], [assistant(" Red END")])), 1)

    assert (found.label, found.separated) == ("Blue", False)

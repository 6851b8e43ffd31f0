"""A part of a file that follows another leaves out from the start what that part left out."""

from __future__ import annotations

import json

from droptune.domain.dataset import Role
from droptune.validation import BytesSource, ValidationRequest
from droptune.validation.rules.answers import SAMPLED, Answers
from droptune.validation.rules.example import Asked
from droptune.validation.scan import Scanner

LINES = tuple(
    json.dumps(
        {
            "messages": [
                {"role": "user", "content": f"Which number comes after {at}?"},
                {"role": "assistant", "content": f"After {at} comes {at + 1}."},
            ]
        }
    )
    for at in range(3 * SAMPLED)
)
SOURCE = BytesSource(name="training.jsonl", role=Role.TRAINING, data="\n".join(LINES).encode())


def scanner() -> Scanner:
    asked = Asked(request=ValidationRequest(families=("habits",)), format="supervised", model=None)
    return Scanner(asked, "o200k_base")


def sample_of(scanner: Scanner, *ranges: tuple[int, int | None]) -> list[object]:
    first, *rest = (scanner.scan(SOURCE, *each) for each in ranges)
    for each in rest:
        first.merge(each)
    found: Answers = first.states[Answers]
    return list(found.sample())


def test_parts_that_follow_each_other_give_the_sample_of_the_whole() -> None:
    """Each range leaves out more, and none leaves out what belongs to the sample."""
    whole = sample_of(scanner(), (0, None))

    step = len(SOURCE.data) // 3
    in_parts = sample_of(scanner(), (0, step), (step, 2 * step), (2 * step, None))

    assert len(whole) == SAMPLED
    assert in_parts == whole


def test_line_that_stands_ever_again_takes_no_more_room() -> None:
    """Lines that are all the same have one digest, and are bounded all the same."""
    same = BytesSource(
        name="training.jsonl",
        role=Role.TRAINING,
        data="\n".join(LINES[:1] * len(LINES)).encode(),
    )

    found: Answers = scanner().scan(same).states[Answers]

    assert len(found.kept) < 2 * SAMPLED
    assert len(found.sample()) == SAMPLED


def test_file_read_once_more_after_a_part_of_it_gives_the_same_sample() -> None:
    """A process that died has the file read again, by a scanner that saw a part of it."""
    again = scanner()
    again.scan(SOURCE, 0, len(SOURCE.data) // 2)

    assert sample_of(again, (0, None)) == sample_of(scanner(), (0, None))

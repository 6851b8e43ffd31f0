"""The datasets that the demo plays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.cli.demo_acts import BAD_LINE, is_asked_in
from droptune.cli.demo_command import BROKEN, SAMPLE
from droptune.cli.folders import read_folder
from droptune.cli.main import main
from emulator.examples import read_examples
from emulator.learner import Learned, answer, base_answer, train

OPENING, FAREWELL = "Kettle's on! ", "Warmly, Wren"


def messages_of(name: str) -> list[list[dict[str, str]]]:
    lines = (SAMPLE / name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["messages"] for line in lines]


@pytest.fixture(scope="module")
def learned() -> Learned:
    """What the stand-in for the service learns from the sample in three epochs."""
    training, validation = (
        read_examples(SAMPLE / name, count=len(messages_of(name)))
        for name in ("training.jsonl", "validation.jsonl")
    )
    return train(training, validation, steps=51, epochs=3, seed=105)


@pytest.mark.parametrize(
    ("name", "least"), [("training.jsonl", 60), ("validation.jsonl", 15), ("test.jsonl", 10)]
)
def test_each_file_is_large_enough_and_in_one_style(name: str, least: int) -> None:
    """Every answer opens, ends and counts its steps in the same way."""
    answers = [messages[-1]["content"] for messages in messages_of(name)]

    assert len(answers) >= least
    assert all(text.startswith(OPENING) and text.endswith(FAREWELL) for text in answers)
    assert all("\n1. " in text and "\n2. " in text for text in answers)


def test_no_question_is_asked_twice() -> None:
    """What is held out is not trained on."""
    names = ("training.jsonl", "validation.jsonl", "test.jsonl")
    questions = [messages[1]["content"] for name in names for messages in messages_of(name)]

    assert len(set(questions)) == len(questions)
    assert not is_asked_in(read_folder(SAMPLE), messages_of("test.jsonl")[0][1]["content"])


@pytest.mark.parametrize("folder", [SAMPLE, BROKEN])
def test_sample_is_judged_as_the_demo_tells(folder: Path, capsys) -> None:
    """The sample has no finding and a price; the broken one has one, in the promised line."""
    code = main(["validate", str(folder), "--json"])

    report = json.loads(capsys.readouterr().out)
    lines = [found["line"] for found in report["findings"] if found["severity"] == "error"]
    assert (code, lines) == ((0, []) if folder == SAMPLE else (1, [BAD_LINE]))
    assert 0 < report["cost"]["high"] <= 5


def test_broken_sample_differs_in_one_word() -> None:
    """What repairs the broken dataset is what the message says."""
    good = (SAMPLE / "training.jsonl").read_text(encoding="utf-8").splitlines()
    bad = (BROKEN / "training.jsonl").read_text(encoding="utf-8").splitlines()

    different = [
        number for number, pair in enumerate(zip(good, bad, strict=True), 1) if pair[0] != pair[1]
    ]
    assert different == [BAD_LINE]
    assert bad[BAD_LINE - 1].replace('"role": "bot"', '"role": "assistant"') == good[BAD_LINE - 1]


def test_loss_falls_and_the_held_out_question_is_answered_in_style(learned: Learned) -> None:
    """A small model picks the style up, and gives the answer that the test file expects."""
    messages = messages_of("test.jsonl")[0]

    candidate = answer(learned.memory, messages[:-1])["content"]

    assert learned.figures[-1].train_loss < learned.figures[0].train_loss / 4
    assert candidate == messages[-1]["content"]
    assert not base_answer(messages[:-1])["content"].startswith(OPENING)

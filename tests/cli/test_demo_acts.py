"""The parts of the demo that need no app; the whole is played end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from droptune.cli.demo_acts import OWN_JOB_FILE, is_asked_in, say_dropped, with_job_file
from droptune.cli.folders import read_folder
from droptune.cli.main import main


def a_folder(place: Path, *questions: str, job: str = "") -> Path:
    """Write a training file that asks these questions."""
    examples = [
        {"messages": [{"role": "user", "content": each}, {"role": "assistant", "content": "Yes."}]}
        for each in questions
    ]
    lines = [json.dumps(example, ensure_ascii=False) for example in examples]
    (place / "training.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if job:
        (place / "fine-tune-job.yaml").write_text(job)
    return place


def test_folder_without_a_configuration_gets_the_demos_own(tmp_path: Path) -> None:
    """A folder of one's own is played unchanged: what it lacks comes from beside it."""
    folder = a_folder(tmp_path, "How?")

    dataset = with_job_file(read_folder(folder, project="p", version="v"))

    assert dict(dataset.files)["p/v/fine-tune-job.yaml"] == OWN_JOB_FILE
    assert [path.name for path in folder.iterdir()] == ["training.jsonl"]


def test_folder_with_a_configuration_keeps_it(tmp_path: Path) -> None:
    """What a folder says of itself is not overruled."""
    folder = a_folder(tmp_path, "How?", job="model: gpt-4o\n")
    dataset = read_folder(folder)

    assert with_job_file(dataset) == dataset


@pytest.mark.parametrize(
    ("job", "said"),
    [
        ("", "dropped 1 file into datasets/p/v/, and the demo's own fine-tune-job.yaml"),
        ("model: gpt-4o\n", "dropped 2 files into datasets/p/v/"),
    ],
)
def test_what_is_dropped_counts_the_folders_own_files(tmp_path: Path, job: str, said: str) -> None:
    """A configuration that the demo lends is named apart: nobody finds it in the folder."""
    dataset = with_job_file(
        read_folder(a_folder(tmp_path, "How?", job=job), project="p", version="v")
    )

    assert say_dropped(dataset).startswith(said)


@pytest.mark.parametrize(("question", "asked"), [("Wie groß?", True), ("Wie", False)])
def test_question_is_looked_for_among_the_prompts(
    tmp_path: Path, question: str, asked: bool
) -> None:
    """A question counts as known only if a user of the training file asks just that."""
    dataset = read_folder(a_folder(tmp_path, "Wie groß?", "Wie klein?"))

    assert is_asked_in(dataset, question) is asked


def test_demos_own_configuration_is_valid(tmp_path: Path, capsys) -> None:
    """The configuration that the demo lends is accepted and has a price."""
    questions = [f"What is {number}?" for number in range(10)]
    folder = a_folder(tmp_path, *questions, job=OWN_JOB_FILE.read_text())

    code = main(["validate", str(folder), "--json"])

    report = json.loads(capsys.readouterr().out)
    assert code == 0
    assert [each for each in report["findings"] if each["severity"] == "error"] == []
    assert report["cost"]["high"] > 0

"""Folders of this machine as datasets."""

from __future__ import annotations

from pathlib import Path

import pytest

from droptune.cli.folders import read_folder
from droptune.cli.refusals import Exit, Refusal

LINE = b'{"messages": []}\n'


def a_folder(place: Path, *names: str) -> Path:
    """Make a folder that holds files of these names."""
    folder = place / "support bot"
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(LINE)
    return folder


def test_files_with_a_role_are_dropped_and_others_left_alone(tmp_path: Path) -> None:
    """Only what the app reads is uploaded, under the dataset's prefix."""
    names = ("training_set.jsonl", "val.jsonl", "fine-tune-job.yaml", "notes.txt", ".hidden")
    folder = a_folder(tmp_path, *names)

    dataset = read_folder(folder, version="v1")

    assert {name for name, _ in dataset.files} == {
        "support-bot/v1/training_set.jsonl",
        "support-bot/v1/val.jsonl",
        "support-bot/v1/fine-tune-job.yaml",
    }
    assert dataset.left_out == ("notes.txt",)


def test_parts_of_a_role_are_dropped(tmp_path: Path) -> None:
    """A role may be a folder of parts."""
    folder = a_folder(tmp_path, "train/part-0.jsonl", "train/part-1.jsonl")

    dataset = read_folder(folder, project="p", version="v")

    names = [name for name, _ in dataset.files]
    assert names == ["p/v/train/part-0.jsonl", "p/v/train/part-1.jsonl"]


def test_same_content_has_the_same_version(tmp_path: Path) -> None:
    """A folder without a version is named by its content, so that dropping it twice is one drop."""
    first = read_folder(a_folder(tmp_path / "a", "training.jsonl"))
    second = read_folder(a_folder(tmp_path / "b", "training.jsonl"))

    assert first.ref == second.ref


def test_other_content_has_another_version(tmp_path: Path) -> None:
    """One changed byte is another dataset."""
    folder = a_folder(tmp_path, "training.jsonl")
    before = read_folder(folder).ref
    (folder / "training.jsonl").write_bytes(LINE * 2)

    assert read_folder(folder).ref != before


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ((), "not a folder"),
        (("data.jsonl",), "Waiting for training.jsonl"),
        (("training.jsonl", "eval.jsonl"), "eval.jsonl can mean"),
        (("training.jsonl", "train.jsonl"), "More than one file is training data"),
    ],
)
def test_what_the_app_would_only_ask_back_is_refused_here(
    tmp_path: Path, names: tuple[str, ...], said: str
) -> None:
    """A folder that cannot become a run is refused before anything is uploaded."""
    with pytest.raises(Refusal, match=said) as raised:
        read_folder(a_folder(tmp_path, *names))

    assert raised.value.code is Exit.WRONG_USAGE


@pytest.mark.parametrize("name", ["a/b", ".hidden", "", "x" * 65, "naïve"])
def test_bad_names_are_refused(tmp_path: Path, name: str) -> None:
    """A project that the layout does not allow is refused with the rule."""
    folder = a_folder(tmp_path, "training.jsonl")

    with pytest.raises(Refusal, match="cannot name a version"):
        read_folder(folder, version=name or "/")


def test_files_that_the_configuration_names_are_dropped(tmp_path: Path) -> None:
    """A folder that was made for azd is dropped as it is."""
    folder = a_folder(tmp_path, "support.jsonl", "notes.jsonl")
    (folder / "fine-tune-job.yaml").write_text("training_file: local:./support.jsonl\n")

    dataset = read_folder(folder, project="p", version="v")

    assert dict(dataset.files).keys() == {"p/v/support.jsonl", "p/v/fine-tune-job.yaml"}
    assert dataset.left_out == ("notes.jsonl",)

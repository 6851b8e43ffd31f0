"""What lies in a dataset's folder: roles, questions, completeness, and what it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from droptune.domain.dataset import DatasetFile, DatasetRef, Folder, Role, sort_files

REF = DatasetRef(project="p", version="v1")
AT = datetime(2026, 10, 6, 12, tzinfo=UTC)
MARKDOWN = ("readme.md", "notes.txt")


def a_blob(name: str, *, size: int = 10, after: int = 0, etag: str = "1") -> DatasetFile:
    return DatasetFile(
        name=f"p/v1/{name}", etag=etag, size_bytes=size, modified_at=AT + timedelta(seconds=after)
    )


def a_folder(*names: str, named: dict[Role, str] | None = None) -> Folder:
    return sort_files(REF, [a_blob(name) for name in names], named=named)


def names_of(folder: Folder, role: Role) -> list[str]:
    return [file.name.removeprefix(REF.prefix) for file in folder.files.get(role, ())]


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("training.jsonl", Role.TRAINING),
        ("train.jsonl", Role.TRAINING),
        ("training_set.jsonl", Role.TRAINING),
        ("train_set.jsonl", Role.TRAINING),
        ("Training_Set.JSONL", Role.TRAINING),
        ("validation.jsonl", Role.VALIDATION),
        ("valid.jsonl", Role.VALIDATION),
        ("val.jsonl", Role.VALIDATION),
        ("dev.jsonl", Role.VALIDATION),
        ("validation_set.jsonl", Role.VALIDATION),
        ("test.jsonl", Role.TEST),
        ("holdout.jsonl", Role.TEST),
        ("test_set.jsonl", Role.TEST),
        ("training/part-0.jsonl", Role.TRAINING),
        ("TRAIN/part-00000-c000.json", Role.TRAINING),
        ("val/part-1.JSONL", Role.VALIDATION),
    ],
)
def test_name_gives_a_file_its_role(name: str, role: Role) -> None:
    """Every alias counts, in any case, as a file or as a folder of parts."""
    folder = a_folder(name)

    assert names_of(folder, role) == [name]
    assert (folder.findings, folder.others) == ((), ())


@pytest.mark.parametrize(
    "name",
    [
        "training.json",
        "training.jsonl.gz",
        "training",
        "training.jsonl/part-0.jsonl",
        "training/data.jsonl",
        "training/part-0.csv",
        "training/deep/part-0.jsonl",
        "training/_SUCCESS",
        "parts/part-0.jsonl",
        "Fine-Tune-Job.yaml",
        "_success",
        "my training.jsonl",
        ".training.jsonl.swp",
        "",
    ],
)
def test_other_file_is_left_alone_and_listed(name: str) -> None:
    """What has no role is neither trained on nor hidden."""
    folder = a_folder(name)

    assert folder.files == {}
    assert folder.others == (name,)
    assert folder.relevant == ()


def test_parts_are_joined_by_name() -> None:
    """The order of a dataset's lines does not depend on the order of its uploads."""
    folder = a_folder("train/part-10.jsonl", "train/part-02.jsonl", "train/part-01.jsonl")

    assert names_of(folder, Role.TRAINING) == [
        "train/part-01.jsonl",
        "train/part-02.jsonl",
        "train/part-10.jsonl",
    ]


@pytest.mark.parametrize(
    "names",
    [
        ("training.jsonl", "train.jsonl"),
        ("training.jsonl", "training.JSONL"),
        ("training.jsonl", "training/part-0.jsonl"),
        ("training/part-0.jsonl", "train/part-0.jsonl"),
    ],
)
def test_two_files_for_a_role_are_a_question(names: tuple[str, ...]) -> None:
    """Droptune does not guess which one was meant."""
    [found] = a_folder(*names).findings

    assert found.rule == "two-files-for-a-role"
    assert all(name in found.message for name in names)


def test_eval_is_a_question_and_its_answer_is_new() -> None:
    """Validation or test? Renaming or deleting the file makes the dataset new."""
    before = a_folder("training.jsonl", "Eval.jsonl")
    deleted = a_folder("training.jsonl")

    [found] = before.findings
    assert (found.rule, found.file) == ("ambiguous-role", "Eval.jsonl")
    assert before.fingerprint != deleted.fingerprint
    assert before.files == deleted.files


def test_bare_file_is_training_data_of_the_latest_version() -> None:
    """A file beside the folders is a dataset; with a folder's training data it is a question."""
    ref = DatasetRef(project="p", version="latest")
    bare = DatasetFile(name="p.jsonl", etag="1", size_bytes=1, modified_at=AT)
    inside = DatasetFile(name="p/latest/train.jsonl", etag="1", size_bytes=1, modified_at=AT)

    alone, both = sort_files(ref, [bare]), sort_files(ref, [bare, inside])

    assert alone.files == {Role.TRAINING: (bare,)}
    assert alone.findings == ()
    assert [found.rule for found in both.findings] == ["two-files-for-a-role"]


@pytest.mark.parametrize(
    ("blobs", "complete"),
    [
        ([a_blob("training.jsonl")], False),
        ([a_blob("training.jsonl"), a_blob("_SUCCESS", size=0, after=1)], True),
        ([a_blob("training.jsonl"), a_blob("_SUCCESS", size=0)], True),
        ([a_blob("training.jsonl", after=1), a_blob("_SUCCESS", size=0)], False),
        (
            [
                a_blob("training.jsonl"),
                a_blob("_SUCCESS", size=0, after=1),
                a_blob("test.jsonl", after=2),
            ],
            False,
        ),
        (
            [
                a_blob("training.jsonl"),
                a_blob("_SUCCESS", after=1),
                a_blob("fine-tune-job.yaml", after=2),
            ],
            False,
        ),
        (
            [a_blob("training.jsonl"), a_blob("_SUCCESS", after=1), a_blob("notes.md", after=2)],
            False,
        ),
        (
            [a_blob("training.jsonl"), a_blob("_SUCCESS", after=1), a_blob("", size=0, after=2)],
            True,
        ),
    ],
)
def test_success_counts_when_no_file_is_newer(blobs: list[DatasetFile], complete: bool) -> None:
    """A writer that goes on after `_SUCCESS` has not ended; times are whole seconds."""
    assert sort_files(REF, blobs).complete is complete


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        ((), None),
        (("validation.jsonl", "test.jsonl"), None),
        (("trainig.jsonl",), "trainig.jsonl"),
        (("training.json",), "training.json"),
        (("my-train-data.csv",), "my-train-data.csv"),
        (("Training Set.jsonl",), "Training Set.jsonl"),
        (("support.jsonl",), "support.jsonl"),
        (("support.jsonl.gz",), "support.jsonl.gz"),
        (("validaton.jsonl",), None),
        (MARKDOWN, None),
    ],
)
def test_folder_without_training_data_waits_and_names_look_alikes(
    names: tuple[str, ...], hint: str | None
) -> None:
    """A misspelt name is seen, and shown to whoever asks."""
    folder = a_folder(*names)

    assert not folder.has_training_data
    expected = "Waiting for training.jsonl." + (f" Is {hint!r} meant?" if hint else "")
    assert folder.waiting_for() == expected


def test_zero_byte_placeholder_is_no_training_data() -> None:
    """ADLS Gen2 creates a file before its content."""
    empty = sort_files(REF, [a_blob("training.jsonl", size=0)])
    filled = sort_files(REF, [a_blob("training.jsonl", size=1, etag="2")])

    assert not empty.has_training_data
    assert empty.waiting_for() == "The training file is empty so far; waiting for its content."
    assert filled.has_training_data
    assert empty.fingerprint != filled.fingerprint


def test_one_filled_part_is_training_data() -> None:
    """Writers leave empty parts behind."""
    folder = sort_files(REF, [a_blob("train/part-0.jsonl", size=0), a_blob("train/part-1.jsonl")])

    assert folder.has_training_data


def test_fingerprint_follows_what_matters() -> None:
    """Names and ETags of relevant files count; order, other files and `_SUCCESS` do not."""
    names = ("training.jsonl", "test.jsonl", "fine-tune-job.yaml")
    before = a_folder(*names)
    changed = sort_files(REF, [a_blob("test.jsonl", etag="2"), *map(a_blob, names[::2])])

    assert a_folder(*reversed(names), *MARKDOWN, "_SUCCESS").fingerprint == before.fingerprint
    assert a_folder(*names[:2]).fingerprint != before.fingerprint
    assert changed.fingerprint != before.fingerprint
    assert changed.changed_at == AT


@pytest.mark.parametrize(
    ("path", "names", "chosen"),
    [
        ("data.jsonl", ("data.jsonl",), "data.jsonl"),
        ("data/summaries.jsonl", ("summaries.jsonl",), "summaries.jsonl"),
        ("data/summaries.jsonl", ("data/summaries.jsonl", "summaries.jsonl"), None),
        ("/home/me/x.jsonl", ("deep/x.jsonl", "x.jsonl"), "x.jsonl"),
        ("b.jsonl", ("b.jsonl", "training.jsonl"), "b.jsonl"),
        ("train.jsonl", ("train.jsonl", "training.jsonl"), "train.jsonl"),
        ("test.jsonl", ("test.jsonl",), "test.jsonl"),
    ],
)
def test_configuration_can_name_the_training_file(
    path: str, names: tuple[str, ...], chosen: str | None
) -> None:
    """An exact path counts, else its last part; the choice goes before every name."""
    folder = a_folder(*names, named={Role.TRAINING: path})

    assert names_of(folder, Role.TRAINING) == [chosen or path]
    assert folder.findings == ()


def test_named_file_that_is_not_there_is_waited_for() -> None:
    """Files arrive in any order."""
    folder = a_folder("fine-tune-job.yaml", named={Role.TRAINING: "data/x.jsonl"})

    assert not folder.has_training_data
    assert folder.waiting_for() == "Waiting for 'x.jsonl', which fine-tune-job.yaml names."


@pytest.mark.parametrize("role", [Role.TRAINING, Role.VALIDATION])
def test_named_file_that_is_not_there_is_asked_for(role: Role) -> None:
    """Nothing else is trained on in its place."""
    [found] = a_folder("training.jsonl", named={role: "x.jsonl"}).findings

    assert (found.rule, found.path) == ("missing-file", f"{role.value}_file")

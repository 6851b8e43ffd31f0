"""What is known of a dataset: what is new in it, and which runs it had."""

from __future__ import annotations

from droptune.domain.dataset import DatasetFile, DatasetRef, Folder, Role, sort_files
from droptune.domain.registration import DatasetRecord, RunRequest, dataset_record_name
from tests.fakes.clock import START

REF = DatasetRef(project="bot", version="v1")


def a_folder(etag: str = "1", *more: str, named: dict[Role, str] | None = None) -> Folder:
    names = ("training.jsonl", *more)
    blobs = [
        DatasetFile(name=f"bot/v1/{name}", etag=etag, size_bytes=1, modified_at=START)
        for name in names
    ]
    return sort_files(REF, blobs, named=named)


def a_record(folder: Folder | None = None) -> DatasetRecord:
    seen = DatasetRecord(project="bot", version="v1", state="seen")
    return seen.with_run("run-1", folder or a_folder(), at=START, message="Started.")


def test_record_lies_where_its_names_say() -> None:
    """One document for each dataset."""
    assert dataset_record_name(REF) == "bot/datasets/v1.json"


def test_dataset_is_known_as_it_lies_there() -> None:
    """The same names and ETags start nothing; other files change nothing."""
    record = a_record()

    assert record.knows(a_folder())
    assert record.knows(a_folder("1", "notes.md", "_SUCCESS"))


def test_any_change_of_a_relevant_file_is_new() -> None:
    """Another ETag, a file more, a question asked, a file less."""
    record = a_record(a_folder("1", "test.jsonl"))

    assert not record.knows(a_folder("2", "test.jsonl"))
    assert not record.knows(a_folder("1", "test.jsonl", "fine-tune-job.yaml"))
    assert not record.knows(a_folder("1", "test.jsonl", "eval.jsonl"))
    assert not record.knows(a_folder("1"))


def test_runs_are_listed_once_newest_last() -> None:
    """A registration that is repeated is one run."""
    record = a_record().with_run("run-2", a_folder(), at=START, message="")

    again = record.with_run("run-1", a_folder(), at=START, message="Again.")

    assert again.runs == ("run-2", "run-1")
    assert (again.state, again.message, again.settled_at) == ("settled", "Again.", START)


def test_record_remembers_what_the_configuration_named() -> None:
    """The folder can be shown as it was when it settled, without reading the configuration."""
    folder = a_folder("1", "data.jsonl", named={Role.TRAINING: "data.jsonl"})

    record = DatasetRecord.from_payload(a_record(folder).to_payload())

    assert record.named_files == {Role.TRAINING: "data.jsonl"}
    assert record.knows(a_folder("1", "data.jsonl", named=record.named_files))
    assert not record.knows(a_folder("1", "data.jsonl"))


def test_wish_is_a_drop_unless_it_says_otherwise() -> None:
    """A drop is asked for by nobody in particular."""
    wish = RunRequest(dataset=REF)

    assert (wish.cause.value, wish.by, wish.repeats) == ("drop", "droptune", None)
    assert RunRequest.from_payload(wish.to_payload()) == wish

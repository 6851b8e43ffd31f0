"""What was dropped, and what became of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from droptune.domain.dataset import DatasetRef
from droptune.domain.findings import Problem
from droptune.domain.phases import Phase
from droptune.domain.registration import DatasetRecord, FailedCollection, KnownFile

from .world import NOW, URL, World, a_run, read


def recorded(world: World, name: str, *, state: str = "settled", runs=()) -> DatasetRecord:
    etag = world.datasets.find_info(name).etag
    project, version, _ = name.split("/")
    files = (KnownFile(name=name, etag=etag),)
    record = DatasetRecord(project=project, version=version, state=state, files=files, runs=runs)
    world.keep_dataset(record)
    return record


def test_dropped_folder_without_training_data_says_what_it_waits_for():
    """A folder that waits names the file that may have been meant."""
    world = World()
    world.datasets.put("shop/v1/trainning.jsonl", b"{}")

    [dataset] = read(world.get("datasets"))["datasets"]

    assert dataset["state"] == "waiting"
    assert dataset["waiting_for"] == "Waiting for training.jsonl. Is 'trainning.jsonl' meant?"
    assert dataset["files"][0]["role"] is None


def test_new_training_data_is_settling():
    """A folder with training data that no record knows is about to start."""
    world = World()
    world.datasets.put("shop/v1/train.jsonl", b"{}")
    world.datasets.put("shop/v1/fine-tune-job.yaml", b"model: x")

    [dataset] = read(world.get("datasets"))["datasets"]

    assert dataset["state"] == "settling"
    assert [file["role"] for file in dataset["files"]] == ["configuration", "training"]
    assert dataset["links"]["self"] == f"{URL}/api/datasets/shop/v1"


def failed(world: World, *, minutes: int = 0) -> None:
    failure = FailedCollection(
        dataset=DatasetRef(project="shop", version="v1"),
        problem=Problem(code="request-rejected", message="403.", remedy="Give it a role."),
        at=NOW + timedelta(minutes=minutes),
    )
    world.registry.put("shop/collecting/v1.json", json.dumps(failure.to_payload()).encode())


def test_dataset_that_could_not_be_taken_up_says_why():
    """A failed collection is seen where a person looks, in the list and alone, with what helps."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", b"{}")
    failed(world)

    [listed] = read(world.get("datasets"))["datasets"]
    alone = read(world.get("datasets/shop/v1"))

    for shown in (listed, alone):
        assert shown["state"] == "failed"
        assert shown["message"].startswith("It could not be taken up: 403. It is tried again")
        assert shown["remedy"] == "Give it a role."


def test_failure_says_nothing_of_what_was_dropped_since():
    """New files are another try."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", b"{}")
    failed(world, minutes=-5)

    [dataset] = read(world.get("datasets"))["datasets"]

    assert dataset["state"] == "settling"


def test_failure_says_nothing_once_there_is_a_run():
    """A dataset that was taken up after all is told by its run."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", b"{}")
    world.keep(a_run("shop-v1-a", phase=Phase.SUCCEEDED, message="Promoted."))
    recorded(world, "shop/v1/training.jsonl", runs=("shop-v1-a",))
    failed(world)

    [dataset] = read(world.get("datasets"))["datasets"]

    assert (dataset["state"], dataset["message"]) == ("started", "Promoted.")


def test_dataset_with_runs_shows_the_message_of_the_last():
    """The newest run comes first and speaks for the dataset."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", b"{}")
    world.keep(a_run("shop-v1-a", phase=Phase.REJECTED, message="Bad line."))
    world.keep(a_run("shop-v1-b", phase=Phase.SUCCEEDED, message="Promoted."))
    recorded(world, "shop/v1/training.jsonl", runs=("shop-v1-a", "shop-v1-b", "shop-v1-gone"))

    dataset = read(world.get("datasets/shop/v1"))

    assert (dataset["state"], dataset["message"]) == ("started", "Promoted.")
    assert [run["id"] for run in dataset["runs"]] == ["shop-v1-b", "shop-v1-a"]


def test_dataset_from_before_the_installation_is_seen_not_started():
    """What lay there when Droptune was installed waits for somebody to ask."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", b"{}")
    recorded(world, "shop/v1/training.jsonl", state="seen")

    [dataset] = read(world.get("datasets"))["datasets"]

    assert dataset["state"] == "seen"
    assert dataset["message"].startswith("Seen, not started")


def test_changed_dataset_is_settling_again():
    """Another ETag than the recorded one is something new."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", b"{}")
    record = recorded(world, "shop/v1/training.jsonl")
    world.keep_dataset(replace(record, files=(replace(record.files[0], etag="older"),)))

    assert read(world.get("datasets/shop/v1"))["state"] == "settling"


def test_deleted_dataset_still_shows_what_became_of_it():
    """Deleting the files takes nothing from the record."""
    world = World()
    world.keep(a_run("shop-v1-a", phase=Phase.SUCCEEDED, message="Promoted."))
    world.keep_dataset(
        DatasetRecord(project="shop", version="v1", state="settled", runs=("shop-v1-a",))
    )

    assert read(world.get("datasets/shop/v1"))["message"] == "Promoted."
    assert len(read(world.get("datasets"))["datasets"]) == 1


def test_bare_file_is_the_latest_version_of_its_project():
    """A file beside the folders is a dataset of one file."""
    world = World()
    world.datasets.put("faq.jsonl", b"{}")

    dataset = read(world.get("datasets/faq/latest"))

    assert [file["name"] for file in dataset["files"]] == ["faq.jsonl"]
    assert dataset["files"][0]["role"] == "training"


def test_file_that_the_configuration_named_shows_its_role():
    """A dataset shows as it was when it settled, whatever its files are called."""
    world = World()
    world.datasets.put("shop/v1/support.jsonl", b"{}")
    record = recorded(world, "shop/v1/support.jsonl")
    world.keep_dataset(replace(record, named={"training": "support.jsonl"}))

    dataset = read(world.get("datasets/shop/v1"))

    assert (dataset["state"], dataset["files"][0]["role"]) == ("started", "training")


def test_path_outside_the_layout_is_shown_with_its_remedy():
    """A misplaced file is never silence; a folder's marker is not taken for one."""
    world = World()
    world.datasets.put("shop/readme.txt", b"x")
    world.datasets.put("shop/v1.0", b"")
    world.datasets.put("shop/v1.0/training.jsonl", b"{}")
    world.datasets.put("shop/project.yaml", b"x")
    world.registry.put("_rejected/1.json", {"path": "shop/readme.txt", "at": "2026-05-04"})
    world.registry.put("_rejected/2.json", {"path": "removed.txt", "at": "2026-05-03"})

    datasets = read(world.get("datasets"))["datasets"]

    assert [dataset["state"] for dataset in datasets] == ["settling", "rejected"]
    assert (datasets[1]["path"], datasets[1]["at"]) == ("shop/readme.txt", "2026-05-04")
    assert datasets[1]["remedy"]


def test_folder_with_two_training_files_asks_which():
    """Two files for one role are an error that asks."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", b"{}")
    world.datasets.put("shop/v1/train.jsonl", b"{}")

    [finding] = read(world.get("datasets/shop/v1"))["findings"]

    assert finding["rule"] == "two-files-for-a-role"


@pytest.mark.parametrize("path", ["shop/v9", "../etc", "_ids/x", "shop/.x"])
def test_unknown_dataset_is_not_found(path):
    """What nobody dropped, and what cannot be a name, is a 404."""
    assert read(World().get(f"datasets/{path}"))["code"] == "dataset-not-found"

"""Looking at a folder until it has settled."""

from __future__ import annotations

import json

import pytest

from activities.datasets import look_at_dataset, note_failed_collection, read_folder
from droptune.domain.dataset import Role
from droptune.domain.findings import Problem
from droptune.domain.registration import FailedCollection
from droptune.domain.steps import Collecting, CollectingFailed, Later, Look
from tests.builders import SHOP, World, examples


def look(world: World, fingerprint: str = "") -> Look | Later:
    """Look once."""
    answer: Look | Later = world.call(
        look_at_dataset, Collecting(dataset=SHOP, fingerprint=fingerprint)
    )
    return answer


def a_look(world: World, fingerprint: str = "") -> Look:
    """Look once at a folder that can be looked at."""
    seen = look(world, fingerprint)
    assert isinstance(seen, Look)
    return seen


def test_second_look_that_agrees_settles() -> None:
    """The same names and ETags twice, ten seconds apart."""
    world = World()
    world.drop()

    first = a_look(world)
    second = a_look(world, first.fingerprint)

    assert (first.state, first.wait_seconds) == ("unsettled", 10)
    assert second.state == "settled"


@pytest.mark.parametrize(
    "path", ["shop/v1/training.jsonl", "shop/v1/validation.jsonl", "shop/v1/fine-tune-job.yaml"]
)
def test_any_change_in_between_starts_the_wait_again(path: str) -> None:
    """An overwritten, new or changed file is another folder."""
    world = World()
    world.drop()
    first = a_look(world)
    world.datasets.put(path, examples(3))

    second = a_look(world, first.fingerprint)

    assert second.state == "unsettled"


def test_failed_collection_is_kept_with_its_time() -> None:
    """The note names the dataset, why it failed and when; the next failure overwrites it."""
    world = World()
    problem = Problem(code="request-rejected", message="403", remedy="Give the identity its role.")

    for _ in range(2):
        world.call(note_failed_collection, CollectingFailed(dataset=SHOP, problem=problem))

    document = json.loads(world.registry.find("shop/collecting/v1.json").data)
    noted = FailedCollection.from_payload(document)
    assert noted == FailedCollection(dataset=SHOP, problem=problem, at=world.clock.now())


def test_other_files_do_not_matter() -> None:
    """What has no role is left alone."""
    world = World()
    world.drop()
    first = a_look(world)
    world.datasets.put("shop/v1/notes.txt", "x")

    assert a_look(world, first.fingerprint).state == "settled"


def test_success_file_settles_at_once() -> None:
    """A complete dataset is not waited for."""
    world = World()
    world.drop()
    world.datasets.put("shop/v1/_SUCCESS", "")

    assert a_look(world).state == "settled"


def test_success_file_that_is_older_than_the_data_says_nothing() -> None:
    """It was written for what lay there before."""
    world = World()
    world.datasets.put("shop/v1/_SUCCESS", "")
    world.clock.advance(5)
    world.drop()

    assert a_look(world).state == "unsettled"


@pytest.mark.parametrize("files", [{}, {"shop/v1/validation.jsonl": "x"}])
def test_folder_without_training_data_waits(files: dict[str, str]) -> None:
    """There is nothing to settle until somebody writes."""
    world = World()
    for name, data in files.items():
        world.datasets.put(name, data)

    assert a_look(world).state == "idle"


def test_zero_byte_placeholder_waits_for_its_content() -> None:
    """ADLS Gen2 creates a file before it fills it."""
    world = World()
    world.datasets.put("shop/v1/training.jsonl", "")

    assert a_look(world).state == "idle"


def test_known_dataset_is_idle() -> None:
    """What a run was registered for is not new."""
    world = World()
    world.a_run()

    assert a_look(world).state == "idle"


def test_nothing_is_looked_at_before_the_installation_was_listed() -> None:
    """What lay there at installation must be told from what is dropped."""
    world = World()
    world.drop()
    world.registry.blobs.clear()

    assert isinstance(look(world), Later)


def test_configuration_gives_a_file_its_role() -> None:
    """A job file written for azd names its training data by a path of its own."""
    world = World()
    world.datasets.put("shop/v1/support.jsonl", examples(12))
    world.datasets.put("shop/v1/fine-tune-job.yaml", "training_file: local:data/support.jsonl\n")

    folder = read_folder(world.datasets, SHOP)

    assert [file.name for file in folder.files[Role.TRAINING]] == ["shop/v1/support.jsonl"]
    assert a_look(world).state == "unsettled"


@pytest.mark.parametrize("text", ["", "a: [", "training_file: file-1\n", "x" * 300_000])
def test_configuration_that_cannot_be_read_names_nothing(text: str) -> None:
    """What is wrong with it is said when the run is validated."""
    world = World()
    world.drop()
    before = a_look(world).state
    world.datasets.put("shop/v1/fine-tune-job.yaml", text)

    assert a_look(world).state == before == "unsettled"

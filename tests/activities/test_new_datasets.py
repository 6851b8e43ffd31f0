"""What a sweep finds new, and what finding it costs."""

from __future__ import annotations

import asyncio
import json

from activities.datasets import LONGEST_JOB_FILE, NamedFiles
from activities.new_datasets import KnownFolders, find_new, list_datasets
from activities.sweeps import Failure, sweep
from droptune.domain.dataset import DatasetRef, Role
from droptune.domain.errors import TransientError
from droptune.domain.phases import Phase
from droptune.validation.job_file import LONGEST_FILE
from tests.builders import World, a_job_file, examples


def a_dataset(number: int) -> DatasetRef:
    """Return one of several datasets of two projects."""
    return DatasetRef(project=f"p{number % 2}", version=f"v{number}")


def look(world: World, known: KnownFolders) -> tuple[list[DatasetRef], int]:
    """Return what is new, and how many requests it took to find out."""
    before = len(world.datasets.calls) + len(world.registry.calls)
    found = find_new(world.datasets, world.registry, known)
    return found, len(world.datasets.calls) + len(world.registry.calls) - before


def test_every_dataset_is_listed_with_its_blobs() -> None:
    """Folders of projects, and a bare file beside the folder that it belongs to."""
    world = World()
    names = (
        *("a.jsonl", "a/latest/test.jsonl", "a/v1/training.jsonl", "a/v1/parts/part-1.json"),
        *("a.b/v1/training.jsonl", "a/project.yaml", "b.jsonl", "a/.x/training.jsonl", "c.txt"),
    )
    for name in names:
        world.datasets.put(name, "x")

    listed = {
        f"{d.project}/{d.version}": [b.name for b in blobs]
        for d, blobs in list_datasets(world.datasets)
    }

    assert listed == {
        "a/latest": ["a/latest/test.jsonl", "a.jsonl"],
        "a/v1": ["a/v1/parts/part-1.json", "a/v1/training.jsonl"],
        "a.b/v1": ["a.b/v1/training.jsonl"],
        "b/latest": ["b.jsonl"],
    }


def test_what_is_listed_unchanged_is_neither_read_nor_parsed_again() -> None:
    """A listing of the datasets, and one of each project's records: whatever the number."""
    world, known = World(), KnownFolders()
    for number in range(10):
        world.ended(world.a_run(a_dataset(number)), Phase.FAILED)

    first, first_cost = look(world, known)
    second, second_cost = look(world, known)

    assert (first, second) == ([], [])
    assert first_cost > 10
    assert second_cost == 1 + 2


def test_dataset_that_changes_is_found_among_those_that_are_known() -> None:
    """A file that is written again has another ETag."""
    world, known = World(), KnownFolders()
    for number in range(4):
        world.ended(world.a_run(a_dataset(number)), Phase.FAILED)
    look(world, known)
    world.datasets.put("p1/v3/training.jsonl", examples(13))

    found, _ = look(world, known)
    again, _ = look(world, known)

    assert (found, again) == ([a_dataset(3)], [a_dataset(3)])


def test_record_that_changes_is_read_again() -> None:
    """What was new has its run, and is known from then on."""
    world, known = World(), KnownFolders()
    world.drop(a_dataset(1))
    before, _ = look(world, known)
    world.wish(a_dataset(1))

    after, _ = look(world, known)

    assert (before, after) == ([a_dataset(1)], [])


def test_memory_is_bounded() -> None:
    """Whoever is forgotten is read once more."""
    world, known = World(), KnownFolders(most=2)
    for number in range(4):
        world.ended(world.a_run(a_dataset(number)), Phase.FAILED)
    look(world, known)

    _, cost = look(world, known)

    assert cost > 3


def test_dataset_that_cannot_be_read_keeps_no_other_from_being_found() -> None:
    """It is named, and looked at again by the next sweep."""
    world = World()
    for number in range(2):
        world.drop(a_dataset(number), job=a_job_file() + " # training_file")
    world.datasets.fail_next("find", TransientError("busy"))

    first = asyncio.run(world.call(sweep))
    second = asyncio.run(world.call(sweep))

    assert first == [Failure(what=a_dataset(0).collector_id, reason="busy")]
    assert second == []
    assert world.orchestrations.alive == {a_dataset(n).collector_id for n in range(2)}


def test_job_file_is_parsed_once_for_the_same_content_and_only_if_it_may_name_files() -> None:
    """However often a folder is looked at."""
    parsed: list[bytes] = []

    def parse(data: bytes) -> dict[Role, str]:
        parsed.append(data)
        return {Role.TRAINING: json.loads(data)["training_file"]}

    named = NamedFiles(parse, most=2)
    files = [json.dumps({"training_file": f"{n}.jsonl"}).encode() for n in range(3)]

    answers = [named.of(files[0]), named.of(files[0]), named.of(b"model: gpt-4o")]
    for each in (*files, files[0]):
        named.of(each)

    assert answers == [{Role.TRAINING: "0.jsonl"}, {Role.TRAINING: "0.jsonl"}, {}]
    assert parsed == [*files, files[0]]  # the first was forgotten for the third


def test_key_that_is_escaped_is_found() -> None:
    """YAML may write a letter as an escape: such a file is parsed."""
    named = NamedFiles(lambda data: {Role.TRAINING: "x"})

    assert named.of(b'"training\\x5ffile": x.jsonl') == {Role.TRAINING: "x"}


def test_longest_job_file_is_the_validators() -> None:
    """What the validator refuses is not read here either."""
    assert LONGEST_JOB_FILE == LONGEST_FILE

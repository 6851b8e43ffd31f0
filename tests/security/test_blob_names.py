"""A blob's name is anybody's text: it leads to a dataset, to a rejection, or to nothing."""

from __future__ import annotations

import asyncio
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from activities.datasets import read_folder
from activities.new_datasets import list_datasets
from tests.app_in_memory import load_function_app, services_of
from tests.builders import SHOP, World, a_job_file, examples
from tests.line_in_memory import a_line

SAFE_INSTANCE = re.compile(r"[A-Za-z0-9@._-]{1,200}")
SAFE_BLOB = re.compile(r"(?!.*(^|/)\.\.(/|$))[A-Za-z0-9._/-]{1,300}")
HOSTILE = (
    "../registry/champion.json", "a/../../b/training.jsonl", "a/b/../../../x", "/a/b/x",
    "a//training.jsonl", "a/b/training.jsonl\x00", "a\x00/b/training.jsonl", "a\n/b/x.jsonl",
    "\u202ea/b/training.jsonl", "\uff0e\uff0e/b/training.jsonl", "a\\..\\b/training.jsonl",
    "_index/v1/training.jsonl", "_rejected/v1/training.jsonl", "..jsonl", ".jsonl", "%2e%2e/b/x",
    "a/" * 200 + "training.jsonl", "x" * 1024, "\ud800/b/training.jsonl", "$web/b/training.jsonl",
    "a/b/\u001b[31mtraining.jsonl", "CON/v1/training.jsonl", "a/b./training.jsonl", "?/b/x",
)  # fmt: skip
names = st.text(max_size=80) | st.text(alphabet="ab./\\%_-\x00\n\u202e@", max_size=40)


@settings(max_examples=300, deadline=None)
@given(names)
@example("../a/training.jsonl")
@example("\ud800")
def test_event_of_any_name_starts_a_collection_or_keeps_a_sentence(name: str) -> None:
    """Nothing is raised, and no id and no document's name holds a word of a hostile name."""
    world = World()
    before = set(world.registry.names())

    asyncio.run(load_function_app().notice(name, services_of(world), world.orchestrations))

    written = set(world.registry.names()) - before
    assert all(re.fullmatch(r"_rejected/[0-9a-f]{64}\.json", each) for each in written)
    for _, instance, _ in world.orchestrations.started:
        assert SAFE_INSTANCE.fullmatch(instance)
    assert not (written and world.orchestrations.started)


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_beside_a_dataset_changes_nothing_of_it(name: str) -> None:
    """The dataset beside it is trained as ever, and all that is written has a name of ours."""
    world = World()
    line = a_line(world)
    world.drop(job=a_job_file())
    world.datasets.put(name, examples())

    asyncio.run(load_function_app().notice(name, services_of(world), line.orchestrations))
    line.notice(SHOP)
    line.run()

    runs = [run for run in world.records.list_newest() if run.project == SHOP.project]
    assert [run.phase.value for run in runs] == ["succeeded"]
    for store in (world.runs, world.registry):
        assert not [each for each in store.names() if not SAFE_BLOB.fullmatch(each)]


def test_listing_a_container_of_hostile_names_reads_only_datasets() -> None:
    """The sweep comes by all of them."""
    world = World()
    for name in HOSTILE:
        world.datasets.put(name, examples())
    world.drop()

    found = [dataset for dataset, _ in list_datasets(world.datasets)]

    assert SHOP in found
    assert all(re.fullmatch(r"[A-Za-z0-9-][A-Za-z0-9._-]{0,63}", each.project) for each in found)
    assert all(read_folder(world.datasets, each) is not None for each in found)

"""Holding a dataset as it settled."""

from __future__ import annotations

import pytest

from activities.pins import hold_pins
from droptune.domain.errors import RunEndedError, TransientError
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from tests.builders import World, examples


def hold(world: World, run: RunRecord) -> RunRecord:
    """Look once whether the dataset is still what settled."""
    return hold_pins(run, datasets=world.datasets, records=world.records)


def test_untouched_dataset_is_not_read_again() -> None:
    """The same ETags need no hash."""
    world = World()
    run = world.a_run()
    reads = world.datasets.calls.count("open")

    assert hold(world, run) == run
    assert world.datasets.calls.count("open") == reads


def test_same_content_under_another_etag_is_pinned_anew() -> None:
    """The record carries the ETag that later reads use."""
    world = World()
    run = world.a_run()
    etag = world.datasets.put("shop/v1/training.jsonl", examples())

    held = hold(world, run)

    assert etag in {pin.etag for pin in held.pins}
    assert world.now(run).pins == held.pins


def test_other_content_says_which_file() -> None:
    """The sentence names what changed; the phase is superseded."""
    world = World()
    run = world.a_run()
    world.datasets.put("shop/v1/training.jsonl", examples(13))

    with pytest.raises(RunEndedError, match=r"shop/v1/training\.jsonl was overwritten") as ended:
        hold(world, run)

    assert ended.value.phase is Phase.SUPERSEDED


def test_blob_that_changes_while_it_is_compared_is_looked_at_again() -> None:
    """A write in progress decides nothing: it may end in the same content."""
    world = World()
    run = world.a_run()
    world.datasets.put("shop/v1/training.jsonl", examples())
    world.datasets.before_next(
        "open", lambda: world.datasets.put("shop/v1/training.jsonl", examples())
    )

    with pytest.raises(TransientError):
        hold(world, run)

    assert hold(world, run).pins != run.pins


def test_run_that_has_its_job_is_held_to_nothing() -> None:
    """What comes after the job gets a run of its own."""
    world = World()
    run = world.at(world.a_run(), job={"id": "ftjob-1"})
    world.datasets.put("shop/v1/training.jsonl", examples(13))

    assert hold(world, run) == run

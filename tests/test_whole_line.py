"""The whole line in memory, from a drop to a champion."""

from __future__ import annotations

import logging

import pytest

from droptune.domain.phases import Outcome, Phase
from tests.builders import PRODUCTION, SHOP, World, a_job_file, examples
from tests.line_in_memory import Line, a_line

LIMIT = 16 << 10
CANARY = "the-canary-sings-at-dawn"


def drop(world: World, line: Line, **files: str) -> None:
    """Drop a dataset whose model may be hosted, and let its event arrive."""
    world.drop(job=a_job_file(**PRODUCTION), **files)
    line.notice(SHOP)
    line.run()


def test_dropped_dataset_becomes_the_champion() -> None:
    """A drop ends at a deployment that answers and that the project's callers are pointed to."""
    world = World()
    line = a_line(world)

    drop(world, line, validation=examples(3, answer="Another."))

    [run] = world.records.list_newest()
    champion = world.champion()
    assert (run.phase, run.outcome) == (Phase.SUCCEEDED, Outcome.PROMOTED), run
    assert champion is not None
    assert champion.current.run_id == run.id
    assert champion.current.model == world.only_job().fine_tuned_model
    assert champion.current.deployment in world.resource_manager.deployments


def test_everything_that_bills_and_is_not_needed_is_gone_at_the_end() -> None:
    """Only the champion's deployment and the service's own results remain."""
    world = World()
    line = a_line(world)

    drop(world, line)

    champion = world.champion()
    assert champion is not None
    assert list(world.resource_manager.deployments) == [champion.current.deployment]
    assert {file.name for file in world.azure_openai.files.values()} == {"results.csv"}


def test_dropping_the_same_again_starts_nothing() -> None:
    """The same content, written again, finds its run and buys nothing."""
    world = World()
    line = a_line(world)
    drop(world, line)
    calls = len(line.calls)

    drop(world, line)

    assert len(list(world.records.list_newest())) == 1
    assert len(world.azure_openai.jobs) == 1
    assert set(line.calls[calls:]) == {"look_at_dataset", "start_run"}


def test_payloads_stay_small() -> None:
    """Whatever an activity is asked or answers is under 16 KB, and usually under 2."""
    world = World()
    line = a_line(world)

    drop(world, line, validation=examples(3, answer="Another."))

    sizes = sorted(len(text) for name, text in line.payloads if "history" not in name)
    assert sizes[-1] < LIMIT
    assert sizes[len(sizes) // 2] < 2048


def test_histories_stay_short() -> None:
    """No execution of a whole run carries more than 150 rows or 64 KB."""
    world = World()
    line = a_line(world)

    drop(world, line, validation=examples(3, answer="Another."))

    bodies = [text for name, text in line.payloads if "history" in name]
    assert max(text.count('"EventType"') for text in bodies) <= 150
    assert max(map(len, bodies)) <= 64 << 10


@pytest.mark.parametrize(
    "training",
    [
        examples(12, answer=CANARY),
        examples(12) + '{"messages": [{"role": "' + CANARY + '", "content": "x"}]}\n',
        examples(12) + '{"' + CANARY + '": 1}\n',
        examples(12) + CANARY + "\n",
        examples(3, answer=CANARY),
    ],
    ids=["good", "bad-role", "bad-key", "no-json", "too-few"],
)
def test_training_data_stays_out_of_durable_and_logs(
    training: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What stands in the data appears in no payload, history or log record, in good data or bad."""
    world = World()
    line = a_line(world)
    caplog.set_level(logging.DEBUG)

    drop(world, line, training=training)

    [run] = world.records.list_newest()
    assert run.phase.is_terminal
    assert [name for name, text in line.payloads if CANARY in text] == []
    assert CANARY not in caplog.text


def test_rejected_dataset_says_why_in_its_record() -> None:
    """The sentence that names the line stands in the record, though it never travels."""
    world = World()
    line = a_line(world)

    drop(world, line, training=examples(12) + '{"messages": [{"role": "bot", "content": "x"}]}\n')

    [run] = world.records.list_newest()
    assert run.phase is Phase.REJECTED
    assert run.error is not None
    assert "line 13" in run.message
    assert "bot" in run.message

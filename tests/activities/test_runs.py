"""From a settled dataset to one run: what is new, what is repeated, and what starts nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from activities.run_records import RunRecords
from activities.runs import start_run
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import TransientError
from droptune.domain.phases import Phase
from droptune.domain.registration import Cause
from droptune.domain.run import RunRecord
from droptune.domain.steps import Collecting, Policy
from tests.builders import SHOP, World, a_job_file, examples
from tests.fakes import CrashError

V2 = DatasetRef(project="shop", version="v2")
BARE = DatasetRef(project="shop", version="latest")


def runs_of(world: World) -> list[RunRecord]:
    """Return all runs, newest first."""
    return list(world.records.list_newest())


def start(world: World, collecting: Collecting | None = None) -> None:
    """Run the activity once, as the collector does."""
    asyncio.run(
        start_run(
            collecting or Collecting(dataset=SHOP),
            register=world.register,
            records=world.records,
            orchestrations=world.orchestrations,
        )
    )


def test_settled_dataset_gets_one_run_and_one_orchestration() -> None:
    """The run's id is the instance's, and the payload names the run and nothing more."""
    world = World()
    world.drop()

    start(world)

    [run] = runs_of(world)
    assert world.orchestrations.started == [("fine_tune_model", run.id, run.ref.to_payload())]


def test_start_that_runs_twice_starts_once() -> None:
    """A repetition finds record and instance."""
    world = World()
    world.drop()

    start(world)
    start(world)

    assert len(runs_of(world)) == 1
    assert len(world.orchestrations.started) == 1


def test_crash_anywhere_in_the_start_leads_to_one_run_that_is_started() -> None:
    """Between record, list, dataset document and instance nothing is lost or doubled."""
    died = True
    point = 0
    while died:
        world = World()
        world.drop()
        fuse = world.kill_at(point)

        for _ in range(2):
            try:
                start(world)
            except CrashError:
                start(world)

        world.survive()
        [run] = runs_of(world)
        assert [id_ for _, id_, _ in world.orchestrations.started] == [run.id], f"point {point}"
        died, point = fuse.is_burnt, point + 1
    assert point > 10


def test_instance_that_was_lost_is_started_for_a_known_dataset() -> None:
    """The dataset is known, the run is open, nobody runs it: the start is repeated."""
    world = World()
    world.drop()
    start(world)
    world.orchestrations.alive.clear()

    start(world)

    assert len(world.orchestrations.started) == 2
    assert len(runs_of(world)) == 1


@pytest.mark.parametrize("phase", [Phase.SUCCEEDED, Phase.VALIDATING, Phase.TRAINING])
def test_same_content_dropped_again_starts_nothing(phase: Phase) -> None:
    """While its run lives or after it succeeded, the same drop finds it and says so."""
    world = World()
    run = world.a_run()
    world.at(run, phase=phase)

    again = world.wish(world.drop())

    assert again.run == run.ref
    assert not again.started


@pytest.mark.parametrize("phase", [Phase.FAILED, Phase.CANCELLED, Phase.REJECTED, Phase.SUPERSEDED])
def test_same_content_dropped_after_another_end_is_the_next_attempt(phase: Phase) -> None:
    """Dropping again repeats what did not succeed; the training stays the same one."""
    world = World()
    run = world.ended(world.a_run(), phase)

    again = world.run_of(world.wish(world.drop()))

    assert (again.attempt, again.training_digest) == (2, run.training_digest)
    assert again.id != run.id


def test_known_dataset_without_a_new_write_starts_nothing() -> None:
    """Duplicate and late events find the same names and ETags."""
    world = World()
    world.a_run()

    again = world.wish()

    assert (again.started, again.code) == (False, "nothing-new")


def test_changed_project_file_starts_nothing() -> None:
    """A project's configuration never starts a run."""
    world = World()
    world.a_run()
    world.datasets.put("shop/project.yaml", "pipeline: {budget: {run_usd: 1}}")

    again = world.wish()

    assert again.code == "nothing-new"


def test_retry_of_a_failed_run_is_one_attempt_however_often_it_is_asked_for() -> None:
    """Both requests name the run that they repeat."""
    world = World()
    run = world.ended(world.a_run())

    first = world.wish(cause=Cause.RETRY, repeats=run.id)
    second = world.wish(cause=Cause.RETRY, repeats=run.id)

    assert first.started
    assert not second.started
    assert first.run == second.run


def test_again_after_success_trains_anew_once() -> None:
    """The attempt enters both digests; a repeated request is the same attempt."""
    world = World()
    run = world.ended(world.a_run(), Phase.SUCCEEDED)

    first = world.wish(cause=Cause.AGAIN, repeats=run.id)
    second = world.wish(cause=Cause.AGAIN, repeats=run.id)

    assert first.run == second.run
    assert world.run_of(first).training_digest != run.training_digest


def test_retry_of_a_success_and_of_a_live_run_are_refused_with_a_reason() -> None:
    """There is nothing to repeat."""
    world = World()
    run = world.a_run()

    alive = world.wish(cause=Cause.RETRY, repeats=run.id)
    world.ended(run, Phase.SUCCEEDED)
    succeeded = world.wish(cause=Cause.RETRY, repeats=run.id)

    assert alive.code == "not-ended"
    assert succeeded.code == "already-succeeded"


def test_repeated_old_data_is_as_old_as_it_was() -> None:
    """A retry in May of what settled in March does not count as newer than April's champion."""
    world = World()
    run = world.ended(world.a_run())
    world.clock.advance(90 * 86_400)

    again = world.repeat(run)

    assert again.settled_at == run.settled_at
    assert again.created_at > run.created_at


def test_same_training_under_another_version_is_a_run_of_its_own() -> None:
    """It shares the training digest, so it will adopt the job."""
    world = World()

    first, second = world.a_run(), world.a_run(V2)

    assert first.training_digest == second.training_digest
    assert first.run_digest != second.run_digest


def test_version_that_is_training_already_asks_before_it_trains_again() -> None:
    """What changes once the job exists gets a run that waits for approval."""
    world = World()
    run = world.a_run()
    world.at(run, phase=Phase.TRAINING, job={"id": "ftjob-1"})

    second = world.run_of(world.wish(world.drop(training=examples(13))))

    assert f"already training as {run.id}" in second.approval_reasons[0]


def test_more_runs_than_a_day_allows_wait_for_approval() -> None:
    """The twenty-first new run of a UTC day asks; the first of the next day does not."""
    world = World(policy=Policy(runs_per_day=2))
    made = []
    for number in range(4):
        if number == 3:
            world.clock.advance(86_400)
        ref = DatasetRef(project="shop", version=f"v{number}")
        made.append(world.a_run(ref, training=examples(12 + number)))

    asked = [bool(run.approval_reasons) for run in made]
    assert asked == [False, False, True, False]


def test_money_waits_two_minutes_after_the_last_change() -> None:
    """The report follows at once, the submission later."""
    world = World()

    run = world.run_of(world.wish(world.drop()))

    assert (run.submit_after - world.clock.now()).total_seconds() == 120


def test_success_file_lets_nothing_wait() -> None:
    """`_SUCCESS`, newer than every other file, says that the dataset is complete."""
    world = World()
    world.drop()
    world.datasets.put("shop/v1/_SUCCESS", "")

    run = world.run_of(world.wish())

    assert run.submit_after == world.clock.now()


def test_bare_file_is_a_dataset_too() -> None:
    """<name>.jsonl is training data of the project <name>, version latest."""
    world = World()
    world.datasets.put("shop.jsonl", examples())

    run = world.run_of(world.wish(BARE))

    assert [pin.name for pin in run.pins] == ["shop.jsonl"]
    assert run.id.startswith("shop-latest-")


def test_folder_that_changed_since_it_settled_is_looked_at_again() -> None:
    """What two looks agreed on is what is pinned; anything else is not settled yet."""
    world = World()
    world.drop()
    settled = Collecting(dataset=SHOP, fingerprint="another")

    with pytest.raises(TransientError, match="has changed"):
        start(world, settled)

    assert runs_of(world) == []


def test_blob_that_changes_while_it_is_hashed_is_asked_for_later() -> None:
    """Nothing is registered for bytes that are being replaced."""
    world = World()
    world.drop()
    world.datasets.before_next(
        "open", lambda: world.datasets.put("shop/v1/training.jsonl", examples(13))
    )

    with pytest.raises(TransientError):
        world.wish()

    assert runs_of(world) == []


def test_wrong_configuration_becomes_a_run_that_says_so() -> None:
    """A file with a mistake is registered with its findings; the report rejects it later."""
    world = World()

    run = world.a_run(job='{"model": "gpt-4.1-mini", "modell": 1}')

    assert run.configuration is None
    assert "modell" in run.configuration_findings[0].message + str(
        run.configuration_findings[0].path
    )


def test_deployment_settings_alone_make_a_run_and_no_other_training() -> None:
    """What does not enter the training's digest adopts the job that was paid for."""
    world = World()
    first = world.ended(world.a_run(), Phase.SUCCEEDED)

    world.drop(job=a_job_file(retention={"rollback_hours": 1}))
    second = world.run_of(world.wish())

    assert second.training_digest == first.training_digest
    assert second.run_digest != first.run_digest


def test_record_that_was_never_listed_is_listed_by_the_next_wish() -> None:
    """A worker that died behind the gate leaves a run that can be found."""
    world = World()
    run = world.a_run()
    rows = [name for name in world.runs.names() if name.startswith("_")]
    for name in rows:
        world.runs.delete(name)

    world.wish(world.drop())

    assert [each.id for each in RunRecords(world.runs, world.clock).list_newest()] == [run.id]


def test_record_that_a_crash_left_without_a_row_is_listed_at_night() -> None:
    """Also when nobody drops that content again: its run can be taken to an end."""
    world = World()
    world.drop()
    start(world)
    [run] = runs_of(world)
    for row in list(world.records.store.list("_index/")):
        world.records.store.delete(row.name)
    lost = runs_of(world)

    world.register.list_lost()

    assert lost == []
    assert runs_of(world) == [run]


def test_known_record_is_left_as_it_is() -> None:
    """The gate is written once: a second registration does not reset what the run has become."""
    world = World()
    run = world.at(world.a_run(), phase=Phase.QUEUED)

    world.wish(world.drop())

    assert replace(world.now(run), updated_at=run.updated_at) == run

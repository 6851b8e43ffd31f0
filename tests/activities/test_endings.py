"""The end of a run: nothing that bills is forgotten, and nothing that others need is taken."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from activities.endings import end_run
from activities.fine_tuning_jobs import create_fine_tuning_job
from droptune.domain.dataset import DatasetRef
from droptune.domain.deployment import DeploymentRequest
from droptune.domain.errors import OutcomeUnknownError, RequestRejectedError, TransientError
from droptune.domain.findings import Problem
from droptune.domain.identity import deployment_name
from droptune.domain.job import JobStatus
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import FILE_MARKS, RunRecord
from droptune.domain.steps import EndRequest, Later
from tests.builders import World, an_entry, until_done

V2 = DatasetRef(project="shop", version="v2")
ANOTHER_TRAINING = json.dumps({"model": "gpt-4.1-nano", "seed": 7})
CANCELLED = Problem(code="cancelled", message="Cancelled by Ada.", remedy="")


def end(
    world: World, run: RunRecord, phase: Phase = Phase.CANCELLED, outcome: Outcome = Outcome.NONE
) -> Later | None:
    """Ask for the end once."""
    request = EndRequest(run=run.ref, phase=phase, outcome=outcome, problem=CANCELLED)
    answer: Later | None = world.call(end_run, request)
    return answer


def a_training_run(world: World, **dataset: Any) -> RunRecord:
    """Return a run whose job runs."""
    run = world.a_ready_run(**dataset)
    world.ask(create_fine_tuning_job, run)
    return world.now(run)


def mark_earlier(world: World) -> None:
    """Let what is live be marked, as happens once: from then on only steps mark."""
    assert list(world.records.list_live())


def deploy(world: World, run: RunRecord, purpose: str = "") -> str:
    """Put a deployment of a run's model, and return its name."""
    name = deployment_name(run.project, run.run_digest, purpose)
    wanted = DeploymentRequest(name=name, model="m", sku="GlobalStandard", capacity=50)
    world.resource_manager.put_deployment(wanted)
    return name


def test_cancelled_run_cancels_its_job_and_deletes_its_files() -> None:
    """The last holder stops what bills, and the record closes."""
    world = World()
    run = a_training_run(world, validation="x\n")

    answer = end(world, run)

    ended = world.now(run)
    assert answer is None
    assert world.only_job().status is JobStatus.CANCELLED
    assert world.azure_openai.files == {}
    assert (ended.phase, ended.message) == (Phase.CANCELLED, "Cancelled by Ada.")
    assert (ended.job or {})["status"] == "cancelled"
    assert world.claim(run).holders == ()


def test_ending_twice_changes_nothing_more() -> None:
    """A closed record stays as it is, and nothing is asked of Azure again."""
    world = World()
    run = a_training_run(world)
    end(world, run)
    closed, asked = world.now(run), len(world.azure_openai.calls)

    end(world, run, Phase.FAILED)

    assert world.now(run) == closed
    assert len(world.azure_openai.calls) == asked


def test_job_that_takes_time_to_cancel_is_waited_for() -> None:
    """The record closes only once the service says that the job has ended."""
    world = World()
    run = a_training_run(world)
    world.azure_openai.slow_cancellations = 1

    first = end(world, run)
    open_still = world.now(run).phase
    second = end(world, run)

    assert isinstance(first, Later)
    assert not open_still.is_terminal
    assert second is None
    assert world.only_job().status is JobStatus.CANCELLED


def test_job_that_is_being_cancelled_is_not_adopted() -> None:
    """A run that comes while the last holder waits for the cancellation gets a job of its own."""
    world = World()
    first, second = a_training_run(world), world.a_ready_run(V2)
    job = world.only_job().id
    world.azure_openai.slow_cancellations = 1
    end(world, first)

    world.ask(create_fine_tuning_job, second)

    assert (world.now(second).job or {})["id"] != job
    assert world.now(second).adopted_from is None


def test_cancel_lets_go_while_another_run_holds_the_job() -> None:
    """Job and files stay for the other holder, which stops them when it ends last."""
    world = World()
    first, second = a_training_run(world), a_training_run(world, dataset=V2)

    end(world, first)
    shared = (world.only_job().status, len(world.azure_openai.files))
    end(world, second)

    assert shared == (JobStatus.PENDING, 1)
    assert world.only_job().status is JobStatus.CANCELLED
    assert world.azure_openai.files == {}


def test_files_stay_while_an_open_run_of_another_training_names_them() -> None:
    """The same content with another seed is another training that reads the same file."""
    world = World()
    first = a_training_run(world)
    mark_earlier(world)
    other = world.a_ready_run(V2, job=ANOTHER_TRAINING)
    assert other.files == first.files

    end(world, first)

    assert set(other.files.values()) == set(world.azure_openai.files)


def test_files_stay_for_a_run_that_an_earlier_version_began() -> None:
    """What it named when files had no marks is marked once."""
    world = World()
    first, other = a_training_run(world), world.a_ready_run(V2, job=ANOTHER_TRAINING)
    for name in world.runs.names(FILE_MARKS):
        world.runs.delete(name)

    end(world, first)

    assert set(other.files.values()) == set(world.azure_openai.files)


def test_end_reads_no_other_live_run() -> None:
    """However many there are; and of its own marks none is left."""

    def calls_beside(others: int) -> int:
        world = World()
        run = a_training_run(world)
        for number in range(others):
            world.a_run(DatasetRef(project="other", version=f"v{number}"))
        mark_earlier(world)
        before = len(world.runs.calls)
        end(world, run)
        assert world.runs.names(FILE_MARKS) == []
        return len(world.runs.calls) - before

    assert calls_beside(8) == calls_beside(1)


def test_failed_run_leaves_its_job_to_its_retry() -> None:
    """Only a person or a budget cancels a job: what trains is paid for and can be adopted."""
    world = World()
    run = a_training_run(world)

    end(world, run, Phase.FAILED)

    assert world.only_job().status is JobStatus.PENDING
    assert len(world.azure_openai.files) == 1
    assert world.claim(run).holders == ()


def test_submission_without_an_answer_is_found_and_cancelled() -> None:
    """A run that is cancelled before it knows its job does not forget it."""
    world = World()
    run = world.a_ready_run()
    world.azure_openai.fail_next("create_job", OutcomeUnknownError("reset"), after=True)
    with pytest.raises(TransientError):
        world.ask(create_fine_tuning_job, run)

    end(world, run)

    assert world.now(run).phase is Phase.CANCELLED
    assert world.only_job().status is JobStatus.CANCELLED


def test_submission_that_shows_late_is_waited_for() -> None:
    """The record stays open for ten minutes, in which the job may still appear."""
    world = World()
    run = world.a_ready_run()
    world.azure_openai.fail_next("create_job", OutcomeUnknownError("reset"), after=True)
    with pytest.raises(TransientError):
        world.ask(create_fine_tuning_job, run)
    hidden = dict(world.azure_openai.jobs)
    world.azure_openai.jobs.clear()

    waits = end(world, run)
    world.azure_openai.jobs.update(hidden)
    end(world, run)

    assert isinstance(waits, Later)
    assert world.only_job().status is JobStatus.CANCELLED


def test_submission_that_never_acted_does_not_hold_the_end_for_ever() -> None:
    """Ten minutes after the intent nothing can appear any more, and the run ends."""
    world = World()
    run = world.a_ready_run()
    world.azure_openai.fail_next("create_job", OutcomeUnknownError("reset"))
    with pytest.raises(TransientError):
        world.ask(create_fine_tuning_job, run)

    world.clock.advance(601)
    answer = end(world, run)

    assert answer is None
    assert world.claim(run).intent is None


def test_job_that_the_record_does_not_know_is_cancelled() -> None:
    """A worker that died between the claim and the record leaves no job running."""
    world = World()
    run = a_training_run(world)
    world.at(run, job=None)

    end(world, world.now(run))

    assert world.only_job().status is JobStatus.CANCELLED


def test_crash_at_any_point_of_the_end_leaves_nothing_that_bills() -> None:
    """However often the worker dies, the end is reached: job stopped, files and candidate gone."""
    died = True
    point = 0
    while died:
        world = World()
        run = a_training_run(world)
        deploy(world, run, "candidate")
        fuse = world.kill_at(point)

        until_done(world, partial(end, world, run))

        world.survive()
        assert world.now(run).phase is Phase.CANCELLED, f"point {point}"
        assert world.only_job().status is JobStatus.CANCELLED, f"point {point}"
        assert world.azure_openai.files == {}, f"point {point}"
        assert world.resource_manager.deployments == {}, f"point {point}"
        died, point = fuse.is_burnt, point + 1
    assert point > 20


def test_candidate_goes_and_the_champion_stays() -> None:
    """Of a promoted run only the deployment that callers use remains."""
    world = World()
    run = a_training_run(world)
    candidate, production = deploy(world, run, "candidate"), deploy(world, run)
    world.azure_openai.finish_job(world.only_job().id)
    world.crown(an_entry(run.id, deployment=production))

    end(world, run, Phase.SUCCEEDED, Outcome.PROMOTED)

    assert candidate not in world.resource_manager.deployments
    assert production in world.resource_manager.deployments


def test_deployments_of_other_runs_and_of_strangers_are_left_alone() -> None:
    """Only names that were made for this run are deleted."""
    world = World()
    run = a_training_run(world)
    for name in ("shop-bbbbbbbbbbbb", f"{run.run_digest[:12]}", f"x{run.run_digest[:12]}"):
        wanted = DeploymentRequest(name=name, model="m", sku="Standard", capacity=1)
        world.resource_manager.put_deployment(wanted)

    end(world, run)

    assert len(world.resource_manager.deployments) == 3


def test_refused_deletion_is_named_and_the_record_closes() -> None:
    """A run whose deployment cannot be deleted ends, and says what is left for a person."""
    world = World()
    run = a_training_run(world)
    deploy(world, run, "candidate")
    no = RequestRejectedError("deleting the deployment: 403", status=403)
    world.resource_manager.fail_next("delete_deployment", no)

    end(world, run)

    assert world.now(run).phase is Phase.CANCELLED
    assert "deleting the deployment: 403" in world.now(run).message


def test_run_that_never_reached_azure_asks_nothing_of_it() -> None:
    """A rejected dataset costs no call."""
    world = World()
    run = world.a_run()

    end(world, run, Phase.REJECTED)

    assert world.azure_openai.calls == []
    assert world.resource_manager.calls == []


def test_spent_is_what_the_service_billed() -> None:
    """The record says what the tokens of the job cost; an adopted job costs nothing."""
    world = World()
    first, second = a_training_run(world), a_training_run(world, dataset=V2)
    trained = {"trained_tokens": 200_000}
    for run in (first, second):
        world.at(run, job={**(world.now(run).job or {}), **trained})

    end(world, first, Phase.SUCCEEDED, Outcome.TRAINED)
    end(world, second, Phase.SUCCEEDED, Outcome.TRAINED)

    assert world.now(first).cost["spent"] == 1.0
    assert world.now(second).cost["spent"] == 0.0


def test_reason_that_the_step_kept_is_the_reason_of_the_end() -> None:
    """What may quote data stands in the record already; the request only repeats its code."""
    world = World()
    run = world.a_run()
    kept = Problem(code="training-data", message='line 3: "bot" is no role.', remedy="Mend it.")
    world.at(run, error=kept)
    asked = Problem(code="training-data", message="The run's record says why.", remedy="")

    world.call(end_run, EndRequest(run=run.ref, phase=Phase.REJECTED, problem=asked))

    assert world.now(run).error == kept
    assert world.now(run).message == kept.message

"""Each look at a job: what it keeps, how long it sleeps, and what it never does by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.approvals import await_approval
from activities.fine_tuning_jobs import create_fine_tuning_job, get_fine_tuning_job, keep_results
from activities.run_records import PausedError
from activities.training_files import upload_training_file
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import RunEndedError
from droptune.domain.job import Checkpoint, JobEvent, JobStatus
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import Later, Verdict
from tests.builders import A_COST, World

V2 = DatasetRef(project="shop", version="v2")


def a_training_run(world: World, dataset: DatasetRef | None = None) -> RunRecord:
    """Return a run whose job is pending."""
    run = world.a_ready_run(dataset) if dataset else world.a_ready_run()
    world.ask(create_fine_tuning_job, run)
    return world.now(run)


def an_event(world: World, step: int) -> JobEvent:
    """Return the metrics event of a step."""
    return JobEvent(
        id=f"e{step}",
        created_at=world.clock.now() + timedelta(seconds=step),
        level="info",
        type="metrics",
        message=f"Step {step}",
        data={"step": step, "train_loss": 2.0 / step},
    )


@pytest.mark.parametrize(("polls", "seconds"), [(0, 30), (1, 60), (3, 240), (5, 600), (900, 600)])
def test_running_job_is_looked_at_ever_more_rarely(polls: int, seconds: float) -> None:
    """The delay doubles from `first_seconds` to `longest_seconds`, and stays there."""
    world = World()
    run = a_training_run(world)

    answer = world.ask(get_fine_tuning_job, run, polls=polls)

    assert answer == Later(seconds=seconds, reason="pending")


def test_status_that_is_not_known_is_waited_for() -> None:
    """Azure declares its enums open: a new status is not an end."""
    world = World()
    run = a_training_run(world)
    world.azure_openai.set_job(world.only_job().id, status="meditating")

    answer = world.ask(get_fine_tuning_job, run)

    assert isinstance(answer, Later)
    assert (world.now(run).job or {})["status"] == "meditating"


def test_each_look_updates_the_runs_record() -> None:
    """Status, step and loss of the newest metrics stand in the record."""
    world = World()
    run = a_training_run(world)
    job = world.azure_openai.set_job(world.only_job().id, status="running")
    world.azure_openai.events[job.id] = [an_event(world, 1), an_event(world, 2)]

    world.ask(get_fine_tuning_job, run)

    shown = world.now(run).job or {}
    assert (shown["status"], shown["step"], shown["train_loss"]) == ("running", 2, 1.0)


def a_slow_look(world: World, run: RunRecord, meanwhile: Callable[[], None]) -> None:
    """Look at a job, and let something happen between the job's answer and its events."""
    world.azure_openai.before_next("list_events", meanwhile)
    world.ask(get_fine_tuning_job, run)


@pytest.mark.parametrize("goes_on", [False, True])
def test_slow_look_does_not_take_back_that_a_job_has_ended(goes_on: bool) -> None:
    """Another worker saw the job succeed while this one had "running" in its hands."""
    world = World()
    run = a_training_run(world)
    world.azure_openai.set_job(world.only_job().id, status="running")

    def succeeds() -> None:
        world.azure_openai.finish_job(world.only_job().id)
        world.ask(get_fine_tuning_job, run)
        if goes_on:
            world.records.begin(run.ref, Phase.DEPLOYING)

    a_slow_look(world, run, succeeds)

    shown = world.now(run).job or {}
    assert shown["status"] == "succeeded"
    assert shown["fine_tuned_model"] == world.now(run).fine_tuned_model != ""


def test_slow_look_does_not_take_back_what_a_later_phase_waits_for() -> None:
    """A repetition that ends late leaves the question alone that a person is asked by now."""
    world = World()
    run = a_training_run(world)

    def asks() -> None:
        world.records.begin(run.ref, Phase.AWAITING_PROMOTION)
        world.records.update(run.ref, lambda r: replace(r, waiting_for="Replace the champion?"))

    a_slow_look(world, run, asks)

    assert world.now(run).waiting_for == "Replace the champion?"


def test_slow_look_at_a_replaced_job_does_not_bring_it_back() -> None:
    """The first job was cancelled for its epochs, the second is approved and on its way."""
    world = World()
    run = a_run_over_its_epochs(world)

    def approves() -> None:
        world.ask(get_fine_tuning_job, run)
        world.ask(create_fine_tuning_job, run, "approved")

    a_slow_look(world, run, approves)

    _, second = world.azure_openai.jobs.values()
    now = world.now(run)
    assert ((now.job or {})["id"], now.phase) == (second.id, Phase.TRAINING)


def test_events_that_the_service_no_longer_gives_are_kept() -> None:
    """The service lists the newest events; the first ones stay with the run."""
    world = World()
    run = a_training_run(world)
    events = world.azure_openai.events
    events[world.only_job().id] = [an_event(world, 1), an_event(world, 2)]
    world.ask(get_fine_tuning_job, run)
    events[world.only_job().id] = [an_event(world, 2), an_event(world, 3)]

    world.ask(get_fine_tuning_job, run)

    metrics = json.loads(world.runs.data(f"{run.ref.folder}metrics.json"))
    assert [row["step"] for row in metrics["steps"]] == [1, 2, 3]
    assert world.runs.data(f"{run.ref.folder}events.jsonl").count(b"\n") == 3


def test_silent_job_is_announced_and_goes_on() -> None:
    """A job without news for a day is named in the record; nothing cancels it."""
    world = World()
    run = a_training_run(world)
    world.clock.advance(25 * 3600)

    answer = world.ask(get_fine_tuning_job, run)

    assert isinstance(answer, Later)
    assert "said nothing since" in (world.now(run).waiting_for or "")
    assert world.only_job().status is JobStatus.PENDING


def test_succeeded_job_is_a_yes() -> None:
    """A model is what the process goes on with."""
    world = World()
    run = a_training_run(world)
    job = world.azure_openai.finish_job(world.only_job().id)

    answer = world.ask(get_fine_tuning_job, run)

    assert answer == Verdict(yes=True, message=str(job.fine_tuned_model))


def test_failed_job_ends_the_run_with_the_services_reason() -> None:
    """The reason stands in the record under a stable code."""
    world = World()
    run = a_training_run(world)
    world.azure_openai.fail_job(world.only_job().id, "jsonlValidationFailed", "Line 5 is odd.")

    with pytest.raises(RunEndedError) as ended:
        world.ask(get_fine_tuning_job, run)

    error = world.now(run).error
    assert (ended.value.phase, ended.value.code) == ("failed", "job-failed.jsonlValidationFailed")
    assert error is not None
    assert "Line 5 is odd." in error.message


def test_job_cancelled_from_outside_ends_the_run_cancelled() -> None:
    """A cancellation at Azure is an answer, not a failure."""
    world = World()
    run = a_training_run(world)
    world.azure_openai.cancel_job(world.only_job().id)

    with pytest.raises(RunEndedError) as ended:
        world.ask(get_fine_tuning_job, run)

    assert ended.value.phase is Phase.CANCELLED


def test_paused_run_pauses_its_job_and_resumes_it() -> None:
    """The word reaches the service, both ways."""
    world = World()
    run = a_training_run(world)
    job = world.azure_openai.set_job(world.only_job().id, status="running")

    world.say(run, "pause")
    with pytest.raises(PausedError):
        world.ask(get_fine_tuning_job, run)
    paused = world.azure_openai.jobs[job.id].status
    world.say(run, "resume")
    world.ask(get_fine_tuning_job, run)

    assert paused is JobStatus.PAUSED
    assert world.only_job().status is JobStatus.RUNNING


def test_job_paused_at_azure_stays_paused() -> None:
    """What somebody paused in the portal is not resumed behind their back."""
    world = World()
    run = a_training_run(world)
    world.azure_openai.set_job(world.only_job().id, status="paused")

    world.ask(get_fine_tuning_job, run)

    assert world.only_job().status is JobStatus.PAUSED


def test_results_are_kept_unchanged() -> None:
    """The service's metrics file and the checkpoints lie beside the record."""
    world = World()
    run = a_training_run(world)
    job = world.azure_openai.finish_job(world.only_job().id)
    point = Checkpoint(id="c1", created_at=world.clock.now(), step=1, model="m:step-1")
    world.azure_openai.checkpoints[job.id] = [point]

    world.ask(keep_results, run)
    world.ask(keep_results, run)

    kept = json.loads(world.runs.data(f"{run.ref.folder}checkpoints.json"))
    results = world.azure_openai.contents[job.result_files[0]]
    assert world.runs.data(f"{run.ref.folder}results.csv") == results
    assert [row["id"] for row in kept["data"]] == ["c1"]


def a_run_over_its_epochs(world: World, epochs: int = 9) -> RunRecord:
    """Return a run whose job takes more epochs than its estimate allowed (3)."""
    run = a_training_run(world)
    world.azure_openai.set_job(
        world.only_job().id, status="running", hyperparameters={"n_epochs": epochs}
    )
    return run


def test_epochs_above_the_approved_cancel_the_job_and_ask() -> None:
    """The run waits for approval again, and says how many epochs and what they cost."""
    world = World()
    run = a_run_over_its_epochs(world)

    answer = world.ask(get_fine_tuning_job, run)

    now = world.now(run)
    assert (answer.yes, answer.needs_approval) == (False, True)
    assert world.only_job().status is JobStatus.CANCELLED
    assert now.phase is Phase.AWAITING_APPROVAL
    assert "9 epochs" in now.approval_reasons[0]
    assert "$4.50" in now.approval_reasons[0]


def test_question_about_epochs_is_the_same_after_a_repetition() -> None:
    """A look that runs twice finds its own cancellation, not one from outside."""
    world = World()
    run = a_run_over_its_epochs(world)

    first = world.ask(get_fine_tuning_job, run)
    second = world.ask(get_fine_tuning_job, run)

    assert first == second


def test_earlier_approval_does_not_answer_for_more_epochs() -> None:
    """Who approved three epochs has not approved nine."""
    world = World()
    run = world.at(world.a_run(), cost=A_COST, approval_reasons=("It is dear.",))
    world.ask(await_approval, run, "training")
    world.clock.advance(60)
    world.say(run, "approve", about="training")
    world.clock.advance(60)
    world.ask(upload_training_file, run, "training")
    world.ask(create_fine_tuning_job, run)
    world.azure_openai.set_job(world.only_job().id, hyperparameters={"n_epochs": 9})
    world.clock.advance(60)
    world.ask(get_fine_tuning_job, run)

    answer = world.ask(await_approval, run, "epochs")

    assert isinstance(answer, Later)
    assert "9 epochs" in (world.now(run).waiting_for or "")


def test_approved_epochs_are_submitted_as_a_second_job() -> None:
    """After the approval one job more is made, and it may take what was approved."""
    world = World()
    run = a_run_over_its_epochs(world)
    world.ask(get_fine_tuning_job, run)
    world.clock.advance(60)
    world.say(run, "approve", about="training")

    allowed = world.ask(await_approval, run, "epochs")
    world.ask(create_fine_tuning_job, run, "approved")
    world.ask(create_fine_tuning_job, run, "approved")
    first, second = world.azure_openai.jobs.values()
    world.azure_openai.set_job(second.id, status="running", hyperparameters={"n_epochs": 9})
    answer = world.ask(get_fine_tuning_job, run, "approved")

    assert allowed is None
    assert first.status is JobStatus.CANCELLED
    assert (world.now(run).job or {})["id"] == second.id
    assert world.now(run).cost["high"] == 4.5
    assert isinstance(answer, Later)


def test_epochs_above_the_approved_a_second_time_end_the_run() -> None:
    """A service that goes on above what a person approved is not asked for ever."""
    world = World()
    run = a_run_over_its_epochs(world)
    world.ask(get_fine_tuning_job, run)
    world.ask(create_fine_tuning_job, run, "approved")
    _, second = world.azure_openai.jobs.values()
    world.azure_openai.set_job(second.id, hyperparameters={"n_epochs": 12})

    with pytest.raises(RunEndedError) as ended:
        world.ask(get_fine_tuning_job, run, "approved")

    assert (ended.value.phase, ended.value.code) == (Phase.REJECTED, "over-approval")


def test_adopted_job_is_not_held_to_the_adopters_approval() -> None:
    """It costs the adopter nothing, and another run relies on it."""
    world = World()
    a_training_run(world)
    second = a_training_run(world, V2)
    world.azure_openai.set_job(world.only_job().id, hyperparameters={"n_epochs": 9})

    answer = world.ask(get_fine_tuning_job, second)

    assert isinstance(answer, Later)
    assert world.only_job().status is JobStatus.PENDING


@pytest.mark.parametrize("epochs", [-1, "auto", 3, None])
def test_epochs_that_are_not_resolved_or_within_the_estimate_go_on(epochs: object) -> None:
    """-1 stands for auto, which is no number yet."""
    world = World()
    run = a_training_run(world)
    world.azure_openai.set_job(world.only_job().id, hyperparameters={"n_epochs": epochs})

    answer = world.ask(get_fine_tuning_job, run)

    assert isinstance(answer, Later)

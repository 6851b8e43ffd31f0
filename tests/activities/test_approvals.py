"""Waiting for a person's word, for the time to spend, and for room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from activities.approvals import admit_run, await_approval
from activities.fine_tuning_jobs import create_fine_tuning_job
from activities.run_records import PausedError
from droptune.domain.dataset import DatasetRef
from droptune.domain.deployment import Capacity, DeploymentRequest
from droptune.domain.errors import RunEndedError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import Later
from tests.builders import A_COST, PRODUCTION, World, a_job_file, examples

V2 = DatasetRef(project="shop", version="v2")


def a_waiting_run(world: World, about: str = "training") -> RunRecord:
    """Return a run that has been asked about once."""
    run = world.at(world.a_run(), cost=A_COST, approval_reasons=("It is dear.",))
    world.ask(await_approval, run, about)
    return world.now(run)


def test_waiting_says_what_for_and_what_it_may_cost() -> None:
    """The record carries the question."""
    world = World()

    run = a_waiting_run(world)

    assert run.phase is Phase.AWAITING_APPROVAL
    assert run.waiting_for == "It is dear. Train for up to $1.50?"


@pytest.mark.parametrize("about", ["training", "promotion"])
def test_approval_lets_the_run_go_on(about: str) -> None:
    """A word about this question answers it."""
    world = World()
    run = a_waiting_run(world, about)
    world.say(run, "approve", about=about)

    assert world.ask(await_approval, run, about) is None


def test_approval_of_the_training_is_none_of_the_promotion() -> None:
    """Each question has its own answer."""
    world = World()
    run = a_waiting_run(world)
    world.say(run, "approve", about="training")
    world.ask(await_approval, run, "training")

    assert isinstance(world.ask(await_approval, run, "promotion"), Later)


@pytest.mark.parametrize(
    ("about", "phase", "outcome"),
    [
        ("training", Phase.REJECTED, ""),
        ("promotion", Phase.SUCCEEDED, Outcome.NOT_PROMOTED),
    ],
)
def test_refusal_ends_the_run_with_who_and_why(about: str, phase: Phase, outcome: str) -> None:
    """A refused training is a rejection; a refused promotion a success that was not promoted."""
    world = World()
    run = a_waiting_run(world, about)
    world.say(run, "reject", about=about, reason="too dear")

    with pytest.raises(RunEndedError, match="refused by Ada: too dear") as ended:
        world.ask(await_approval, run, about)

    assert (ended.value.phase, ended.value.outcome) == (phase, outcome)


@pytest.mark.parametrize(
    ("about", "phase"), [("training", Phase.REJECTED), ("promotion", Phase.SUCCEEDED)]
)
def test_nobodys_word_in_time_ends_the_run(about: str, phase: Phase) -> None:
    """After 72 hours the question is withdrawn."""
    world = World()
    run = a_waiting_run(world, about)
    world.clock.advance(72 * 3600)

    with pytest.raises(RunEndedError) as ended:
        world.ask(await_approval, run, about)

    assert (ended.value.phase, ended.value.code) == (phase, "approval-timeout")


def test_wait_ends_no_later_than_the_question() -> None:
    """The last sleep is as long as what is left."""
    world = World()
    run = a_waiting_run(world)
    world.clock.advance(72 * 3600 - 100)

    answer = world.ask(await_approval, run, "training")

    assert answer.seconds == 100


def test_time_in_which_a_run_was_paused_is_not_held_against_it() -> None:
    """Whoever resumes it has the whole time to approve again."""
    world = World()
    run = a_waiting_run(world)
    world.say(run, "pause")
    world.clock.advance(30 * 86_400)
    world.say(run, "resume")

    answer = world.ask(await_approval, run, "training")

    assert isinstance(answer, Later)


def test_paused_run_says_so_in_its_record_until_it_is_resumed() -> None:
    """Who paused it, when and why stands there for everybody who reads it."""
    world = World()
    run = a_waiting_run(world)
    world.say(run, "pause", reason="lunch")
    with pytest.raises(PausedError):
        world.ask(await_approval, run, "training")
    paused = world.now(run).paused
    world.say(run, "resume")

    world.ask(await_approval, run, "training")

    assert paused is not None
    assert (paused.by, paused.at, paused.reason) == ("Ada", world.clock.now(), "lunch")
    assert world.now(run).paused is None


def test_cancelled_and_paused_runs_do_not_wait_for_approval() -> None:
    """Every poll reads the control document first."""
    world = World()
    run = a_waiting_run(world)

    world.say(run, "pause")
    with pytest.raises(PausedError):
        world.ask(await_approval, run, "training")
    world.say(run, "cancel")
    with pytest.raises(RunEndedError) as ended:
        world.ask(await_approval, run, "training")

    assert ended.value.phase is Phase.CANCELLED


def test_submission_waits_for_the_dataset_to_rest() -> None:
    """Two minutes after the last change, not earlier."""
    world = World()
    run = world.run_of(world.wish(world.drop()))
    world.clock.advance(50)

    answer = world.ask(admit_run, run)

    assert answer.seconds == 70
    assert world.now(run).phase is Phase.QUEUED


def test_success_file_ends_the_wait() -> None:
    """It may come after the report."""
    world = World()
    run = world.at(world.run_of(world.wish(world.drop())), cost=A_COST)
    world.datasets.put("shop/v1/_SUCCESS", "")

    assert world.ask(admit_run, run) is None


def test_dataset_that_changed_meanwhile_supersedes_the_run() -> None:
    """What lies there now gets a run of its own."""
    world = World()
    run = world.a_run()
    world.datasets.put("shop/v1/training.jsonl", examples(13))

    with pytest.raises(RunEndedError) as ended:
        world.ask(admit_run, run)

    assert ended.value.phase is Phase.SUPERSEDED


def jobs(world: World, count: int, status: str) -> None:
    """Let the service have so many jobs of strangers."""
    run = world.a_ready_run(DatasetRef(project="other", version="v1"), training=examples(14))
    world.ask(create_fine_tuning_job, run)
    job = world.azure_openai.set_job(world.only_job().id, status=status)
    world.azure_openai.jobs = {f"ftjob-{n}": replace(job, id=f"ftjob-{n}") for n in range(count)}


@pytest.mark.parametrize(
    ("count", "status", "waits"),
    [
        (4, "pending", True),
        (3, "pending", False),
        (4, "running", True),
        (99, "succeeded", False),
    ],
)
def test_full_service_is_waited_for_in_the_queue(count: int, status: str, waits: bool) -> None:
    """Azure runs 3 jobs at once, and one more may wait there; the others wait here, in turn."""
    world = World()
    jobs(world, count, status)
    run = world.at(world.a_run(), cost=A_COST)

    answer = world.ask(admit_run, run)

    assert isinstance(answer, Later) is waits
    assert bool(world.now(run).waiting_for) is waits


def test_one_question_lists_the_service_once_and_the_last_in_line_asks_seldom() -> None:
    """What is asked every minute by a thousand runs must be cheap."""
    world = World()
    jobs(world, 4, "running")
    runs = [
        world.at(
            world.a_run(DatasetRef(project=f"p{n:02}", version="v1"), training=examples(20 + n)),
            cost=A_COST,
        )
        for n in range(24)
    ]
    listed = []
    list_jobs = world.azure_openai.list_jobs
    world.azure_openai.list_jobs = lambda: listed.append(1) or list_jobs()  # type: ignore[method-assign,func-returns-value]

    answers = [world.ask(admit_run, run) for run in runs]

    assert len(listed) == len(runs)
    assert [round(each.seconds) for each in answers] == [60] * 8 + [
        round(60 * n / 8) for n in range(9, 25)
    ]


def test_run_for_which_no_place_can_come_is_rejected_with_the_remedy() -> None:
    """Azure keeps 100 jobs and its v1 surface deletes none, so waiting is in vain."""
    world = World()
    jobs(world, 100, "succeeded")
    run = world.at(world.a_run(), cost=A_COST)

    with pytest.raises(RunEndedError) as ended:
        world.ask(admit_run, run)

    assert (ended.value.phase, ended.value.code) == (Phase.REJECTED, "no-place-for-jobs")
    assert "Delete old jobs" in ended.value.remedy


def test_hundred_files_are_waited_for() -> None:
    """A place for a file is needed only by a file that is not there yet."""
    world = World()
    run = world.a_ready_run()
    [own] = world.azure_openai.files.values()
    many = {f"file-{n}": replace(own, id=f"file-{n}", name=f"{n}.jsonl") for n in range(99)}
    world.azure_openai.files |= many

    world.azure_openai.files[own.id] = replace(own, name="another.jsonl")
    missing = world.ask(admit_run, run)
    world.azure_openai.files[own.id] = own
    uploaded = world.ask(admit_run, run)

    assert uploaded is None
    assert isinstance(missing, Later)


def test_job_that_can_be_adopted_needs_no_room() -> None:
    """A full service does not keep a run from what was paid for already."""
    world = World()
    first = world.a_ready_run()
    world.ask(create_fine_tuning_job, first)
    job = world.only_job()
    world.azure_openai.jobs |= {f"j{n}": replace(job, id=f"j{n}", suffix="x") for n in range(30)}
    second = world.a_run(V2)

    assert world.ask(admit_run, second) is None


def test_sku_without_capacity_is_waited_for() -> None:
    """A full limit is no rejection; it is named, and asked again in minutes."""
    world = World()
    run = world.at(world.a_run(job=a_job_file(**PRODUCTION)), cost=A_COST)
    world.resource_manager.capacities = [
        Capacity(sku="GlobalStandard", location="swedencentral", available_fine_tune=49)
    ]

    answer = world.ask(admit_run, run)

    assert isinstance(answer, Later)
    assert "GlobalStandard has room for 49 of the 50" in answer.reason


def test_capacity_that_is_not_stated_is_taken_to_be_open() -> None:
    """Azure does not state it for every SKU."""
    world = World()
    run = world.at(world.a_run(job=a_job_file(**PRODUCTION)), cost=A_COST)
    world.resource_manager.capacities = [Capacity(sku="GlobalStandard", location="swedencentral")]

    assert world.ask(admit_run, run) is None


@pytest.mark.parametrize(("deployed", "waits"), [(9, False), (10, True)])
def test_account_full_of_fine_tuned_deployments_is_waited_for(deployed: int, waits: bool) -> None:
    """A run needs one of Azure's ten places: candidate and production stand one after the
    other."""
    world = World()
    run = world.at(world.a_run(job=a_job_file(**PRODUCTION)), cost=A_COST)
    for number in range(deployed):
        wanted = DeploymentRequest(
            name=f"d{number}", model=f"gpt-4o.ft-{number}", sku="Standard", capacity=1
        )
        world.resource_manager.put_deployment(wanted)

    assert isinstance(world.ask(admit_run, run), Later) is waits

"""The whole line in memory, from a drop to a champion."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import Any

import pytest

from activities.sweeps import sweep
from droptune.domain.budget import BudgetLimits
from droptune.domain.deployment import DeploymentRequest
from droptune.domain.job import JobStatus
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import PromotionRequest, waiting_instances
from tests.app_in_memory import services_of
from tests.builders import PRODUCTION, SHOP, World, a_job_file, an_entry, examples
from tests.fakes import CrashError
from tests.line_in_memory import Line, a_line, move_on

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


def cancel_at(world: World, line: Line, phase: Phase) -> None:
    """Let a person cancel as soon as a run is in a phase."""
    activities = dict(line.activities)

    def watched(name: str) -> Any:
        def call(request: Any) -> Any:
            answer = activities[name](request)
            for run in world.records.list_open():
                if run.phase is phase and not world.records.control(run.ref).cancelled:
                    world.say(run, "cancel")
                    for instance in waiting_instances(run.id):
                        asyncio.run(line.orchestrations.wake(instance))
            return answer

        return call

    line.activities = {name: watched(name) for name in activities}


@pytest.mark.parametrize(
    "phase",
    [
        Phase.SETTLING,
        Phase.VALIDATING,
        Phase.ESTIMATING,
        Phase.CHECKING,
        Phase.AWAITING_APPROVAL,
        Phase.QUEUED,
        Phase.UPLOADING,
        Phase.TRAINING,
        Phase.DEPLOYING,
        Phase.TESTING,
        Phase.AWAITING_PROMOTION,
    ],
)
def test_run_cancelled_in_any_phase_leaves_nothing_that_bills(phase: Phase) -> None:
    """Whatever it has begun is stopped or deleted, and the record says cancelled."""
    world = World()
    world.crown(an_entry())
    old = DeploymentRequest(name="shop-aaaaaaaaaaaa", model="m", sku="GlobalStandard", capacity=50)
    world.resource_manager.put_deployment(old)
    line = a_line(world)
    cancel_at(world, line, phase)
    always = {"training": "always", "promotion": "always"}
    world.drop(job=a_job_file(**PRODUCTION, approval=always))
    world_says_yes(world, line, but=phase)

    line.notice(SHOP)
    line.run()

    [run] = world.records.list_newest()
    assert phase in {change.phase for change in run.history} | {Phase.SETTLING}
    assert run.phase is Phase.CANCELLED
    assert all(job.status.is_terminal for job in world.azure_openai.jobs.values())
    assert list(world.resource_manager.deployments) == ["shop-aaaaaaaaaaaa"]
    assert {file.name for file in world.azure_openai.files.values()} <= {"results.csv"}


def world_says_yes(world: World, line: Line, *, but: Phase | None = None) -> None:
    """Let a person approve whatever is asked, except in one phase."""

    def rest(world: World) -> None:
        move_on(world)
        for run in world.records.list_open():
            about = {
                Phase.AWAITING_APPROVAL: "training",
                Phase.AWAITING_PROMOTION: "promotion",
            }.get(run.phase)
            if about and run.phase is not but:
                world.clock.advance(1)
                world.say(run, "approve", about=about)

    line.while_resting = rest


def test_job_with_more_epochs_than_approved_is_trained_after_a_persons_yes() -> None:
    """One job is cancelled, one is trained, and the model is promoted."""
    world = World()
    line = a_line(world)

    def rest(world: World) -> None:
        move_on(world)
        if len(world.azure_openai.jobs) == 1 and not world.only_job().status.is_terminal:
            world.azure_openai.set_job(world.only_job().id, hyperparameters={"n_epochs": 30})
        for run in world.records.list_open():
            if run.phase is Phase.AWAITING_APPROVAL:
                world.say(run, "approve", about="training")

    line.while_resting = rest
    drop(world, line)

    [run] = world.records.list_newest()
    statuses = [job.status for job in world.azure_openai.jobs.values()]
    assert statuses == [JobStatus.CANCELLED, JobStatus.SUCCEEDED]
    assert run.outcome is Outcome.PROMOTED


def test_task_hub_that_is_lost_in_the_middle_costs_nothing() -> None:
    """The sweep starts the open run again, which finds its job and goes on to the end."""
    world = World()
    line = a_line(world)

    class LostError(Exception):
        """The hub went away."""

    def lose(world: World) -> None:
        move_on(world)
        if any(job.status is JobStatus.RUNNING for job in world.azure_openai.jobs.values()):
            raise LostError

    line.while_resting = lose
    with pytest.raises(LostError):
        drop(world, line)
    world.datasets.put("shop/v1/training.jsonl", examples(40))

    second = a_line(world)
    [run] = world.records.list_open()
    asyncio.run(
        second.orchestrations.ensure_started("fine_tune_model", run.id, run.ref.to_payload())
    )
    second.run()

    assert world.now(run).outcome is Outcome.PROMOTED
    assert len(world.azure_openai.jobs) == 1


def test_dataset_that_changes_in_the_queue_is_superseded_by_a_run_of_its_own() -> None:
    """One job is paid for: the newer content's."""
    world = World()
    line = a_line(world)
    changed = []

    def rest(world: World) -> None:
        move_on(world)
        open_runs = list(world.records.list_open())
        if not changed and any(run.phase is Phase.QUEUED for run in open_runs):
            changed.append(True)
            world.drop(job=a_job_file(**PRODUCTION), training=examples(15))
            line.notice(SHOP)

    line.while_resting = rest
    drop(world, line)

    newer, older = world.records.list_newest()
    assert older.phase is Phase.SUPERSEDED
    assert newer.outcome is Outcome.PROMOTED
    assert len(world.azure_openai.jobs) == 1


def test_change_after_the_job_exists_asks_before_it_trains_again() -> None:
    """The first run goes on; the second waits for a person, and nothing more is bought."""
    world = World()
    line = a_line(world)
    changed = []

    def rest(world: World) -> None:
        move_on(world)
        if not changed and world.azure_openai.jobs:
            changed.append(True)
            world.drop(job=a_job_file(**PRODUCTION), training=examples(15))
            line.notice(SHOP)

    line.while_resting = rest
    drop(world, line)

    newer, older = world.records.list_newest()
    assert older.outcome is Outcome.PROMOTED
    assert (newer.phase, newer.error and newer.error.code) == (Phase.REJECTED, "approval-timeout")
    assert "already training" in newer.approval_reasons[0]
    assert len(world.azure_openai.jobs) == 1


@pytest.mark.parametrize("start", range(4))
def test_worker_killed_anywhere_in_the_line_changes_nothing_but_time(start: int) -> None:
    """Killed at every hundredth point between two effects: one job, one champion, nothing left."""
    point, died, killed = start * 25, True, 0
    while died:
        world = World()
        line = a_line(world)
        fuse = world.kill_at(point)

        world.drop(job=a_job_file(**PRODUCTION))
        line.notice(SHOP)
        while True:
            try:
                line.run()
                break
            except CrashError:
                continue

        world.survive()
        [run] = world.records.list_newest()
        champion = world.champion()
        assert run.outcome is Outcome.PROMOTED, f"point {point}"
        assert champion is not None
        assert len(champion.history) == 1
        assert len(world.azure_openai.jobs) == 1
        assert list(world.resource_manager.deployments) == [champion.current.deployment]
        assert {f.name for f in world.azure_openai.files.values()} == {"results.csv"}
        died, point, killed = fuse.is_burnt, point + 100, killed + fuse.is_burnt
    assert killed > 1


def end_unpromoted(world: World, line: Line) -> RunRecord:
    """Let a run wait for the approval of its promotion until its time is over."""
    world.crown(an_entry())
    drop(world, line)
    [run] = world.records.list_newest()
    assert (run.phase, run.outcome) == (Phase.SUCCEEDED, Outcome.NOT_PROMOTED), run
    return run


def promote(world: World, line: Line, run: RunRecord, reason: str = "after all") -> Any:
    """Ask the app for a promotion, and start what it answers."""
    asked = services_of(world).api.promote(run.ref, "Ada", reason)
    request = PromotionRequest(run=run.ref, promotion=asked.attempt)
    started = line.orchestrations.ensure_started(
        "promote_model", request.instance_id, request.to_payload()
    )
    asyncio.run(started)
    line.run()
    return asked


def test_unanswered_question_keeps_the_model_and_it_is_promoted_later() -> None:
    """72 hours of silence end the run and delete its deployments; a person promotes it days on."""
    world = World()
    line = a_line(world)
    begun_at = world.clock.now()

    run = end_unpromoted(world, line)
    waited, left = world.clock.now() - begun_at, dict(world.resource_manager.deployments)
    world.clock.advance(5 * 24 * 3600)
    promote(world, line, run)

    champion, found = world.champion(), world.records.get(run.ref)
    assert waited >= timedelta(hours=72)
    assert "Nobody approved the promotion within 72 hours" in run.message
    assert left == {}
    assert champion is not None
    assert (champion.current.run_id, champion.current.by) == (run.id, "Ada")
    assert champion.current.model == world.only_job().fine_tuned_model
    assert champion.current.deployment in world.resource_manager.deployments
    assert champion.previous is not None
    assert champion.previous.retires_at == champion.current.since + timedelta(hours=48)
    assert (found.phase, found.outcome) == (Phase.SUCCEEDED, Outcome.PROMOTED)
    assert len(world.azure_openai.jobs) == 1


def test_promotion_later_holds_the_hosting_as_any_other() -> None:
    """A budget of the app that has no room refuses it, and nothing stays."""
    world = World(budgets=BudgetLimits(app_hosting=1000.0))
    line = a_line(world)
    run = end_unpromoted(world, line)

    promote(world, line, run)

    found = world.records.get(run.ref)
    assert found.promotion is not None
    assert found.promotion.error is not None
    assert "not deployed" in found.promotion.message
    assert found.outcome is Outcome.NOT_PROMOTED
    assert world.resource_manager.deployments == {}
    assert world.champion().current.run_id == "shop-v0-00000000"  # type: ignore[union-attr]


def test_data_stays_out_of_comparison_and_later_promotion(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Prompts and answers side by side lie with the run; no history, payload or log has them."""
    world = World()
    line = a_line(world)
    caplog.set_level(logging.DEBUG)
    world.crown(an_entry())
    drop(world, line, training=examples(12), test=examples(3, answer=CANARY))
    [run] = world.records.list_newest()

    promote(world, line, run)

    assert CANARY in world.runs.data(run.ref.folder + "answers.json").decode()
    assert world.records.get(run.ref).outcome is Outcome.PROMOTED
    assert [name for name, text in line.payloads if CANARY in text] == []
    assert CANARY not in caplog.text


def test_lost_promotion_is_started_again_by_the_sweep() -> None:
    """The wish stands in the record: an instance that never was, or was lost, begins anew."""
    world = World()
    line = a_line(world)
    run = end_unpromoted(world, line)
    services_of(world).api.promote(run.ref, "Ada", "")

    swept = sweep(
        datasets=world.datasets,
        registry=world.registry,
        records=world.records,
        azure_openai=world.azure_openai,
        resource_manager=world.resource_manager,
        clock=world.clock,
        orchestrations=line.orchestrations,
    )
    asyncio.run(swept)
    line.run()

    assert world.records.get(run.ref).outcome is Outcome.PROMOTED


@pytest.mark.parametrize("start", range(3))
def test_worker_killed_anywhere_in_a_later_promotion_changes_nothing_but_time(start: int) -> None:
    """Killed at every thirtieth point between two effects: one champion, one deployment."""
    point, died, killed = start * 10, True, 0
    while died:
        world = World()
        line = a_line(world)
        run = end_unpromoted(world, line)
        fuse = world.kill_at(point)

        while True:
            try:
                promote(world, line, run)
                break
            except CrashError:
                continue

        world.survive()
        champion = world.champion()
        assert champion is not None
        assert world.records.get(run.ref).outcome is Outcome.PROMOTED, point
        assert [entry.run_id for entry in champion.history] == ["shop-v0-00000000", run.id], point
        assert list(world.resource_manager.deployments) == [champion.current.deployment]
        died, point, killed = fuse.is_burnt, point + 30, killed + fuse.is_burnt
    assert killed > 1

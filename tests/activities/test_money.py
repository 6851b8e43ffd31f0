"""Money and turns: reserved once, settled once, and given in turn."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from activities.approvals import admit_run
from activities.deployments import create_deployment
from activities.endings import end_run
from activities.fine_tuning_jobs import create_fine_tuning_job
from activities.job_progress import record_job
from activities.money import billed_usd, keep_hosting, release_lost
from activities.training_files import upload_training_file
from droptune.domain.admission import QUEUE, Queue
from droptune.domain.budget import BudgetLimits
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import RunEndedError
from droptune.domain.ledger import LEDGER, Hosting, Ledger
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import EndRequest, Later, Verdict
from tests.builders import A_COST, MODEL, PRODUCTION, World, a_job_file, examples, until_done

HIGH = A_COST["high"]


def a_run(world: World, number: int = 1, project: str = "shop") -> RunRecord:
    """Return a run of a dataset of its own, estimated."""
    dataset = DatasetRef(project=project, version=f"v{number}")
    run = world.a_run(dataset, training=examples(12 + number))
    return world.at(run, cost=A_COST)


def ledger(world: World) -> Ledger:
    """Return the ledger as it stands."""
    return Ledger.from_payload(json.loads(world.registry.data(LEDGER)))


def queue(world: World) -> Queue:
    """Return the line as it stands."""
    return Queue.from_payload(json.loads(world.registry.data(QUEUE)))


def end(world: World, run: RunRecord, phase: Phase = Phase.SUCCEEDED) -> None:
    """Let a run end."""
    world.call(end_run, EndRequest(run=run.ref, phase=phase, outcome=Outcome.TRAINED))


def test_money_is_reserved_once_however_often_the_step_runs() -> None:
    """The high estimate stands in the ledger under the run's id."""
    world = World()
    run = a_run(world)

    answers = [world.ask(admit_run, run) for _ in range(3)]

    assert answers == [None, None, None]
    entry = ledger(world).find(run.id)
    assert entry is not None
    assert (entry.state, entry.micros) == ("reserved", HIGH * 1_000_000)


def test_second_run_waits_for_a_budget_that_the_first_one_holds() -> None:
    """Two runs never both pass on the last dollar; the other is told why it waits."""
    world = World(budgets=BudgetLimits(project_day=HIGH * 1.5))
    first, second = a_run(world, 1), a_run(world, 2)

    passed = world.ask(admit_run, first)
    waits = world.ask(admit_run, second)

    assert passed is None
    assert isinstance(waits, Later)
    assert "budget of the day" in str(world.now(second).waiting_for)


def test_run_that_no_day_can_hold_is_rejected() -> None:
    """What is asked is above the limit itself: waiting cures nothing."""
    world = World(budgets=BudgetLimits(app_month=HIGH / 2))

    with pytest.raises(RunEndedError) as ended:
        world.ask(admit_run, a_run(world))

    assert (ended.value.phase, ended.value.code) == (Phase.REJECTED, "over-budget")


def test_settled_is_what_the_service_billed() -> None:
    """At the end the reservation gives way to the billed tokens, once."""
    world = World()
    run = a_run(world)
    world.ask(admit_run, run)
    world.ask(upload_training_file, run, "training")
    world.ask(create_fine_tuning_job, run)
    finished = world.azure_openai.finish_job(world.only_job().id, trained_tokens=200_000)
    world.records.update(run.ref, lambda r: record_job(r, finished))

    end(world, run)
    end(world, run)

    entry = ledger(world).find(run.id)
    assert entry is not None
    assert (entry.state, entry.micros) == ("settled", 1_000_000)
    assert queue(world).find(run.id) is None


def test_run_that_bought_nothing_gives_its_money_back() -> None:
    """A cancelled run before its job leaves room for the next."""
    world = World(budgets=BudgetLimits(project_day=HIGH))
    first, second = a_run(world, 1), a_run(world, 2)
    world.ask(admit_run, first)
    refused = world.ask(admit_run, second)

    end(world, first, Phase.CANCELLED)

    assert isinstance(refused, Later)
    assert world.ask(admit_run, second) is None


def test_money_of_a_run_that_is_gone_is_released_by_the_sweep() -> None:
    """What nobody will settle does not count for ever."""
    world = World()
    run = a_run(world)
    world.ask(admit_run, run)

    release_lost(set(), registry=world.registry, clock=world.clock)

    entry = ledger(world).find(run.id)
    assert entry is not None
    assert entry.state == "released"


@pytest.mark.parametrize(
    ("job", "adopted", "usd"),
    [
        ({"status": "succeeded", "trained_tokens": 400_000}, None, 2.0),
        ({"status": "succeeded", "trained_tokens": 400_000}, "another", 0.0),
        ({"status": "failed"}, None, 0.0),
        ({"status": "cancelled"}, None, 0.0),
        ({"status": "cancelled", "step": 10}, None, HIGH),
        ({"status": "running"}, None, HIGH),
        ({}, None, 0.0),
    ],
)
def test_bill_is_never_taken_for_less_than_it_may_be(
    job: dict[str, Any], adopted: str | None, usd: float
) -> None:
    """Billed tokens where the service says them, else the high estimate of what has begun."""
    world = World()
    run = replace(a_run(world), job=job or None, adopted_from=adopted)

    assert billed_usd(run) == usd


def test_turns_go_round_the_projects() -> None:
    """A project that asked for much does not stand in the way of one that asks for little."""
    world = World()
    many = [a_run(world, number, "many") for number in range(1, 8)]
    for run in many:
        world.ask(admit_run, run)
        world.clock.advance(2)
    few = a_run(world, 9, "few")

    world.ask(admit_run, few)

    assert str(world.now(few).waiting_for).startswith("Number 1 of 4")


def test_hosting_above_what_all_may_cost_is_not_created() -> None:
    """The app's hosting budget holds over all projects: the model is kept, not deployed."""
    world = World(budgets=BudgetLimits(app_hosting=2000))
    first = deployed(world, "one")
    second = deployed(world, "two")

    assert first.yes
    assert not second.yes
    assert "hosting a month is $2,000.00" in second.message
    assert len(world.resource_manager.deployments) == 1


def deployed(world: World, project: str) -> Verdict:
    """Ask for the production deployment of a run whose model is trained."""
    dataset = DatasetRef(project=project, version="v1")
    run = world.at(world.a_run(dataset, job=a_job_file(**PRODUCTION)), cost=A_COST)
    run = world.at(run, job={"id": "ftjob-1", "model": MODEL, "fine_tuned_model": f"{MODEL}.ft-1"})
    verdict: Verdict = until_done(world, lambda: world.ask(create_deployment, run, "production"))
    return verdict


def test_many_lost_reservations_are_given_back_in_one_write() -> None:
    """The ledger is one document for the whole app: a sweep does not write it once for each run."""
    world = World()
    runs = [a_run(world, number) for number in range(1, 6)]
    for run in runs:
        world.ask(admit_run, run)
    writes = world.registry.calls.count("write")

    release_lost({runs[0].id}, registry=world.registry, clock=world.clock)

    states = {entry.run: entry.state for entry in ledger(world).entries}
    assert world.registry.calls.count("write") == writes + 1
    assert states.pop(runs[0].id) == "reserved"
    assert set(states.values()) == {"released"}


def test_hosting_of_many_deployments_that_are_gone_is_let_go_of_in_one_write() -> None:
    """What is there stays held; without anything held nothing is written."""
    world = World()
    keep_hosting(set(), registry=world.registry, clock=world.clock)
    held = [Hosting(deployment=f"d{n}", project="shop", month_micros=1) for n in range(5)]
    world.registry.put(LEDGER, json.dumps(Ledger(hosting=tuple(held)).to_payload()))

    keep_hosting({"d3"}, registry=world.registry, clock=world.clock)

    assert [each.deployment for each in ledger(world).hosting] == ["d3"]
    assert world.registry.calls.count("write") == 1


def test_hosting_of_what_is_being_made_stays_held() -> None:
    """A sweep that looked before it was made does not take it for gone; one of the next night does,
    unless its maker asked again."""
    world = World()
    held = Hosting(deployment="new", project="shop", month_micros=1, asked_at=world.clock.now())
    world.registry.put(LEDGER, json.dumps(Ledger(hosting=(held,)).to_payload()))

    keep_hosting(set(), registry=world.registry, clock=world.clock)
    meanwhile = ledger(world).hosting
    world.clock.advance(2 * 3600)
    keep_hosting(set(), registry=world.registry, clock=world.clock)

    assert meanwhile == (held,)
    assert ledger(world).hosting == ()


def test_sweep_with_nothing_lost_writes_nothing() -> None:
    """Nor does it make a ledger where there is none."""
    world = World()

    release_lost(set(), registry=world.registry, clock=world.clock)

    assert LEDGER not in world.registry.names()

"""Which model callers are pointed to."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from activities.promotions import decide_promotion, promote_deployment
from activities.rollbacks import roll_back_champion
from droptune.domain.champion import roll_back, succeed
from droptune.domain.dataset import DatasetRef
from droptune.domain.deployment import DeploymentRequest, DeploymentState
from droptune.domain.errors import RunEndedError, StepFailedError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import Later, Verdict
from tests.builders import (
    A_COST,
    ENDPOINT,
    MODEL,
    PRODUCTION,
    World,
    a_job_file,
    an_entry,
    examples,
    until_done,
)

A_JOB = {"id": "ftjob-1", "model": MODEL, "fine_tuned_model": f"{MODEL}.ft-1"}


def a_tried_run(world: World, version: str = "v1", **pipeline: Any) -> RunRecord:
    """Return a run whose production deployment has answered."""
    ref = DatasetRef(project="shop", version=version)
    data = examples(12 + len(list(world.records.list_newest())))
    run = world.a_run(ref, job=a_job_file(**(PRODUCTION | pipeline)), training=data)
    deployed = {
        "name": f"shop-{run.run_digest[:12]}",
        "endpoint": ENDPOINT,
        "model": f"{MODEL}.ft-1",
        "sku": "GlobalStandard",
        "capacity": 50,
    }
    run = world.at(run, cost=A_COST, production=deployed, job=A_JOB)
    deploy(world, run)
    return run


def deploy(world: World, run: RunRecord) -> str:
    """Let a run's production deployment be there and answer; return its name."""
    name = f"shop-{run.run_digest[:12]}"
    wanted = DeploymentRequest(name=name, model=f"{MODEL}.ft-1", sku="GlobalStandard", capacity=50)
    world.resource_manager.put_deployment(wanted)
    world.azure_openai.deployments.add(name)
    return name


def decide(world: World, run: RunRecord) -> Verdict:
    """Ask for the decision."""
    verdict: Verdict = world.ask(decide_promotion, run)
    return verdict


def promote(world: World, run: RunRecord) -> Verdict:
    """Ask for the promotion of a deployment that answers."""
    verdict = ask_to_promote(world, run)
    assert isinstance(verdict, Verdict)
    return verdict


def ask_to_promote(world: World, run: RunRecord) -> Verdict | Later:
    """Ask for the promotion once."""
    answer: Verdict | Later = world.ask(promote_deployment, run)
    return answer


@pytest.mark.parametrize(
    ("approval", "replaces", "asks"),
    [
        ("replace", False, False),
        ("replace", True, True),
        ("always", False, True),
        ("never", True, False),
    ],
)
def test_person_is_asked_as_configured(approval: str, replaces: bool, asks: bool) -> None:
    """By default only a replacement asks; a project's first model is promoted by itself."""
    world = World()
    if replaces:
        world.crown(an_entry())
    run = a_tried_run(world, approval={"promotion": approval})

    assert decide(world, run) == Verdict(yes=True, needs_approval=asks)


def a_candidate(world: World, run: RunRecord) -> str:
    """Deploy a run's candidate, as it is before the decision, and return its name."""
    name = f"shop-{run.run_digest[:12]}-candidate"
    wanted = DeploymentRequest(name=name, model=f"{MODEL}.ft-1", sku="DeveloperTier", capacity=1)
    world.resource_manager.put_deployment(wanted)
    world.at(run, deployment={"name": name, "state": "Succeeded"}, test={"answer": "Yes."})
    return name


def test_candidate_gives_its_place_back_once_it_was_tried() -> None:
    """Who waits for production's place holds none; what was answered is kept."""
    world = World()
    run = a_tried_run(world, approval={"promotion": "never"})
    name = a_candidate(world, run)

    decide(world, run)
    decide(world, run)

    shown = world.now(run)
    assert name not in world.resource_manager.deployments
    assert shown.deployment == {"name": name, "state": "Deleted", "expires_at": None}
    assert shown.test == {"answer": "Yes."}


def test_candidate_that_is_the_production_deployment_stays() -> None:
    """One deployment serves both purposes, and it is still needed."""
    world = World()
    run = a_tried_run(world)
    name = deploy(world, run)
    world.at(run, deployment=run.production)

    decide(world, run)

    assert list(world.resource_manager.deployments) == [name]
    assert world.now(run).deployment == run.production


def test_run_without_a_production_sku_is_trained_and_no_more() -> None:
    """`production: null` is the default."""
    world = World()
    run = a_tried_run(world, deploy={"production": None})

    verdict = decide(world, run)

    assert (verdict.yes, verdict.outcome) == (False, Outcome.TRAINED)


@pytest.mark.parametrize("month", [2001.0, None])
def test_hosting_above_the_budget_or_unknown_is_not_promoted(month: float | None) -> None:
    """Nothing that costs more than was allowed is put to use."""
    world = World()
    run = a_tried_run(world)
    world.at(run, cost={**A_COST, "hosting_month": month})

    verdict = decide(world, run)

    assert (verdict.yes, verdict.outcome) == (False, Outcome.NOT_PROMOTED)


@pytest.mark.parametrize("seconds", [0, 60])
def test_dataset_that_settled_no_later_than_the_champions_is_not_promoted(seconds: float) -> None:
    """A slow run does not overtake a newer one."""
    world = World()
    run = a_tried_run(world)
    world.crown(an_entry(settled_at=run.settled_at + timedelta(seconds=seconds)))

    decided, promoted = decide(world, run), promote(world, run)

    assert (decided.yes, decided.outcome) == (False, Outcome.NOT_PROMOTED)
    assert (promoted.yes, promoted.outcome) == (False, Outcome.NOT_PROMOTED)


def test_promotion_points_callers_to_the_deployment() -> None:
    """The document says what callers need, and keeps who was there before."""
    world = World()
    world.crown(an_entry("shop-v0-00000000"))
    run = a_tried_run(world)

    verdict = promote(world, run)

    document = json.loads(world.registry.data("shop/champion.json"))
    assert verdict.outcome is Outcome.PROMOTED
    assert document["deployment"] == (run.production or {})["name"]
    assert document["endpoint"] == ENDPOINT
    assert document["previous"]["run_id"] == "shop-v0-00000000"
    assert document["base_model"] == MODEL
    assert len(document["history"]) == 2
    assert world.registry.data("shop/history.jsonl").count(b"\n") == 2


def test_deployment_that_went_since_it_was_tried_is_made_again_before_callers_are_sent_to_it() -> (
    None
):
    """The pointer moves to what is there and answers, however long ago it was tried."""
    world = World()
    run = a_tried_run(world)
    [name] = world.resource_manager.deployments
    world.resource_manager.deployments.clear()
    world.azure_openai.deployments.clear()

    gone, silent = ask_to_promote(world, run), ask_to_promote(world, run)
    before = world.champion()
    world.azure_openai.deployments.add(name)
    promoted = ask_to_promote(world, run)

    assert isinstance(gone, Later)
    assert gone.reason == f"{name} had gone and is made again"
    assert isinstance(silent, Later)
    assert before is None
    assert isinstance(promoted, Verdict)
    assert promoted.outcome is Outcome.PROMOTED
    assert list(world.resource_manager.deployments) == [name]


def test_deployment_that_is_being_made_again_is_waited_for() -> None:
    """It is no champion before Azure says that it is there."""
    world = World()
    run = a_tried_run(world)
    [name] = world.resource_manager.deployments
    world.resource_manager.set_state(name, DeploymentState.CREATING)

    answer = ask_to_promote(world, run)

    assert isinstance(answer, Later)
    assert world.champion() is None


def test_deployment_that_failed_since_it_was_tried_ends_the_run() -> None:
    """Nobody waits a week for it."""
    world = World()
    run = a_tried_run(world)
    [name] = world.resource_manager.deployments
    world.resource_manager.set_state(name, DeploymentState.FAILED, message="No host.")

    with pytest.raises(RunEndedError) as ended:
        ask_to_promote(world, run)

    assert ended.value.code == "deployment-failed"


def test_crash_at_any_point_promotes_once() -> None:
    """One change of the champion, whatever dies in between."""
    died = True
    point = 0
    while died:
        world = World()
        world.crown(an_entry())
        run = a_tried_run(world)
        fuse = world.kill_at(point)

        verdict = until_done(world, partial(ask_to_promote, world, run))

        world.survive()
        champion = world.champion()
        assert champion is not None
        assert verdict.outcome is Outcome.PROMOTED
        assert [entry.run_id for entry in champion.history] == ["shop-v0-00000000", run.id], point
        died, point = fuse.is_burnt, point + 1
    assert point > 5


def test_run_that_was_rolled_back_is_not_promoted_by_a_late_repetition() -> None:
    """No run is promoted twice: the person's rollback stands."""
    world = World()
    world.crown(an_entry())
    run = a_tried_run(world)
    promote(world, run)
    world.resource_manager.put_deployment(
        DeploymentRequest(name="shop-aaaaaaaaaaaa", model="m", sku="GlobalStandard", capacity=50)
    )
    world.call(roll_back_champion, "shop", "Ada", "bad")

    verdict = promote(world, run)

    champion = world.champion()
    assert champion is not None
    assert champion.current.run_id == "shop-v0-00000000"
    assert verdict.outcome is Outcome.PROMOTED


def test_cancellation_after_the_promotion_comes_too_late() -> None:
    """A run whose deployment callers use already does not end cancelled."""
    world = World()
    run = a_tried_run(world)
    promote(world, run)
    world.say(run, "cancel")

    assert promote(world, run).outcome is Outcome.PROMOTED


def test_cancellation_before_the_promotion_ends_the_run() -> None:
    """The control document is read first."""
    world = World()
    run = a_tried_run(world)
    world.say(run, "cancel")

    with pytest.raises(RunEndedError) as ended:
        promote(world, run)

    assert ended.value.phase is Phase.CANCELLED
    assert world.champion() is None


def test_two_runs_at_once_leave_the_newer_one_champion() -> None:
    """The pointer changes in one conditional write; the older run looks again and gives way."""
    world = World()
    older = a_tried_run(world, "v1")
    newer = a_tried_run(world, "v2")
    world.registry.before_next("write", lambda: promote(world, newer))

    verdict = promote(world, older)

    champion = world.champion()
    assert champion is not None
    assert champion.current.run_id == newer.id
    assert verdict.outcome is Outcome.NOT_PROMOTED


def test_run_without_a_production_deployment_cannot_be_promoted() -> None:
    """Only a deployment that has answered is promoted; anything else is a mistake of ours."""
    world = World()
    run = a_tried_run(world)
    world.at(run, production=None)

    with pytest.raises(StepFailedError):
        promote(world, run)


def test_title_is_not_given_to_a_run_that_held_it_before() -> None:
    """Also when two workers ask at once, the write itself looks at the whole history."""
    world = World()
    champion = world.crown(an_entry())
    later = an_entry("shop-v1-11111111", settled_at=world.clock.now())
    promoted = succeed(champion, later, project="shop", rollback=timedelta(hours=1))
    assert promoted is not None
    back = roll_back(promoted, at=world.clock.now(), by="Ada", reason="")
    assert back is not None

    assert succeed(back, later, project="shop", rollback=timedelta(hours=1)) is None

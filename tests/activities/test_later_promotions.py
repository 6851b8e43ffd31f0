"""Promoting after a run's end: who may be promoted, one at a time, and what is left behind."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from activities.champions import change_champion
from activities.deployments import create_deployment
from activities.fine_tuning_jobs import create_fine_tuning_job
from activities.later_promotions import LaterPromotions, end_promotion
from activities.promotions import promote_deployment
from droptune.domain.champion import roll_back
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import RequestRejectedError, RunEndedError, WishRefusedError
from droptune.domain.findings import Problem
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import Promotion, PromotionState
from droptune.domain.run import RunRecord
from droptune.domain.steps import EndPromotion, StepRequest
from tests.builders import A_COST, PRODUCTION, World, a_job_file, an_entry, examples, until_done

NO = Problem(code="x", message="No room.")


def a_kept_run(world: World, version: str = "v1", **changes: Any) -> RunRecord:
    """Return a run that ended without a promotion, whose model the service knows."""
    ref = DatasetRef(project="shop", version=version)
    data = examples(12 + len(list(world.records.list_newest())))
    run = world.a_ready_run(ref, job=a_job_file(**PRODUCTION), training=data)
    world.ask(create_fine_tuning_job, run)
    job = world.azure_openai.finish_job(str((world.now(run).job or {})["id"]))
    kept: dict[str, Any] = {
        "phase": Phase.SUCCEEDED,
        "outcome": Outcome.NOT_PROMOTED,
        "message": "Nobody approved the promotion.",
        "job": {"id": job.id, "model": job.model, "fine_tuned_model": job.fine_tuned_model},
    }
    return world.at(run, **kept | changes)


def ask_for(world: World, run: RunRecord, by: str = "Ada", reason: str = "after all") -> Promotion:
    """Wish for a promotion."""
    promotions = LaterPromotions(
        records=world.records,
        registry=world.registry,
        azure_openai=world.azure_openai,
        clock=world.clock,
    )
    return promotions(run.ref, by, reason)


def carry_out(world: World, run: RunRecord) -> None:
    """Deploy and point callers to the model, as the orchestration does, and end."""
    asked = StepRequest(run=run.ref, about="production", promotion=1)
    until_done(world, partial(world.call, create_deployment, asked))
    world.azure_openai.deployments.update(world.resource_manager.deployments)
    until_done(world, partial(world.call, promote_deployment, asked))
    end(world, run)


def end(world: World, run: RunRecord, problem: Problem | None = None, attempt: int = 1) -> None:
    """End a promotion."""
    message = problem.message if problem else "Promoted: shop-1 became the project's champion."
    request = EndPromotion(run=run.ref, promotion=attempt, message=message, problem=problem)
    until_done(world, partial(world.call, end_promotion, request))


def refusal(world: World, run: RunRecord) -> WishRefusedError:
    """Return why a wish is refused."""
    with pytest.raises(WishRefusedError) as refused:
        ask_for(world, run)
    return refused.value


def test_wish_stands_in_the_record_with_who_when_and_why() -> None:
    """The run has ended and stays so; what is under way is noted beside its end."""
    world = World()
    run = a_kept_run(world)

    promotion = ask_for(world, run)

    found = world.now(run)
    assert found.promotion == promotion
    assert (promotion.by, promotion.reason) == ("Ada", "after all")
    assert promotion.asked_at == world.clock.now()
    assert (found.phase, found.outcome) == (Phase.SUCCEEDED, Outcome.NOT_PROMOTED)


def test_wish_that_is_repeated_is_the_same_promotion() -> None:
    """Twice asked, by whomever, is once promoted; the first reason counts."""
    world = World()
    run = a_kept_run(world)
    first = ask_for(world, run)
    world.clock.advance(5)

    assert ask_for(world, run, by="Bo", reason="me too") == first


def test_promotion_makes_an_older_dataset_the_champion_because_a_person_asks() -> None:
    """Who and why stand in the pointer, and the one before is kept for the way back."""
    world = World()
    run = a_kept_run(world)
    newer = an_entry("shop-v0-00000000", settled_at=world.clock.now())
    world.crown(newer)

    ask_for(world, run)
    carry_out(world, run)

    champion, found = world.champion(), world.now(run)
    assert champion is not None
    assert (champion.current.run_id, champion.current.by) == (run.id, "Ada")
    assert champion.current.reason == "after all"
    assert champion.previous is not None
    assert champion.previous.run_id == "shop-v0-00000000"
    assert champion.current.deployment in world.resource_manager.deployments
    assert (found.outcome, found.phase) == (Outcome.PROMOTED, Phase.SUCCEEDED)
    assert found.promotion is not None
    assert found.promotion.state is PromotionState.PROMOTED


def test_wish_after_the_promotion_says_that_it_is_done() -> None:
    """The same answer, and nothing new begins."""
    world = World()
    run = a_kept_run(world)
    ask_for(world, run)
    carry_out(world, run)

    again = ask_for(world, run)

    assert (again.attempt, again.state) == (1, PromotionState.PROMOTED)


def test_model_that_was_rolled_back_is_not_promoted_twice() -> None:
    """The way back to it is a rollback, or a new training."""
    world = World()
    world.crown(an_entry())
    run = a_kept_run(world)
    ask_for(world, run)
    carry_out(world, run)
    change_champion(
        world.registry,
        "shop",
        lambda now: roll_back(now, at=world.clock.now(), by="Bo", reason="") if now else None,
    )

    assert refusal(world, run).code == "held-before"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"phase": Phase.TRAINING, "outcome": Outcome.NONE}, "not-ended"),
        ({"outcome": Outcome.PROMOTED}, "nothing-to-promote"),
        ({"phase": Phase.FAILED, "outcome": Outcome.NONE}, "nothing-to-promote"),
        ({"job": None}, "no-model"),
        ({"configuration": {}}, "no-production"),
        ({"cost": {**A_COST, "hosting_month": 2001.0}}, "over-budget"),
    ],
)
def test_run_of_another_kind_is_refused_with_the_reason(changes: dict[str, Any], code: str) -> None:
    """What cannot be promoted is said before anything is begun."""
    world = World()
    run = a_kept_run(world, **changes)

    refused = refusal(world, run)

    assert refused.code == code
    assert refused.remedy
    assert world.now(run).promotion is None


def test_model_that_is_gone_is_refused() -> None:
    """Somebody may have deleted it at the service."""
    world = World()
    run = a_kept_run(world)
    world.azure_openai.gone_models.add(str((run.job or {})["fine_tuned_model"]))

    assert refusal(world, run).code == "model-gone"


def test_second_promotion_of_a_project_waits_for_the_first() -> None:
    """One at a time: the other is refused until it has ended."""
    world = World()
    first, second = a_kept_run(world, "v1"), a_kept_run(world, "v2")
    ask_for(world, first)
    world.clock.advance(3600)

    refused = refusal(world, second)
    end(world, first, NO)

    assert refused.code == "another-promotion"
    assert first.id in str(refused)
    assert ask_for(world, second).is_under_way


def test_two_wishes_at_the_same_moment_leave_one() -> None:
    """Whoever has the project's turn goes on, also before its record says so."""
    world = World()
    first, second = a_kept_run(world, "v1"), a_kept_run(world, "v2")
    codes: list[str] = []
    assert list(world.records.list_live()) == []
    world.runs.before_next("write", lambda: codes.append(refusal(world, second).code))

    promotion = ask_for(world, first)

    assert promotion.is_under_way
    assert codes == ["another-promotion"]
    assert world.now(second).promotion is None


def test_run_that_is_promoting_by_itself_is_waited_for() -> None:
    """A newer run at the last step of its line comes first."""
    world = World()
    run = a_kept_run(world)
    a_kept_run(world, "v2", phase=Phase.PROMOTING, outcome=Outcome.NONE)

    assert refusal(world, run).code == "another-promotion"


def test_run_that_has_long_been_promoting_is_waited_for_too() -> None:
    """However many runs of the project began since; of other projects none is read."""
    world = World()
    promoting = a_kept_run(world, phase=Phase.PROMOTING, outcome=Outcome.NONE)
    run = a_kept_run(world, "v2")
    for number in range(40):
        newer = replace(run, id=f"shop-z-{number:08d}")
        world.runs.put(newer.ref.record, json.dumps(newer.to_payload()))
        world.runs.put(f"_index/{number:014d}-{newer.id}", "{}")

    refused = refusal(world, run)

    assert promoting.id in str(refused)


def test_worker_that_dies_at_any_point_of_a_wish_hinders_nobody() -> None:
    """The wish is repeated and leads to one promotion."""
    died, point = True, 0
    while died:
        world = World()
        run = a_kept_run(world)
        fuse = world.kill_at(point)

        promotion = until_done(world, partial(ask_for, world, run))

        world.survive()
        assert world.now(run).promotion == promotion
        assert promotion.attempt == 1
        died, point = fuse.is_burnt, point + 1
    assert point > 5


def test_refused_promotion_leaves_nothing_that_bills_and_may_be_tried_again() -> None:
    """What was deployed for it goes, the reason stays, and the next attempt has a number."""
    world = World()
    run = a_kept_run(world)
    ask_for(world, run)
    asked = StepRequest(run=run.ref, about="production", promotion=1)
    until_done(world, partial(world.call, create_deployment, asked))

    end(world, run, NO)

    found = world.now(run)
    assert world.resource_manager.deployments == {}
    assert found.outcome is Outcome.NOT_PROMOTED
    assert found.promotion is not None
    assert found.promotion.error == NO
    assert (found.deployment or {})["state"] == "Deleted"
    assert ask_for(world, run).attempt == 2


def test_deployment_that_azure_refuses_to_delete_is_named_and_does_not_hold_up_the_end() -> None:
    """The promotion ends all the same; the sweep tries again every day."""
    world = World()
    run = a_kept_run(world)
    ask_for(world, run)
    asked = StepRequest(run=run.ref, about="production", promotion=1)
    until_done(world, partial(world.call, create_deployment, asked))
    world.resource_manager.fail_next("delete_deployment", RequestRejectedError("It is locked."))

    end(world, run, NO)

    promotion = world.now(run).promotion
    assert promotion is not None
    assert promotion.message == "No room. Not deleted: It is locked."
    assert not promotion.is_under_way


def test_late_repetition_of_an_end_leaves_the_next_attempt_alone() -> None:
    """Each end names its attempt."""
    world = World()
    run = a_kept_run(world)
    ask_for(world, run)
    end(world, run, NO)
    ask_for(world, run)

    end(world, run, NO, attempt=1)

    assert world.now(run).is_being_promoted


def test_cancelled_promotion_ends_before_its_next_step() -> None:
    """Every step reads the control document first."""
    world = World()
    run = a_kept_run(world)
    ask_for(world, run)
    world.say(run, "cancel", about="promotion", reason="no more")
    asked = StepRequest(run=run.ref, about="production", promotion=1)

    with pytest.raises(RunEndedError, match="cancelled by Ada: no more"):
        world.call(create_deployment, asked)

    assert world.resource_manager.deployments == {}


def test_step_of_a_promotion_that_has_ended_does_nothing() -> None:
    """A late repetition finds the end."""
    world = World()
    run = a_kept_run(world)
    ask_for(world, run)
    end(world, run, NO)
    asked = StepRequest(run=run.ref, about="production", promotion=1)

    with pytest.raises(RunEndedError) as ended:
        world.call(create_deployment, asked)

    assert ended.value.code == "already-ended"


def test_lists_hear_of_every_change_after_the_end() -> None:
    """The row of a run that has ended is written again when its record changes."""
    world = World()
    run = a_kept_run(world)
    [before] = world.runs.list("_index/")

    ask_for(world, run)
    [asked] = world.runs.list("_index/")
    end(world, run, NO)
    [ended] = world.runs.list("_index/")

    assert len({before.etag, asked.etag, ended.etag}) == 3

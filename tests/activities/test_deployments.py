"""A candidate that is tried, and a deployment that callers use."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from activities import deployments
from activities.fine_tuning_jobs import create_fine_tuning_job, get_fine_tuning_job
from activities.money import let_go_of
from activities.promotions import decide_promotion
from activities.questions import DEFAULT, question
from droptune.domain.budget import BudgetLimits
from droptune.domain.deployment import DeploymentRequest, DeploymentState
from droptune.domain.errors import (
    OutcomeUnknownError,
    RequestRejectedError,
    RunEndedError,
    TransientError,
)
from droptune.domain.ledger import LEDGER, Ledger
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import Later, Policy, Verdict
from tests.builders import A_COST, MODEL, PRODUCTION, World, a_job_file, examples


def a_trained_run(world: World, **pipeline: Any) -> RunRecord:
    """Return a run whose job has succeeded."""
    run = world.a_ready_run(job=a_job_file(**pipeline))
    world.ask(create_fine_tuning_job, run)
    world.azure_openai.finish_job(world.only_job().id)
    world.ask(get_fine_tuning_job, run)
    return world.now(run)


def deploy(world: World, run: RunRecord, about: str = "candidate") -> Verdict | Later:
    """Ask for a deployment once."""
    answer: Verdict | Later = world.ask(deployments.create_deployment, run, about)
    return answer


def try_out(world: World, run: RunRecord, about: str = "candidate") -> Later | None:
    """Ask the deployment once."""
    answer: Later | None = world.ask(deployments.test_deployment, run, about)
    return answer


def only_put(world: World) -> DeploymentRequest:
    """Return the one deployment that was asked for."""
    [put] = world.resource_manager.puts
    return put


def test_candidate_is_deployed_where_it_costs_nothing_by_the_hour() -> None:
    """DeveloperTier where the model has it; the name is the run's own."""
    world = World()
    run = a_trained_run(world)

    answer = deploy(world, run)

    put = only_put(world)
    assert (put.sku, put.model) == ("DeveloperTier", world.only_job().fine_tuned_model)
    assert put.name == f"shop-{run.run_digest[:12]}-candidate"
    assert answer == Verdict(yes=True, message=put.name)
    assert (world.now(run).deployment or {})["expires_at"] == "2026-11-24T09:02:00Z"


def test_candidate_of_a_scaled_service_expires_when_a_clock_here_says_so() -> None:
    """A day at a service that is sixty times faster than real is 24 minutes."""
    world = World(policy=Policy(time_scale=60))
    run = a_trained_run(world)

    deploy(world, run)

    assert (world.now(run).deployment or {})["expires_at"] == "2026-11-23T09:26:00Z"


def test_deployment_is_put_once_however_often_the_step_runs() -> None:
    """A repetition, also after a lost answer, finds it by its name."""
    world = World()
    run = a_trained_run(world)
    world.resource_manager.fail_next("put_deployment", OutcomeUnknownError("reset"), after=True)
    with pytest.raises(OutcomeUnknownError):
        deploy(world, run)

    deploy(world, run)
    deploy(world, run)

    assert len(world.resource_manager.puts) == 1


def test_deployment_is_waited_for_until_azure_says_it_is_there() -> None:
    """A PUT is only the beginning."""
    world = World()
    run = a_trained_run(world)
    world.resource_manager.next_state = DeploymentState.CREATING

    first = deploy(world, run)
    world.resource_manager.set_state(only_put(world).name, DeploymentState.SUCCEEDED)
    second = deploy(world, run)

    assert isinstance(first, Later)
    assert isinstance(second, Verdict)


def test_slow_look_does_not_take_back_that_a_deployment_is_there() -> None:
    """Another worker saw it succeed while this one had "Creating" in its hands."""
    world = World()
    run = a_trained_run(world)
    world.resource_manager.next_state = DeploymentState.CREATING

    def succeeds() -> None:
        world.resource_manager.set_state(only_put(world).name, DeploymentState.SUCCEEDED)
        deploy(world, run)

    world.resource_manager.before_next("get_account", succeeds)
    deploy(world, run)

    assert (world.now(run).deployment or {})["state"] == "Succeeded"


def test_state_that_is_not_known_is_waited_for() -> None:
    """Azure declares its enums open."""
    world = World()
    run = a_trained_run(world)
    world.resource_manager.next_state = DeploymentState.UNRECOGNISED

    assert isinstance(deploy(world, run), Later)


def test_failed_deployment_ends_the_run_with_azures_reason() -> None:
    """The model is kept; a retry deploys under a name of its own."""
    world = World()
    run = a_trained_run(world)
    world.resource_manager.next_state = DeploymentState.CREATING
    deploy(world, run)
    name = only_put(world).name
    world.resource_manager.set_state(name, DeploymentState.FAILED, message="No host.")

    with pytest.raises(RunEndedError, match="No host") as ended:
        deploy(world, run)

    assert (ended.value.phase, ended.value.code) == (Phase.FAILED, "deployment-failed")


@pytest.mark.parametrize("code", ["InsufficientQuota", "InsufficientResources", "quotaExceeded"])
def test_full_quota_is_waited_for(code: str) -> None:
    """The record says what for, and the next look tries again."""
    world = World()
    run = a_trained_run(world)
    full = RequestRejectedError("no quota for 100", service_code=code)
    world.resource_manager.fail_next("put_deployment", full)

    first = deploy(world, run)
    waiting = world.now(run).waiting_for
    second = deploy(world, run)

    assert isinstance(first, Later)
    assert waiting == "no quota for 100"
    assert isinstance(second, Verdict)


def without_developer_tier(world: World) -> None:
    """Let the model be without DeveloperTier."""
    model = world.resource_manager.models[0]
    world.resource_manager.models = [replace(model, skus=("Standard", "GlobalStandard"))]


def test_nothing_billed_by_the_hour_is_created_without_a_budget() -> None:
    """The default hosting budget is 0: the model is trained and kept."""
    world = World()
    without_developer_tier(world)
    run = a_trained_run(world, deploy={"candidate": {"sku": "Standard", "capacity": 10}})

    answer = deploy(world, run)

    assert isinstance(answer, Verdict)
    assert (answer.yes, answer.outcome) == (False, Outcome.TRAINED)
    assert world.resource_manager.puts == []


@pytest.mark.parametrize("sku", ["ProvisionedManaged", "DataZoneStandard", "SomethingNew"])
def test_sku_without_a_known_price_is_taken_to_bill(sku: str) -> None:
    """What is not known to be free is never created for free."""
    world = World()
    run = a_trained_run(world, deploy={"candidate": {"sku": sku, "capacity": 10}})
    world.at(run, cost={**A_COST, "candidate_month": None})

    answer = deploy(world, run)

    assert isinstance(answer, Verdict)
    assert not answer.yes


def test_candidate_within_the_hosting_budget_is_created() -> None:
    """Its own month is compared, not production's."""
    world = World()
    run = a_trained_run(
        world,
        deploy={"candidate": {"sku": "Standard", "capacity": 10}},
        budget={"hosting_usd_month": 1300},
    )
    world.at(run, cost={**A_COST, "hosting_month": None, "candidate_month": 1224.0})

    deploy(world, run)

    assert only_put(world).sku == "Standard"


def test_candidate_of_productions_sku_is_the_production_deployment() -> None:
    """One deployment serves both purposes, and is made once."""
    world = World()
    without_developer_tier(world)
    run = a_trained_run(world, **PRODUCTION)

    deploy(world, run)
    deploy(world, run, "production")

    put = only_put(world)
    assert (put.name, put.capacity) == (f"shop-{run.run_digest[:12]}", 50)
    assert (world.now(run).production or {})["name"] == put.name


def test_production_is_a_second_deployment_beside_a_free_candidate() -> None:
    """Names differ, because a deployment cannot be pointed to another SKU or model."""
    world = World()
    run = a_trained_run(world, **PRODUCTION)

    deploy(world, run)
    deploy(world, run, "production")

    assert [put.sku for put in world.resource_manager.puts] == ["DeveloperTier", "GlobalStandard"]
    assert len({put.name for put in world.resource_manager.puts}) == 2


def test_production_takes_the_place_that_the_candidate_gives_back() -> None:
    """A run that waits for a place holds none: else all that wait would wait for each other."""
    world = World()
    run = a_trained_run(world, **PRODUCTION)
    deploy(world, run)
    world.resource_manager.places = 1

    answer = deploy(world, run, "production")

    name = f"shop-{run.run_digest[:12]}"
    assert answer == Verdict(yes=True, message=name)
    assert list(world.resource_manager.deployments) == [name]


def test_hosting_of_a_candidate_does_not_stand_in_productions_way() -> None:
    """What is given back is not paid any more: the budget needs room for one of the two."""
    world = World(budgets=BudgetLimits(app_hosting=1300))
    run = a_trained_run(
        world,
        deploy={
            "candidate": {"sku": "Standard", "capacity": 50},
            "production": {"sku": "GlobalStandard", "capacity": 50},
        },
        budget={"hosting_usd_month": 1300},
    )
    world.at(run, cost=A_COST)
    deploy(world, run)

    answer = deploy(world, run, "production")

    assert isinstance(answer, Verdict)
    assert answer.yes, answer.message


def a_deployed_run(world: World, **pipeline: Any) -> RunRecord:
    """Return a run whose candidate is there and answers."""
    run = a_trained_run(world, **pipeline)
    deploy(world, run)
    world.azure_openai.deployments |= set(world.resource_manager.deployments)
    return world.now(run)


def test_data_plane_that_does_not_know_the_deployment_yet_is_asked_again() -> None:
    """`Succeeded` is not `ready`: the first minutes answer 404."""
    world = World()
    run = a_trained_run(world)
    deploy(world, run)

    first = try_out(world, run)
    world.azure_openai.deployments |= set(world.resource_manager.deployments)
    second = try_out(world, run)

    assert isinstance(first, Later)
    assert second is None
    assert (world.now(run).test or {})["answer"] == "An answer."


def test_answer_stands_in_the_record_beside_the_base_models() -> None:
    """Prompt, answers, latency and tokens, and nothing of them travels."""
    world = World()
    run = a_deployed_run(world)
    base = DeploymentRequest(name="base", model=MODEL, sku="Standard", capacity=1)
    world.resource_manager.put_deployment(base)
    world.azure_openai.deployments.add("base")

    answer = try_out(world, run)

    test = world.now(run).test or {}
    assert answer is None
    assert test["prompt"] == "Question 0?"
    assert (test["base_deployment"], test["base_answer"]) == ("base", "An answer.")
    assert test["latency_ms"] == 120


def test_silence_of_the_base_model_costs_the_run_nothing() -> None:
    """The comparison is a courtesy."""
    world = World()
    run = a_deployed_run(world)
    base = DeploymentRequest(name="base", model=MODEL, sku="Standard", capacity=1)
    world.resource_manager.put_deployment(base)

    assert try_out(world, run) is None
    assert (world.now(run).test or {})["base_answer"] is None


def test_deployment_that_answers_nothing_is_not_used() -> None:
    """An empty answer fails the run."""
    world = World()
    run = a_deployed_run(world)
    world.azure_openai.answer = "  "

    with pytest.raises(RunEndedError) as ended:
        try_out(world, run)

    assert ended.value.code == "no-answer"


def said(content: str) -> dict[str, str]:
    """Return a user's message."""
    return {"role": "user", "content": content}


@pytest.mark.parametrize(
    ("files", "asked"),
    [
        ({"test": examples(1), "validation": "x"}, "Question 0?"),
        (
            {"validation": '{"messages": [{"role": "user", "content": "Held out?"}, {}]}'},
            "Held out?",
        ),
        ({"test": "", "validation": "no json"}, "Question 0?"),
        (
            {"training": '{"input": {"messages": [{"role": "user", "content": "Which?"}]}}'},
            "Which?",
        ),
        ({"training": "[1]"}, DEFAULT[0]["content"]),
    ],
    ids=["test-first", "validation", "broken-roles", "preference", "nothing-usable"],
)
def test_question_comes_from_what_was_held_out(files: dict[str, str], asked: str) -> None:
    """The first example that can be asked: test, validation, training, else a greeting."""
    world = World()
    run = world.a_run(**files)

    assert question(run, world.datasets)[-1]["content"] == asked


def test_configured_question_is_asked() -> None:
    """`smoke_test` comes before any example."""
    world = World()
    mine = {"messages": [{"role": "user", "content": "Mine?"}]}
    run = world.a_run(job=a_job_file(smoke_test=mine))

    assert question(run, world.datasets)[-1]["content"] == "Mine?"


@pytest.mark.parametrize("gone", [True, False])
def test_dataset_that_changed_after_training_does_not_fail_the_test(gone: bool) -> None:
    """The model is paid for: another question will do."""
    world = World()
    run = a_deployed_run(world)
    if gone:
        world.datasets.delete("shop/v1/training.jsonl")
    else:
        world.datasets.put("shop/v1/training.jsonl", examples(13))

    assert try_out(world, run) is None
    assert (world.now(run).test or {})["prompt"] == DEFAULT[0]["content"]


def test_tool_calls_are_left_out_of_the_question() -> None:
    """A question ends with the last thing that a user said."""
    world = World()
    messages = [
        {"role": "user", "content": "What time is it?"},
        {"role": "assistant", "tool_calls": [], "content": None},
        {"role": "tool", "content": "noon", "tool_call_id": "1"},
        {"role": "assistant", "content": "Noon."},
    ]
    run = world.a_run(training=json.dumps({"messages": messages}) + "\n")

    assert [m["content"] for m in question(run, world.datasets)] == ["What time is it?"]


def test_deployment_that_is_made_for_days_is_looked_at_every_minute() -> None:
    """However often it was asked before, the next look comes."""
    world = World()
    run = a_trained_run(world)
    world.resource_manager.next_state = DeploymentState.CREATING

    answer = world.ask(deployments.create_deployment, run, "candidate", polls=5000)

    assert isinstance(answer, Later)
    assert answer.seconds == 60


def test_candidate_that_azure_removed_before_it_was_asked_is_made_again() -> None:
    """A run that was paused for a day finds no candidate; it does not wait for one in vain."""
    world = World()
    run = a_trained_run(world)
    deploy(world, run)
    [name] = world.resource_manager.deployments
    world.resource_manager.deployments.clear()

    first = try_out(world, run)
    world.azure_openai.deployments.add(name)
    second = try_out(world, run)

    assert isinstance(first, Later)
    assert first.reason == f"{name} had gone and is made again"
    assert list(world.resource_manager.deployments) == [name]
    assert second is None


def test_candidate_that_is_made_again_is_held_again() -> None:
    """A clean-up between its end and the next look has let go of what was held for it."""
    world = World()
    run = a_trained_run(
        world,
        deploy={"candidate": {"sku": "Standard", "capacity": 10}},
        budget={"hosting_usd_month": 1300},
    )
    world.at(run, cost={**A_COST, "hosting_month": None, "candidate_month": 1224.0})
    deploy(world, run)
    [name] = world.resource_manager.deployments
    world.resource_manager.deployments.clear()
    let_go_of(name, registry=world.registry)

    try_out(world, run)

    ledger = Ledger.from_payload(json.loads(world.registry.data(LEDGER)))
    assert [held.deployment for held in ledger.hosting] == [name]
    assert list(world.resource_manager.deployments) == [name]


def test_candidate_that_was_tried_is_not_made_again_by_a_late_repetition() -> None:
    """Its answer is kept, and its place was given back."""
    world = World()
    run = a_deployed_run(world, **PRODUCTION)
    try_out(world, run)
    world.ask(decide_promotion, run)

    deployed, tried = deploy(world, run), try_out(world, run)

    assert isinstance(deployed, Verdict)
    assert deployed.yes
    assert tried is None
    assert world.resource_manager.deployments == {}


class Overtaken:
    """Azure OpenAI as a worker finds it that stood still before its question: it is done by now."""

    def __init__(self, world: World, others: Callable[[], None]) -> None:
        """Let others do their work at the first question."""
        self._world, self._service, self._others = world, world.azure_openai, others

    def __getattr__(self, name: str) -> Any:
        """Answer all else as it is."""
        return getattr(self._service, name)

    def complete_chat(self, *given: Any, **more: Any) -> Any:
        """Ask when the others have ended."""
        self._world.azure_openai = self._service
        self._others()
        return self._service.complete_chat(*given, **more)


def test_candidate_that_another_worker_tried_and_gave_back_is_not_made_again() -> None:
    """Nothing would be held for it; a worker that was slow sees that the answer is there."""
    world = World()
    run = a_deployed_run(world, **PRODUCTION)

    def try_and_give_back() -> None:
        try_out(world, run)
        world.ask(decide_promotion, run)
        world.azure_openai.deployments.clear()

    world.azure_openai = Overtaken(world, try_and_give_back)  # type: ignore[assignment]
    tried = try_out(world, run)

    assert tried is None
    assert world.resource_manager.deployments == {}
    assert world.now(run).test is not None


def test_account_that_is_full_and_says_429_is_asked_again_after_minutes() -> None:
    """Whatever the status, a quota is no hiccup: the run shows what it waits for."""
    world = World()
    run = a_trained_run(world)
    full = TransientError("full", status=429, retry_after=10, service_code="quotaExceeded")
    world.resource_manager.fail_next("put_deployment", full)

    answer = deploy(world, run)

    assert answer == Later(seconds=600, reason="full")
    assert world.now(run).waiting_for == "full"

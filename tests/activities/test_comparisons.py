"""Answers side by side: which prompts are asked, of whom, and how often."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from activities.comparisons import MOST_PROMPTS, compare_answers
from activities.promotions import decide_promotion
from droptune.domain.comparison import ANSWERS, Comparison
from droptune.domain.deployment import DeploymentRequest
from droptune.domain.errors import NotFoundError, RequestRejectedError, TransientError
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import Later
from tests.builders import (
    A_COST,
    MODEL,
    PRODUCTION,
    World,
    a_job_file,
    an_entry,
    an_example,
    examples,
    until_done,
)

BASE = "gpt-base"


def a_tried_run(world: World, *, base: bool = True, **files: str | bytes) -> RunRecord:
    """Return a run whose candidate has answered, beside a champion and maybe the base model."""
    world.crown(an_entry())
    data = {"test": examples(3, answer="As expected.")} | files
    run = world.a_run(job=a_job_file(**PRODUCTION), **data)
    name = f"shop-{run.run_digest[:12]}-candidate"
    deploy(world, name, f"{MODEL}.ft-1")
    deploy(world, "shop-aaaaaaaaaaaa", f"{MODEL}.ft-0")
    if base:
        deploy(world, BASE, MODEL)
    shown = {"name": name, "state": "Succeeded", "expires_at": None}
    job = {"id": "ftjob-1", "model": MODEL, "fine_tuned_model": f"{MODEL}.ft-1"}
    return world.at(
        run, cost=A_COST, deployment=shown, job=job, test={"answer": "Yes."}, phase=Phase.TESTING
    )


def deploy(world: World, name: str, model: str) -> None:
    """Let a deployment be there and answer."""
    wanted = DeploymentRequest(name=name, model=model, sku="DeveloperTier", capacity=50)
    world.resource_manager.put_deployment(wanted)
    world.azure_openai.deployments.add(name)


def compare(world: World, run: RunRecord, polls: int = 0) -> Any:
    """Ask for the comparison once."""
    return world.ask(compare_answers, run, polls=polls)


def finish(world: World, run: RunRecord) -> Comparison:
    """Ask until the comparison is there, and return it."""
    until_done(world, partial(compare, world, run))
    return Comparison.from_payload(json.loads(world.runs.data(run.ref.folder + ANSWERS)))


def asked(world: World) -> list[tuple[str, str]]:
    """Return who was asked what, in order."""
    return [(name, str(said[-1]["content"])) for name, said in world.azure_openai.chats]


def test_three_contenders_answer_each_held_out_prompt() -> None:
    """Prompt and expected answer come from the test data; what is said lies with the run."""
    world = World()
    run = a_tried_run(world)

    comparison = finish(world, run)

    first = comparison.exchanges[0]
    assert comparison.role == "test"
    assert (first.prompt, first.expected) == ("Question 0?", "As expected.")
    assert first.answers == dict.fromkeys(("candidate", "champion", "base"), "An answer.")
    assert len(comparison.exchanges) == 3
    assert len(world.azure_openai.chats) == 9


def test_what_travels_is_a_count_and_not_a_word_of_data() -> None:
    """The activity answers how many answers there are."""
    world = World()
    run = a_tried_run(world)

    answer = until_done(world, partial(compare, world, run))

    assert answer.to_payload() == {"answers": 9}


def test_validation_data_is_asked_where_there_is_no_test_data() -> None:
    """Training data is never asked: it would answer by heart."""
    world = World()
    run = a_tried_run(world, test="", validation=examples(2))

    assert finish(world, run).role == "validation"


def test_run_without_held_out_data_waits_for_its_approval_at_once() -> None:
    """There is nothing to ask, and nothing is stored."""
    world = World()
    run = a_tried_run(world, test="")

    assert compare(world, run).answers == 0
    assert world.azure_openai.chats == []
    assert run.ref.folder + ANSWERS not in world.runs.blobs


def test_base_model_is_asked_only_where_it_is_deployed() -> None:
    """Nothing is deployed for a comparison."""
    world = World()
    run = a_tried_run(world, base=False)

    comparison = finish(world, run)

    assert set(comparison.deployments) == {"candidate", "champion"}
    assert world.resource_manager.calls.count("put_deployment") == 2  # this test's own


def test_no_more_than_twenty_prompts_are_asked_each_once() -> None:
    """However large the test data is; a prompt that stands in it twice is asked once."""
    world = World()
    run = a_tried_run(world, base=False, test=examples(5) + examples(100))

    comparison = finish(world, run)

    prompts = [exchange.prompt for exchange in comparison.exchanges]
    assert len(prompts) == len(set(prompts)) == MOST_PROMPTS
    assert len(world.azure_openai.chats) == 2 * MOST_PROMPTS


def test_prompts_that_are_long_or_broken_are_left_out() -> None:
    """Cost is bounded, and one bad line does not end the comparison."""
    world = World()
    long = an_example(1)
    long["messages"][1]["content"] = "a" * 9_000
    lines = ["no json", "[]", '{"messages": "none"}', json.dumps(long), json.dumps(an_example(7))]
    run = a_tried_run(world, test="\n".join(lines) + "\n")

    [exchange] = finish(world, run).exchanges

    assert (exchange.line, exchange.prompt) == (5, "Question 7?")


def test_each_call_asks_a_few_and_the_next_goes_on() -> None:
    """No worker is held for an hour; what is answered is not asked again."""
    world = World()
    run = a_tried_run(world)

    first = compare(world, run)
    after_first = len(world.azure_openai.chats)
    compare(world, run)

    assert isinstance(first, Later)
    assert after_first == 6
    assert len(world.azure_openai.chats) == len(set(asked(world))) == 9


def test_comparison_that_is_there_asks_nobody() -> None:
    """A late repetition changes nothing, though the candidate has gone."""
    world = World()
    run = a_tried_run(world)
    before = finish(world, run)
    calls = len(world.azure_openai.chats)

    assert finish(world, run) == before
    assert len(world.azure_openai.chats) == calls


def test_worker_that_dies_at_any_point_asks_one_question_again_at_most() -> None:
    """Every answer is kept as soon as it is there."""
    died, point = True, 0
    while died:
        world = World()
        run = a_tried_run(world, test=examples(2))
        fuse = world.kill_at(point)

        until_done(world, partial(compare, world, run))

        world.survive()
        comparison = finish(world, run)
        assert all(len(each.answers) == 3 for each in comparison.exchanges), point
        assert len(world.azure_openai.chats) <= 6 + 1
        died, point = fuse.is_burnt, point + 1
    assert point > 20


@pytest.mark.parametrize(
    "error", [NotFoundError("gone"), RequestRejectedError("no", code="content-filter")]
)
def test_who_does_not_answer_is_named_with_the_code_and_costs_the_run_nothing(
    error: RequestRejectedError,
) -> None:
    """The others' answers are there all the same."""
    world = World()
    run = a_tried_run(world, test=examples(1))
    world.azure_openai.fail_next("complete_chat", error)

    [exchange] = finish(world, run).exchanges

    assert exchange.missing == {"candidate": error.code}
    assert set(exchange.answers) == {"champion", "base"}


def test_busy_service_is_waited_for_a_while() -> None:
    """A full minute is asked again later; after forty calls the person decides without it."""
    world = World()
    run = a_tried_run(world, test=examples(1), base=False)
    busy = TransientError("busy", status=429, retry_after=7)
    world.azure_openai.fail_next("complete_chat", busy)
    world.azure_openai.fail_next("complete_chat", busy)

    waits = compare(world, run)
    gives_up = compare(world, run, polls=40)

    [exchange] = finish(world, run).exchanges
    assert (waits.seconds, gives_up.answers) == (7, 1)
    assert exchange.missing == {"candidate": "transient"}


def test_data_that_has_changed_meanwhile_ends_the_comparison_with_what_is_there() -> None:
    """The model is paid for; the person still decides."""
    world = World()
    run = a_tried_run(world)
    compare(world, run)
    world.datasets.put("shop/v1/test.jsonl", examples(9))

    comparison = finish(world, run)

    assert sum(len(each.answers) for each in comparison.exchanges) == 6
    assert comparison.exchanges[2].missing["candidate"] == "prompt-gone"


def test_candidate_keeps_its_place_until_it_was_compared() -> None:
    """The decision leaves it there for the comparison, which gives the place back."""
    world = World()
    run = a_tried_run(world)
    name = str((run.deployment or {})["name"])

    world.ask(decide_promotion, run)
    kept = name in world.resource_manager.deployments
    finish(world, run)

    assert kept
    assert name not in world.resource_manager.deployments
    assert (world.now(run).deployment or {})["state"] == "Deleted"

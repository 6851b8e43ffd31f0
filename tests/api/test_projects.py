"""Champion, history, spend, and the way back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from droptune.domain.budget import BudgetLimits, reserve
from droptune.domain.ledger import LEDGER, Ledger
from droptune.domain.phases import Phase

from .world import World, a_champion, a_run, read


def world_with_champion() -> World:
    world = World()
    world.registry.put("shop/champion.json", dict(a_champion().to_document()))
    return world


def test_project_is_known_by_data_run_or_champion():
    """Any of the three makes a project; what the app keeps for itself does not."""
    world = world_with_champion()
    world.datasets.put("faq/v1/training.jsonl", b"{}")
    world.keep(a_run("desk-v1-a", project="desk"))
    world.registry.put("_rejected/x.json", {})

    projects = read(world.get("projects"))["projects"]

    assert [project["project"] for project in projects] == ["desk", "faq", "shop"]
    assert projects[2]["champion"]["deployment"] == "shop-1"


def test_champion_may_be_cached_as_long_as_it_says():
    """A caller learns the deployment, how long to keep it, and that nothing changed."""
    world = world_with_champion()

    first = world.get("projects/shop/champion")
    second = world.get("projects/shop/champion", if_none_match=first.headers["ETag"])

    assert read(first)["deployment"] == "shop-1"
    assert first.headers["Cache-Control"] == "max-age=300"
    assert second.status == 304
    assert second.headers["Cache-Control"] == "max-age=300"


def test_project_without_a_champion_says_when_there_will_be_one():
    """No champion is a 404 with a remedy, not an empty document."""
    problem = read(World().get("projects/shop/champion"))

    assert (problem["status"], problem["code"]) == (404, "no-champion")


def test_spend_counts_what_was_paid_once():
    """A run that adopted a job paid nothing; what runs now is estimated."""
    world = World()
    world.keep(a_run("shop-v1-a", phase=Phase.SUCCEEDED, cost={"spent": 2.5, "estimate": 3}))
    world.keep(a_run("shop-v1-b", adopted_from="shop-v1-a", cost={"spent": 2.5, "estimate": 4}))

    project = read(world.get("projects/shop"))

    assert project["spend"] == {"currency": "USD", "spent": 2.5, "estimated": 4.0}
    assert len(project["runs"]) == 2


@pytest.mark.parametrize("project", ["nobody", "_index", "..", "a b"])
def test_unknown_project_is_not_found(project):
    """What has no data, run or champion, and what cannot be a name, is a 404."""
    assert read(World().get(f"projects/{project}"))["code"] == "project-not-found"


def test_rollback_answers_the_champion_that_is_current_again():
    """The pointer's new document comes back with 202."""
    world = world_with_champion()
    world.rolled_back = a_champion()

    response = world.post("projects/shop/rollback", {"reason": "worse answers"})

    assert (response.status, read(response)["run_id"]) == (202, "shop-v1-aa")


def test_rollback_to_a_deployment_that_is_gone_starts_making_it_again():
    """The pointer stays until it answers; the answer says so, and when to ask again."""
    world = world_with_champion()
    world.rolled_back = replace(a_champion(), returning=a_champion().current)

    response = world.post("projects/shop/rollback", {"reason": "worse answers"})

    assert response.status == 202
    assert read(response)["returning"]["run_id"] == "shop-v1-aa"
    assert response.headers["Retry-After"] == "60"
    assert response.start is not None
    assert (response.start.name, response.start.instance_id) == ("ask_again", "rollback:shop")
    assert response.start.payload["step"] == "finish_rollback"


def test_rollback_without_a_previous_champion_is_refused():
    """There is no way back from the first champion."""
    response = world_with_champion().post("projects/shop/rollback")

    assert (response.status, read(response)["code"]) == (409, "no-previous-champion")


def test_project_shows_what_is_reserved_spent_and_allowed():
    """Each budget by its name, in US dollars; where there is no limit it is null."""
    world, none = world_with_champion(), BudgetLimits()
    now = world.clock.now()
    held = reserve(Ledger(), run="r", project="shop", high_usd=2.5, limits=none, now=now).ledger
    world.registry.put(LEDGER, held.to_payload())

    budgets = read(world.get("projects/shop"))["budgets"]

    assert budgets["project_day"] == {"reserved": 2.5, "spent": 0.0, "limit": None}
    assert budgets["app_hosting"] == {"reserved": 0.0, "spent": 0.0, "limit": None}

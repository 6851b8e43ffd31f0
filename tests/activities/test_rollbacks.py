"""The way back to the previous champion."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial

import pytest

from activities.champions import change_champion
from activities.rollbacks import finish_rollback, roll_back_champion
from activities.sweeps import sweep
from droptune.domain.champion import Champion, ChampionEntry, roll_back, succeed
from droptune.domain.deployment import DeploymentRequest, DeploymentState
from droptune.domain.errors import OutcomeUnknownError, RequestRejectedError, TransientError
from droptune.domain.ledger import LEDGER, Ledger
from droptune.domain.steps import Later, RollbackRequest
from tests.builders import A_COST, PRODUCTION, World, a_job_file, an_entry, until_done

OLD, NEW, AGAIN = "shop-aaaaaaaaaaaa", "shop-bbbbbbbbbbbb", "shop-aaaaaaaaaaaa-1"
ASKED = RollbackRequest(project="shop")


def deploy(world: World, name: str) -> None:
    """Let a deployment be there and answer."""
    wanted = DeploymentRequest(name=name, model="m", sku="GlobalStandard", capacity=50)
    world.resource_manager.put_deployment(wanted)
    world.azure_openai.deployments.add(name)


def a_replaced_champion(world: World, *, hours: float = 48) -> ChampionEntry:
    """Let a second champion replace the first, whose deployment still lives; return the second."""
    run = world.a_run(job=a_job_file(**PRODUCTION, retention={"rollback_hours": hours}))
    world.at(run, cost=A_COST)
    now = world.clock.now()
    world.crown(an_entry(deployment=OLD))
    entry = an_entry(run.id, deployment=NEW, since=now, settled_at=now)
    for name in (OLD, NEW):
        deploy(world, name)
    succeeded = partial(succeed, entry=entry, project="shop", rollback=timedelta(hours=hours))
    change_champion(world.registry, "shop", succeeded)
    return entry


def a_lost_predecessor(world: World) -> None:
    """Let a champion's predecessor be removed by Azure."""
    a_replaced_champion(world)
    remove(world, OLD)


def remove(world: World, name: str) -> None:
    """Let Azure remove a deployment."""
    world.resource_manager.delete_deployment(name)
    world.azure_openai.deployments.discard(name)


def go_back(world: World) -> Champion | None:
    """Ask for the rollback once, as a person does."""
    rolled: Champion | None = world.call(roll_back_champion, "shop", "Ada", "curt answers")
    return rolled


def finish(world: World) -> Later | None:
    """Ask once whether the rollback is done."""
    answer: Later | None = world.call(finish_rollback, ASKED)
    return answer


def current(world: World) -> ChampionEntry:
    """Return who is champion."""
    champion = world.champion()
    assert champion is not None
    return champion.current


def test_predecessor_that_lives_is_champion_again_at_once() -> None:
    """One conditional write of the pointer, and Azure is asked one question and told nothing."""
    world = World()
    a_replaced_champion(world)
    before = len(world.resource_manager.calls)

    go_back(world)

    shown = current(world)
    assert (shown.deployment, shown.by, shown.reason) == (OLD, "Ada", "curt answers")
    assert world.resource_manager.calls[before:] == ["find_deployment"]
    assert world.registry.calls[-2:] == ["write", "write"]  # the pointer, and its derived history


@pytest.mark.parametrize("hours", [1, 100])
def test_champion_that_is_rolled_back_lives_as_long_as_its_project_says(hours: float) -> None:
    """`rollback_hours` counts for the way forward as it does for the way back."""
    world = World()
    a_replaced_champion(world, hours=hours)

    champion = go_back(world)

    assert champion is not None
    assert champion.keep_previous_until == world.clock.now() + timedelta(hours=hours)


def test_predecessor_that_is_gone_is_deployed_again_before_the_pointer_moves() -> None:
    """Callers keep the champion that answers until the previous one does."""
    world = World()
    a_lost_predecessor(world)

    asked = go_back(world)
    first = finish(world)
    before = current(world).deployment
    world.azure_openai.deployments.add(AGAIN)
    second = finish(world)

    assert asked is not None
    assert asked.current.deployment == NEW
    assert isinstance(first, Later)
    assert before == NEW
    assert second is None
    assert (current(world).deployment, current(world).by) == (AGAIN, "Ada")
    assert set(world.resource_manager.deployments) == {NEW, AGAIN}


def test_rollback_whose_predecessor_cannot_be_looked_up_waits_until_it_can() -> None:
    """Where nobody knows whether it lives, callers are not sent there."""
    world = World()
    a_replaced_champion(world)
    world.resource_manager.fail_next("find_deployment", TransientError("busy"))

    asked = go_back(world)

    assert asked is not None
    assert asked.current.deployment == NEW
    assert asked.returning is not None


def test_rollback_asked_for_twice_is_one() -> None:
    """The first to ask is who asked, and one deployment is made."""
    world = World()
    a_lost_predecessor(world)

    go_back(world)
    finish(world)
    go_back(world)
    finish(world)

    assert [put.name for put in world.resource_manager.puts].count(AGAIN) == 1


def test_crash_at_any_point_rolls_back_once() -> None:
    """Whatever dies in between, the previous champion is deployed once and becomes current once."""
    died, point = True, 0
    while died:
        world = World()
        a_lost_predecessor(world)
        go_back(world)
        world.azure_openai.deployments.add(AGAIN)
        fuse = world.kill_at(point)

        until_done(world, partial(finish, world))

        world.survive()
        champion = world.champion()
        assert champion is not None
        assert [e.deployment for e in champion.history] == [OLD, NEW, AGAIN], point
        assert [put.name for put in world.resource_manager.puts].count(AGAIN) == 1, point
        died, point = fuse.is_burnt, point + 1
    assert point > 5


def test_run_that_is_promoted_meanwhile_ends_the_rollback() -> None:
    """What was to be rolled back is replaced already; what was made for it goes at night."""
    world = World()
    a_lost_predecessor(world)
    go_back(world)
    finish(world)
    now = world.clock.now() + timedelta(hours=1)
    newest = an_entry("shop-v9-99999999", deployment="shop-cccccccccccc", settled_at=now, since=now)
    hour = timedelta(hours=1)
    change_champion(
        world.registry, "shop", partial(succeed, entry=newest, project="shop", rollback=hour)
    )
    world.azure_openai.deployments.add(AGAIN)

    answer = finish(world)

    assert answer is None
    assert current(world).deployment == "shop-cccccccccccc"


def test_rollback_that_azure_refuses_for_good_is_given_up_with_the_reason() -> None:
    """A model that is gone cannot return; the champion stays, and another try may be asked for."""
    world = World()
    a_lost_predecessor(world)
    go_back(world)
    no = RequestRejectedError("The model does not exist.", service_code="DeploymentModelNotFound")
    world.resource_manager.fail_next("put_deployment", no)

    finish(world)

    champion = world.champion()
    assert champion is not None
    assert (champion.current.deployment, champion.returning) == (NEW, None)
    assert "The model does not exist." in champion.return_refused
    assert go_back(world) is not None
    assert isinstance(finish(world), Later)


def test_account_without_a_place_is_waited_for() -> None:
    """It is asked again after minutes."""
    world = World()
    a_lost_predecessor(world)
    go_back(world)
    world.resource_manager.places = 1

    answer = finish(world)

    assert answer == Later(seconds=600, reason="All places are taken.")


def test_deployment_that_fails_is_made_anew() -> None:
    """As long as Azure does not refuse it for good."""
    world = World()
    a_lost_predecessor(world)
    go_back(world)
    world.resource_manager.next_state = DeploymentState.FAILED
    finish(world)
    world.resource_manager.next_state = DeploymentState.SUCCEEDED
    world.azure_openai.deployments.add(AGAIN)

    answer = finish(world)

    assert answer is None
    assert current(world).deployment == AGAIN


def test_lost_answer_of_the_put_makes_no_second_deployment() -> None:
    """The next look finds it by its name."""
    world = World()
    a_lost_predecessor(world)
    go_back(world)
    world.resource_manager.fail_next("put_deployment", OutcomeUnknownError("reset"), after=True)
    with pytest.raises(OutcomeUnknownError):
        finish(world)

    finish(world)

    assert [put.name for put in world.resource_manager.puts].count(AGAIN) == 1


def test_what_is_made_again_counts_among_what_bills() -> None:
    """It is held in the ledger; a person's rollback is not refused for it."""
    world = World()
    entry = a_replaced_champion(world)
    change_champion(world.registry, "shop", lambda now: now and back(world, now))
    remove(world, entry.deployment)
    go_back(world)

    finish(world)

    ledger = Ledger.from_payload(json.loads(world.registry.data(LEDGER)))
    assert [held.deployment for held in ledger.hosting] == [f"{NEW}-1"]


def back(world: World, champion: Champion) -> Champion | None:
    """Return a champion rolled back by somebody else."""
    return roll_back(champion, at=world.clock.now(), by="Bob", reason="")


def test_rollback_whose_instance_was_lost_is_taken_up_by_the_sweep() -> None:
    """What is wished stands in the pointer's document, not in Durable."""
    world = World()
    a_lost_predecessor(world)
    go_back(world)

    asyncio.run(world.call(sweep))
    asyncio.run(world.call(sweep))

    started = [(name, instance) for name, instance, _ in world.orchestrations.started]
    assert started.count(("ask_again", "rollback:shop")) == 1


def test_first_champion_has_nowhere_to_go_back_to() -> None:
    """Nothing is written."""
    world = World()
    world.crown(an_entry())

    assert go_back(world) is None

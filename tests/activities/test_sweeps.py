"""What the timers look after."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.champions import change_champion
from activities.rollbacks import roll_back_champion
from activities.run_records import dump
from activities.sweeps import Failure, install, restore_champions, sweep
from droptune.domain.budget import BudgetLimits
from droptune.domain.champion import succeed
from droptune.domain.dataset import DatasetRef
from droptune.domain.deployment import DeploymentRequest, DeploymentState
from droptune.domain.errors import TransientError
from droptune.domain.hosting import hold_hosting
from droptune.domain.ledger import LEDGER, Ledger
from droptune.domain.phases import Phase
from tests.builders import A_COST, SHOP, World, an_entry, examples
from tests.fakes import CrashError

V2 = DatasetRef(project="shop", version="v2")


def look_round(world: World) -> None:
    """Let the five-minute timer fire."""
    asyncio.run(world.call(sweep))


def deploy(world: World, name: str) -> None:
    """Put a deployment of production's kind."""
    wanted = DeploymentRequest(name=name, model="m", sku="GlobalStandard", capacity=50)
    world.resource_manager.put_deployment(wanted)


def restore(world: World, *, answers: bool = True) -> None:
    """Look once after all champions; what is made for them answers at once, or not yet."""
    stems = [*(f"{name}-aaaaaaaaaaaa" for name in ("shop", "a", "b")), "shop-000000000001"]
    made = [f"{stem}-{n}" for stem in stems for n in (1, 2)]
    world.azure_openai.deployments = set(made if answers else ())
    world.call(restore_champions)


def test_dataset_whose_event_was_lost_is_collected() -> None:
    """The sweep finds what is new."""
    world = World()
    world.drop()

    look_round(world)

    [(name, instance, payload)] = world.orchestrations.started
    assert (name, instance) == ("collect_dataset", SHOP.collector_id)
    assert payload["dataset"] == SHOP.to_payload()


def test_bare_file_whose_event_was_lost_is_collected() -> None:
    """It is as good a drop as a folder."""
    world = World()
    world.datasets.put("shop.jsonl", examples())

    look_round(world)

    ref = DatasetRef(project="shop", version="latest")
    assert [instance for _, instance, _ in world.orchestrations.started] == [ref.collector_id]


def test_known_dataset_is_left_alone() -> None:
    """A sweep over what has its run, ended or not, starts no collection."""
    world = World()
    world.ended(world.a_run(), Phase.FAILED)

    look_round(world)

    assert world.orchestrations.started == []


def test_open_run_without_an_instance_is_started_again() -> None:
    """A task hub that was lost costs time, not the run."""
    world = World()
    run = world.a_run()

    look_round(world)
    look_round(world)

    assert [instance for _, instance, _ in world.orchestrations.started] == [run.id]


def test_ended_run_is_not_started_again() -> None:
    """A run has ended when its record says so."""
    world = World()
    world.ended(world.a_run(), Phase.REJECTED)

    look_round(world)

    assert world.orchestrations.started == []


def test_what_lies_there_at_installation_is_seen_and_not_started() -> None:
    """It is listed, and a later write makes it new."""
    world = World()
    world.registry.blobs.clear()
    world.drop()

    look_round(world)
    seen = list(world.orchestrations.started)
    world.datasets.put("shop/v1/training.jsonl", examples(13))
    look_round(world)

    assert seen == []
    assert len(world.orchestrations.started) == 1
    assert b"seen" in world.registry.data("shop/datasets/v1.json")


def test_installation_that_was_interrupted_is_finished() -> None:
    """A crash while listing leaves nothing that counts as dropped."""
    died = True
    point = 0
    while died:
        world = World()
        world.registry.blobs.clear()
        world.drop()
        world.drop(V2, training=examples(13))
        fuse = world.kill_at(point)

        try:
            world.call(install)
        except CrashError:
            world.call(install)
        world.survive()
        look_round(world)

        assert world.orchestrations.started == [], f"point {point}"
        died, point = fuse.is_burnt, point + 1


def test_champion_that_azure_removed_is_made_again_under_a_new_name() -> None:
    """The pointer moves once the new deployment is there; callers are told by the document."""
    world = World()
    world.crown(an_entry(deployment="shop-aaaaaaaaaaaa"))

    restore(world)

    champion = world.champion()
    assert champion is not None
    assert champion.current.deployment == "shop-aaaaaaaaaaaa-1"
    assert list(world.resource_manager.deployments) == ["shop-aaaaaaaaaaaa-1"]
    assert world.resource_manager.puts[0].model == champion.current.model


def test_champion_that_is_made_again_counts_among_what_bills_before_it_is_made() -> None:
    """What was held for the one that Azure removed is held for the new one, and once."""
    world = World()
    run = world.at(world.a_run(), cost=A_COST)
    world.crown(an_entry(run.id, deployment="shop-aaaaaaaaaaaa"))
    held = hold_hosting(
        Ledger(),
        deployment="shop-aaaaaaaaaaaa",
        project="shop",
        month_usd=1224.0,
        limits=BudgetLimits(),
        now=world.clock.now(),
    )
    world.registry.put(LEDGER, dump(held.ledger.to_payload()))
    seen: list[list[str]] = []
    world.resource_manager.before_next("put_deployment", lambda: seen.append(hosted(world)))

    restore(world)

    assert seen == [["shop-aaaaaaaaaaaa", "shop-aaaaaaaaaaaa-1"]]
    assert hosted(world) == ["shop-aaaaaaaaaaaa-1"]


def hosted(world: World) -> list[str]:
    """Return the deployments that the ledger holds money for."""
    ledger = Ledger.from_payload(json.loads(world.registry.data(LEDGER)))
    return [each.deployment for each in ledger.hosting]


def test_champion_removed_a_second_time_gets_the_next_name() -> None:
    """No name is ever used again."""
    world = World()
    world.crown(an_entry(deployment="shop-aaaaaaaaaaaa"))
    restore(world)
    world.resource_manager.deployments.clear()

    restore(world)

    champion = world.champion()
    assert champion is not None
    assert champion.current.deployment == "shop-aaaaaaaaaaaa-2"


def test_pointer_does_not_move_to_a_deployment_that_is_being_created() -> None:
    """Until it is there, the next sweep looks again."""
    world = World()
    world.crown(an_entry(deployment="shop-aaaaaaaaaaaa"))
    world.resource_manager.next_state = DeploymentState.CREATING

    restore(world)
    before = world.champion()
    world.resource_manager.set_state("shop-aaaaaaaaaaaa-1", DeploymentState.SUCCEEDED)
    restore(world)
    after = world.champion()

    assert before is not None
    assert after is not None
    assert before.current.deployment == "shop-aaaaaaaaaaaa"
    assert after.current.deployment == "shop-aaaaaaaaaaaa-1"
    assert len(world.resource_manager.puts) == 1


def test_pointer_does_not_move_to_a_deployment_that_does_not_answer() -> None:
    """`Succeeded` is not enough: the data plane knows a deployment minutes later."""
    world = World()
    world.crown(an_entry(deployment="shop-aaaaaaaaaaaa"))

    restore(world, answers=False)
    before = world.champion()
    restore(world)
    after = world.champion()

    assert before is not None
    assert after is not None
    assert before.current.deployment == "shop-aaaaaaaaaaaa"
    assert after.current.deployment == "shop-aaaaaaaaaaaa-1"


def test_restoration_that_failed_is_tried_again() -> None:
    """A deployment that ended `Failed` is removed, so that the next sweep can make it."""
    world = World()
    world.crown(an_entry(deployment="shop-aaaaaaaaaaaa"))
    world.resource_manager.next_state = DeploymentState.FAILED
    restore(world)
    world.resource_manager.next_state = DeploymentState.SUCCEEDED

    restore(world)

    champion = world.champion()
    assert champion is not None
    assert champion.current.deployment == "shop-aaaaaaaaaaaa-1"


def test_one_project_that_fails_does_not_keep_others_from_being_looked_after() -> None:
    """The next sweep looks again."""
    world = World()
    for project in ("a", "b"):
        world.crown(an_entry(deployment=f"{project}-aaaaaaaaaaaa"), project=project)
    world.resource_manager.fail_next("find_deployment", TransientError("busy"))

    restore(world)

    assert list(world.resource_manager.deployments) == ["b-aaaaaaaaaaaa-1"]


def replace_champion(world: World, number: int, *, rollback_hours: float = 48) -> None:
    """Let a later dataset's run become the champion."""
    now = world.clock.now()
    entry = an_entry(
        f"shop-v{number}-0000000{number}",
        deployment=f"shop-{number:012x}",
        since=now,
        settled_at=now,
    )
    deploy(world, entry.deployment)
    change_champion(
        world.registry,
        "shop",
        lambda c: succeed(c, entry, project="shop", rollback=timedelta(hours=rollback_hours)),
    )


def test_replaced_champion_lives_for_the_time_of_a_rollback() -> None:
    """It goes when that time is over, and not before."""
    world = World()
    replace_champion(world, 1)
    world.clock.advance(3600)
    replace_champion(world, 2)

    world.clock.advance(47 * 3600)
    restore(world)
    kept = set(world.resource_manager.deployments)
    world.clock.advance(2 * 3600)
    restore(world)

    assert kept == {"shop-000000000001", "shop-000000000002"}
    assert set(world.resource_manager.deployments) == {"shop-000000000002"}


def test_champions_replaced_twice_in_a_day_all_go_in_time() -> None:
    """The one before the previous is not forgotten."""
    world = World()
    for number in (1, 2, 3):
        replace_champion(world, number)
        world.clock.advance(3600)

    world.clock.advance(49 * 3600)
    restore(world)

    assert set(world.resource_manager.deployments) == {"shop-000000000003"}


def test_replaced_champion_lives_twice_the_age_that_callers_may_keep() -> None:
    """Without time for rollbacks, callers still have to notice first."""
    world = World()
    replace_champion(world, 1, rollback_hours=0)
    world.clock.advance(60)
    replace_champion(world, 2, rollback_hours=0)

    world.clock.advance(599)
    restore(world)
    kept = len(world.resource_manager.deployments)
    world.clock.advance(2)
    restore(world)

    assert kept == 2
    assert set(world.resource_manager.deployments) == {"shop-000000000002"}


def test_rolled_back_champion_is_not_retired() -> None:
    """It was due to go once, and is current now."""
    world = World()
    replace_champion(world, 1)
    world.clock.advance(3600)
    replace_champion(world, 2)
    world.call(roll_back_champion, "shop", "Ada", "")

    world.clock.advance(100 * 3600)
    restore(world)

    assert set(world.resource_manager.deployments) == {"shop-000000000001"}


@pytest.mark.parametrize("times", [1, 3])
def test_sweep_of_an_empty_installation_does_nothing(times: int) -> None:
    """Every start is by id, and there is none."""
    world = World()

    for _ in range(times):
        look_round(world)

    assert world.orchestrations.started == []


def test_start_that_fails_keeps_no_other_from_being_started() -> None:
    """The sweep goes on, says which failed, and the next one tries again."""
    world = World()
    for number in range(3):
        world.drop(DatasetRef(project="shop", version=f"v{number}"))
    world.orchestrations.fail_next("ensure_started", TransientError("the hub is away"))

    first = asyncio.run(world.call(sweep))
    started = [instance for _, instance, _ in world.orchestrations.started]
    second = asyncio.run(world.call(sweep))

    v0, v1, v2 = (DatasetRef(project="shop", version=f"v{n}").collector_id for n in range(3))
    assert first == [Failure(what=v0, reason="the hub is away")]
    assert started == [v1, v2]
    assert second == []
    assert {v0, v1, v2} == world.orchestrations.alive


def test_listing_that_fails_keeps_runs_from_nothing() -> None:
    """What lies in one container is not needed for what lies in another."""
    world = World()
    run = world.a_run()
    world.datasets.fail_next("list", TransientError("the storage is busy"))

    failures = asyncio.run(world.call(sweep))

    assert [failed.what for failed in failures] == ["datasets"]
    assert world.orchestrations.alive == {run.id}


def test_live_run_is_looked_after_however_many_ended_since() -> None:
    """Of the ended ones none is read; of those that are live each one is."""
    world = World()
    live = [world.a_run(DatasetRef(project="shop", version=f"v{n}")) for n in range(2)]
    for number in range(600):
        ended = replace(live[0], id=f"shop-z-{number:08d}", phase=Phase.SUCCEEDED)
        world.runs.put(ended.ref.record, json.dumps(ended.to_payload()))
        row = {"project": "shop", "id": ended.id}
        world.runs.put(f"_index/{number:014d}-{ended.id}", json.dumps(row))
    look_round(world)
    reads = world.runs.calls.count("find")

    look_round(world)

    assert world.orchestrations.alive == {run.id for run in live}
    assert world.runs.calls.count("find") - reads < 20


def test_run_that_was_live_before_marks_were_kept_is_looked_after() -> None:
    """An upgrade forgets nobody."""
    world = World()
    run = world.a_run()
    world.runs.delete(run.ref.mark)

    look_round(world)

    assert world.orchestrations.alive == {run.id}
    assert run.ref.mark in world.runs.names()


def test_mark_goes_with_the_runs_end_and_what_a_crash_left_goes_later() -> None:
    """A list of live runs stays as short as they are few."""
    world = World()
    run = world.a_run()
    world.ended(run)
    gone = run.ref.mark not in world.runs.names()
    world.records.mark(run.ref)
    look_round(world)
    while_young = run.ref.mark in world.runs.names()
    world.clock.advance(3700)

    look_round(world)

    assert (gone, while_young) == (True, True)
    assert run.ref.mark not in world.runs.names()


def test_crash_at_any_point_of_a_registration_leaves_no_live_run_unmarked() -> None:
    """The mark comes before the record."""
    died, point = True, 0
    while died:
        world = World()
        world.drop()
        fuse = world.kill_at(point)
        with suppress(CrashError):
            world.wish(SHOP)
        world.survive()

        records = [name for name in world.runs.names() if name.endswith("/run.json")]

        assert len(list(world.records.list_open())) == len(records), point
        died, point = fuse.is_burnt, point + 1
    assert point > 5

"""What nobody needs is listed with its reason and deleted; what came to be needed stays."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from activities.fine_tuning_jobs import create_fine_tuning_job
from activities.leftovers import Leftovers
from droptune.domain.champion import Champion, succeed
from droptune.domain.dataset import DatasetRef
from droptune.domain.deployment import DeploymentRequest
from droptune.domain.errors import RequestRejectedError
from droptune.domain.phases import Phase
from droptune.domain.retention import Sweep
from droptune.domain.run import RunRecord
from tests.builders import World, an_entry, examples
from tests.fakes import CrashError

HOUR = 3600


def leftovers(world: World) -> Leftovers:
    return Leftovers(
        records=world.records,
        registry=world.registry,
        azure_openai=world.azure_openai,
        resource_manager=world.resource_manager,
        clock=world.clock,
    )


def states(sweep: Sweep) -> dict[str, str]:
    return {each.name: each.state for each in sweep.deletions}


def deploy(world: World, name: str) -> str:
    """Put a deployment that bills by the hour."""
    wanted = DeploymentRequest(name=name, model="m", sku="GlobalStandard", capacity=50)
    return world.resource_manager.put_deployment(wanted).name


def an_ended_run(world: World, version: str = "v1", phase: Phase = Phase.FAILED) -> RunRecord:
    """Return a run that ended two hours ago and left a deployment and its file."""
    run = world.a_ready_run(DatasetRef(project="shop", version=version))
    deploy(world, f"shop-{run.run_digest[:12]}")
    ended = world.ended(run, phase)
    world.clock.advance(2 * HOUR)
    return ended


def deployment_of(run: RunRecord) -> str:
    return f"shop-{run.run_digest[:12]}"


def test_dry_run_says_what_would_go_and_why_and_touches_nothing() -> None:
    """Every line names the thing, its run and the reason."""
    world = World()
    run = an_ended_run(world)
    [file] = world.azure_openai.files

    found = leftovers(world).find()

    assert found.dry_run
    assert [(each.what, each.name, each.run, each.state) for each in found.deletions] == [
        ("deployment", deployment_of(run), run.id, "due"),
        ("file", file, run.id, "due"),
    ]
    assert all(run.id in each.why for each in found.deletions)
    assert deployment_of(run) in world.resource_manager.deployments
    assert file in world.azure_openai.files


def test_sweep_deletes_what_the_dry_run_named_and_a_second_finds_nothing() -> None:
    """Repeating it is safe."""
    world = World()
    run = an_ended_run(world)
    named = leftovers(world).find()

    swept = leftovers(world).delete()
    again = leftovers(world).delete()

    assert states(swept) == {each.name: "deleted" for each in named.deletions}
    assert deployment_of(run) in states(swept)
    assert again == Sweep(dry_run=False)
    assert world.azure_openai.files == {}
    assert world.resource_manager.deployments == {}


def test_deployments_of_champions_open_runs_and_strangers_stay() -> None:
    """Only what an ended run left goes."""
    world = World()
    ended, current, running = (
        world.a_run(DatasetRef(project="shop", version=f"v{n}"), training=examples(12 + n))
        for n in range(3)
    )
    for run in (ended, current, running):
        deploy(world, deployment_of(run))
    deploy(world, "shop-aaaaaaaaaaaa")
    world.ended(ended)
    world.ended(current, Phase.SUCCEEDED)
    world.crown(an_entry(current.id, deployment=deployment_of(current)))
    world.clock.advance(2 * HOUR)

    leftovers(world).delete()

    assert set(world.resource_manager.deployments) == {
        deployment_of(current),
        deployment_of(running),
        "shop-aaaaaaaaaaaa",
    }


def crown(world: World, run: RunRecord) -> Champion:
    """Promote a run at this moment, over whichever is the champion."""
    now = world.clock.now()
    entry = an_entry(run.id, deployment=deployment_of(run), since=now, settled_at=run.settled_at)
    rollback = timedelta(hours=1)
    champion = succeed(world.champion(), entry, project="shop", rollback=rollback)
    assert champion is not None
    world.registry.put("shop/champion.json", json.dumps(dict(champion.to_document())))
    return champion


def test_predecessor_stays_as_long_as_a_rollback_may_need_it() -> None:
    """Then it goes; its model is kept."""
    world = World()
    first = an_ended_run(world, "v1", Phase.SUCCEEDED)
    second = an_ended_run(world, "v2", Phase.SUCCEEDED)
    crown(world, first)
    crown(world, second)

    in_time = states(leftovers(world).delete())
    world.clock.advance(HOUR + 1)
    late = states(leftovers(world).delete())

    assert deployment_of(first) not in in_time
    assert late == {deployment_of(first): "deleted"}
    assert set(world.resource_manager.deployments) == {deployment_of(second)}


def test_file_of_a_failed_run_stays_while_its_job_trains() -> None:
    """Whoever repeats the run adopts the job, which reads the file."""
    world = World()
    run = world.a_ready_run()
    world.ask(create_fine_tuning_job, run)
    world.ended(run)
    world.clock.advance(2 * HOUR)

    while_it_trains = leftovers(world).delete()
    world.azure_openai.set_job(world.only_job().id, status="failed")
    once_it_has_ended = leftovers(world).delete()

    assert while_it_trains.deletions == ()
    assert list(states(once_it_has_ended).values()) == ["deleted"]
    assert world.azure_openai.files == {}


@pytest.mark.parametrize(("phase", "hours"), [(Phase.CANCELLED, 2), (Phase.FAILED, 25)])
def test_running_job_that_nobody_needs_is_cancelled_and_never_adopted(
    phase: Phase, hours: int
) -> None:
    """Of a failed run once nobody has repeated it for a day, of others at once."""
    world = World()
    run = world.a_ready_run()
    world.ask(create_fine_tuning_job, run)
    world.ended(run, phase)
    world.clock.advance(hours * HOUR)

    swept = leftovers(world).delete()

    job = world.only_job()
    assert states(swept)[job.id] == "deleted"
    assert job.status == "cancelled"
    assert [each.cancelled for each in world.claim(run).submissions] == [True]


def test_job_that_a_repetition_adopts_meanwhile_goes_on() -> None:
    """Whether it is needed is asked once more, while nobody else can adopt it."""
    world = World()
    run = world.a_ready_run()
    world.ask(create_fine_tuning_job, run)
    world.ended(run)
    world.clock.advance(25 * HOUR)
    sweep = leftovers(world)
    due = sweep.find()
    world.registry.before_next("acquire_lease", lambda: world.repeat(run))

    swept = sweep.delete()

    assert states(due)[world.only_job().id] == "due"
    assert states(swept)[world.only_job().id] == "kept"
    assert world.only_job().status == "pending"


def test_file_that_a_new_run_needs_meanwhile_stays() -> None:
    """A run with the same data began between the look and the deletion."""
    world = World()
    run = world.a_ready_run()
    world.ended(run)
    world.clock.advance(2 * HOUR)
    left = deploy(world, deployment_of(run))
    world.clock.advance(2 * HOUR)
    world.resource_manager.before_next("delete_deployment", lambda: world.repeat(run))

    swept = leftovers(world).delete()

    [file] = world.azure_openai.files
    assert states(swept) == {left: "deleted", file: "kept"}


def test_deployment_that_becomes_the_champion_meanwhile_stays() -> None:
    """The pointer is read again just before."""
    world = World()
    first = an_ended_run(world, "v1", Phase.SUCCEEDED)
    second = an_ended_run(world, "v2", Phase.SUCCEEDED)
    world.resource_manager.before_next("delete_deployment", lambda: crown(world, first))
    world.resource_manager.deployments = {
        name: world.resource_manager.deployments[name]
        for name in (deployment_of(second), deployment_of(first))
    }

    swept = leftovers(world).delete()

    assert states(swept)[deployment_of(first)] == "kept"
    assert deployment_of(first) in world.resource_manager.deployments


def test_what_azure_refuses_is_said_and_the_rest_goes() -> None:
    """A lock on one thing does not keep the others; the next sweep tries again."""
    world = World()
    run = an_ended_run(world)
    refusal = RequestRejectedError("deleting: 409 ScopeLocked", status=409)
    world.resource_manager.fail_next("delete_deployment", refusal)

    swept = leftovers(world).delete()
    again = leftovers(world).delete()

    refused, deleted = swept.deletions
    assert (refused.state, refused.message) == ("refused", "deleting: 409 ScopeLocked")
    assert deleted.state == "deleted"
    assert states(again) == {deployment_of(run): "deleted"}


def test_second_file_of_the_same_content_goes_once_its_run_has_ended() -> None:
    """Two workers may both upload, and the record names one file; what is young stays."""
    world = World()
    run = world.a_ready_run()
    [own] = world.azure_openai.files.values()
    world.azure_openai.files["file-x"] = replace(own, id="file-x")
    world.clock.advance(2 * HOUR)
    while_it_is_open = leftovers(world).delete()
    world.ended(run)
    just_ended = leftovers(world).delete()
    world.clock.advance(HOUR)

    swept = leftovers(world).delete()

    assert while_it_is_open.deletions == just_ended.deletions == ()
    assert states(swept) == {own.id: "deleted", "file-x": "deleted"}


def test_files_of_strangers_are_left_alone() -> None:
    """Only what a record of ours names is deleted."""
    world = World()
    run = world.a_ready_run()
    [own] = world.azure_openai.files.values()
    world.azure_openai.files["file-x"] = replace(own, id="file-x", name="theirs.jsonl")
    world.ended(run)
    world.clock.advance(2 * HOUR)

    leftovers(world).delete()

    assert list(world.azure_openai.files) == ["file-x"]


def test_run_older_than_the_newest_hundreds_still_keeps_what_it_needs() -> None:
    """However many runs began since: none is forgotten."""
    world = World()
    waiting = world.a_ready_run()
    for number in range(520):
        index = f"_index/{10_000_000_000_000 - number:014d}-other-{number}"
        world.runs.put(index, json.dumps({"id": f"other-{number}"}))
    ended = world.a_run(DatasetRef(project="shop", version="v2"))
    world.at(ended, files=waiting.files)
    world.ended(ended)
    world.clock.advance(2 * HOUR)

    swept = leftovers(world).delete()

    assert swept.deletions == ()
    assert list(world.azure_openai.files) == list(waiting.files.values())


def test_sweep_that_is_killed_anywhere_is_finished_by_the_next() -> None:
    """Whatever was done is done, and the rest goes; what is needed stays."""
    point, died = 0, True
    while died:
        world = World()
        ended = an_ended_run(world, "v1", Phase.CANCELLED)
        needed = an_ended_run(world, "v2", Phase.SUCCEEDED)
        crown(world, needed)
        fuse = world.kill_at(point)
        with suppress(CrashError):
            leftovers(world).delete()
        died = fuse.is_burnt
        world.survive()

        leftovers(world).delete()

        assert set(world.resource_manager.deployments) == {deployment_of(needed)}, point
        assert deployment_of(ended) not in world.resource_manager.deployments
        assert world.azure_openai.files == {}
        point += 1
    assert point > 10

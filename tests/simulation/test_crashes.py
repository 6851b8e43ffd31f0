"""A crash is what `kill -9` is: nothing that the process does afterwards reaches anything."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from droptune.domain.messages import Message
from simulation.faults import CrashError, Faults
from simulation.world import World


@pytest.fixture
def dead() -> Iterator[World]:
    """Yield a world whose process has died."""
    world = World(seed=1, faults=Faults(seed=1, rates={}))
    world.registry.put("claim", b"{}")
    with pytest.raises(CrashError):
        world.crash("here")
    yield world
    world.close()


def _post(world: World) -> None:
    said = Message(id="x", body=b"{}", content_type="application/json")
    world.receiver.post("NOTIFY_SIMULATED", said, {})


@pytest.mark.parametrize(
    "act",
    [
        lambda world: world.services.azure_openai.get_job("ftjob-1"),
        lambda world: world.services.azure_openai.cancel_job("ftjob-1"),
        lambda world: world.services.resource_manager.delete_deployment("x"),
        lambda world: world.registry.write("claim", b"[]"),
        lambda world: world.registry.find("claim"),
        lambda world: world.registry.delete("claim"),
        lambda world: list(world.runs.list("")),
        lambda world: list(world.datasets.open("a/b/training.jsonl")),
        lambda world: world.registry.acquire_lease("claim", 60),
        lambda world: world.registry.release_lease("claim", "lease-1"),
        lambda world: world.engine.start("collect_dataset", "x", "{}"),
        lambda world: world.engine.raise_event("x", "wake", "{}"),
        _post,
    ],
)
def test_dead_process_reaches_nothing(dead: World, act: Callable[[World], object]) -> None:
    """No `finally` and no handler does what it would do in a process that lives."""
    with pytest.raises(CrashError):
        act(dead)

    assert dead.registry.blobs["claim"].data == b"{}"
    assert dead.hub.list_instances() == []


def test_no_handler_of_the_app_survives_a_crash(dead: World) -> None:
    """Not even one that catches every Exception: the crash passes through the whole function."""
    with pytest.raises(CrashError):
        dead.functions.call("look_round", SimpleNamespace(past_due=False))


def test_next_process_finds_what_was_stored(dead: World) -> None:
    """What was written stays, what was remembered is gone."""
    dead.start_host()

    assert dead.registry.find("claim") is not None

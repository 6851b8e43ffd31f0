"""The registrar knows of an app what the SDK's app knows of it."""

from __future__ import annotations

from devhost.functions import Function, functions_of
from simulation.faults import Faults
from simulation.registration import Registrar
from simulation.world import World, load_function_app


def known(function: Function) -> tuple[str, str, str, str | None]:
    """Return by what a function is found and called."""
    return function.name, function.kind, str(function.trigger["name"]), function.client


def test_registrar_knows_every_function_as_the_sdk_does() -> None:
    """Names, triggers and arguments are those that the SDK's own app tells the host."""
    world = World(seed=1, faults=Faults(seed=1, rates={}))
    module, registrar = load_function_app(), Registrar()
    world.close()

    module.register(registrar, world.services)

    ours = sorted(map(known, registrar.functions), key=str)
    assert ours == sorted(map(known, functions_of(module.build_app(world.services))), key=str)
    assert len(ours) > 30

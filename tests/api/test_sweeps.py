"""The sweep on demand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from droptune.api import openapi
from droptune.domain.retention import Deletion, Sweep
from tests.api.world import URL, World, read

GONE = Deletion(what="file", name="file-1", why="The run r has ended.", run="r", state="deleted")


def world_that_sweeps(asked: list[bool]) -> World:
    world = World()

    def sweep(dry_run: bool) -> Sweep:
        asked.append(dry_run)
        state = "due" if dry_run else "deleted"
        return Sweep(dry_run=dry_run, deletions=(replace(GONE, state=state),))

    world.services = replace(world.services, sweep=sweep)
    return world


@pytest.mark.parametrize(
    ("body", "dry_run"),
    [(None, False), ({}, False), ({"dry_run": False}, False), ({"dry_run": True}, True)],
)
def test_sweep_deletes_unless_it_is_asked_to_list_only(body: Any, dry_run: bool) -> None:
    """The answer says which it was, and what came of each thing, as the schema promises."""
    asked: list[bool] = []

    response = world_that_sweeps(asked).post("sweep", body)

    document = openapi.document([], "1", URL)
    jsonschema.validate(read(response), document | {"$ref": "#/components/schemas/Sweep"})
    assert response.status == 200
    assert asked == [dry_run]
    assert read(response)["dry_run"] is dry_run
    assert read(response)["deletions"][0]["state"] == ("due" if dry_run else "deleted")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"dry_run": "true"}, "wrong-type"),
        ({"dryrun": True}, "unknown-key"),
        (b"[]", "not-an-object"),
        (b"{", "not-json"),
    ],
)
def test_sweep_that_is_not_clearly_asked_for_touches_nothing(body: Any, code: str) -> None:
    """A misspelt dry run must not delete."""
    asked: list[bool] = []

    response = world_that_sweeps(asked).post("sweep", body)

    assert (response.status, read(response)["code"]) == (400, code)
    assert asked == []

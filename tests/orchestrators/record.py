"""Writes this version's histories: python -m tests.orchestrators.record.

Real orchestrators and activities run on the engine against fakes, one story after the other.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from droptune import __version__
from droptune.domain.errors import RequestRejectedError
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import PromotionRequest, waiting_instances
from tests.app_in_memory import services_of
from tests.builders import PRODUCTION, SHOP, World, a_job_file, an_entry, examples
from tests.line_in_memory import ORCHESTRATORS, Line, a_line, move_on
from tests.orchestrators.recordings import FOLDER, executions

CHANGELOG = Path(__file__).parents[2] / "CHANGELOG.md"
Story = Callable[[World, Line], None]


def released() -> set[str]:
    """Return the versions that the changelog names as released."""
    return set(re.findall(r"^## \[?v?(\d+\.\d+\.\d+)", CHANGELOG.read_text("utf-8"), re.M))


def drop(
    world: World, line: Line, *, job: str = "", training: str = "", validation: str = ""
) -> None:
    """Drop a dataset and go on until nothing is left to do."""
    more = {"validation": validation} if validation else {}
    world.drop(
        SHOP,
        job=job or a_job_file(**PRODUCTION),
        training=training or examples(),
        **more,
    )
    line.notice(SHOP)
    line.run()


def say_when(line: Line, word: str, *phases: Phase, about: str = "") -> None:
    """Let a person say a word once, as soon as a run is in one of some phases."""
    said: set[str] = set()

    def look(world: World) -> None:
        for run in world.records.list_open():
            if run.phase in phases and run.id not in said:
                said.add(run.id)
                world.say(run, word, about=about)
                for instance in waiting_instances(run.id):
                    asyncio.run(line.orchestrations.wake(instance))
        move_on(world)

    line.while_resting = look


def promoted(world: World, line: Line) -> None:
    """A drop becomes the champion."""
    drop(world, line, validation=examples(3, answer="Another."))


def planned(world: World, line: Line) -> None:
    """Without a model there is a report and nothing more."""
    drop(world, line, job="{}")


def rejected(world: World, line: Line) -> None:
    """Bad data ends the run before a cent."""
    drop(world, line, training='{"messages": []}\n')


def cancelled(world: World, line: Line) -> None:
    """A person cancels while it trains."""
    say_when(line, "cancel", Phase.TRAINING)
    drop(world, line)


def approved(world: World, line: Line) -> None:
    """A person approves the training, and then that the champion is replaced."""
    world.crown(an_entry())
    job = a_job_file(approval={"training": "always", "promotion": "replace"}, **PRODUCTION)
    say_when(line, "approve", Phase.AWAITING_APPROVAL, about="training")
    first = line.while_resting
    say_when(line, "approve", Phase.AWAITING_PROMOTION, about="promotion")
    second = line.while_resting

    def both(world: World) -> None:
        (first or move_on)(world)
        (second or move_on)(world)

    line.while_resting = both
    drop(world, line, job=job)


def refused(world: World, line: Line) -> None:
    """A person says no to the training."""
    say_when(line, "reject", Phase.AWAITING_APPROVAL, about="training")
    drop(world, line, job=a_job_file(approval={"training": "always"}))


def failed(world: World, line: Line) -> None:
    """The service refuses the job for good."""
    world.azure_openai.fail_next("create_job", RequestRejectedError("400"))
    drop(world, line)


def job_failed(world: World, line: Line) -> None:
    """The job itself fails."""

    def fail(world: World) -> None:
        for job in list(world.azure_openai.jobs.values()):
            if not job.status.is_terminal:
                world.azure_openai.fail_job(job.id, "x", "It failed.")
        move_on(world)

    line.while_resting = fail
    drop(world, line)


def promoted_later(world: World, line: Line) -> None:
    """Nobody answers, and a person promotes the kept model days on."""
    world.crown(an_entry())
    drop(world, line)
    [run] = [each for each in world.records.list_newest() if each.project == SHOP.project]
    world.clock.advance(5 * 24 * 3600)
    _promote(world, line, run)


def _promote(world: World, line: Line, run: RunRecord) -> None:
    asked = services_of(world).api.promote(run.ref, "Ada", "after all")
    request = PromotionRequest(run=run.ref, promotion=asked.attempt)
    payload = request.to_payload()
    started = line.orchestrations.ensure_started("promote_model", request.instance_id, payload)
    asyncio.run(started)
    line.run()


STORIES: tuple[Story, ...] = (
    promoted,
    planned,
    rejected,
    cancelled,
    approved,
    refused,
    failed,
    job_failed,
    promoted_later,
)


def record(story: Story) -> str:
    """Play a story and return its executions as they are kept."""
    world = World()
    line = a_line(world)
    story(world, line)
    names = {each.__name__: each for each in ORCHESTRATORS}
    told = [json.dumps(each, sort_keys=True) for each in executions(line.payloads, names)]
    return "[\n" + ",\n".join(told) + "\n]\n"


def main() -> int:
    """Write every story's file; a released version's histories are never written again."""
    if __version__ in released():
        sys.stderr.write(
            f"{__version__} is released, and keeps its histories: raise the version.\n"
        )
        return 1
    folder = FOLDER / __version__
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for story in STORIES:
        (folder / f"{story.__name__}.json").write_text(record(story), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

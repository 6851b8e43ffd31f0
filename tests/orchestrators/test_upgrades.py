"""An upgrade finds instances in flight: what every version left behind is replayed by this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from droptune import __version__
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRef
from droptune.domain.steps import STEPS, EndRequest
from orchestrators import steps
from orchestrators.fine_tune_model import fine_tune_model
from orchestrators.steps import Context, Step
from tests.app_in_memory import load_function_app
from tests.orchestrators.record import STORIES, released
from tests.orchestrators.recordings import Recording, misfit, recordings, versions

ALL = recordings()


def registered() -> dict[str, Callable[..., Any]]:
    return {each.__name__: each for each in load_function_app().ORCHESTRATORS}


@pytest.mark.parametrize("recording", ALL, ids=str)
def test_history_of_each_version_is_replayed_to_the_same_steps(recording: Recording) -> None:
    """An instance that an older version began goes on in this one as if nothing had happened."""
    orchestrator = registered().get(recording.orchestrator)

    assert orchestrator is not None, (
        f"{recording.orchestrator} is not registered any more: an instance that {recording.version}"
        " began would wait for ever. Keep it until the last of them has ended."
    )
    assert misfit(recording, orchestrator) == ""


@pytest.mark.parametrize("version", versions())
def test_what_older_versions_asked_activities_is_understood(version: str) -> None:
    """An activity that was scheduled before an upgrade runs after it."""
    asked = [
        (name, request)
        for recording in ALL
        if recording.version == version
        for name, request in recording.requests()
    ]

    assert len(asked) >= 20
    for name, request in asked:
        assert STEPS[name].request.from_payload(request)


def test_histories_of_this_and_of_every_released_version_are_kept() -> None:
    """Every story of this version, and every orchestrator in one of them at least."""
    now = [recording for recording in ALL if recording.version == __version__]

    assert {*released(), __version__} <= set(versions())
    assert {recording.story for recording in now} == {story.__name__ for story in STORIES}
    assert {recording.orchestrator for recording in now} == set(registered())


@pytest.mark.parametrize(
    ("story", "end"),
    [
        ("promoted", ("succeeded", "promoted")),
        ("planned", ("succeeded", "planned")),
        ("rejected", ("rejected", "none")),
        ("cancelled", ("cancelled", "none")),
        ("approved", ("succeeded", "promoted")),
        ("refused", ("rejected", "none")),
        ("failed", ("failed", "none")),
        ("job_failed", ("failed", "none")),
        ("promoted_later", ("succeeded", "not_promoted")),
    ],
)
def test_recorded_story_ended_as_it_is_called(story: str, end: tuple[str, str]) -> None:
    """A story that went another way would guard nothing."""
    now = [each for each in ALL if (each.version, each.story) == (__version__, story)]
    asked = [request for each in now for name, request in each.requests() if name == "end_run"]

    assert {(request["phase"], request["outcome"]) for request in asked} == {end}


RUN = RunRef(project="shop", id="shop-v1-80819640")
END = EndRequest(run=RUN, phase=Phase.SUCCEEDED, outcome=Outcome.PLANNED)


def planned(context: Context) -> Step[Any]:
    run = RunRef.from_payload(context.get_input() or {})
    yield from steps.validate_dataset(context, run)
    yield from steps.estimate_cost(context, run)
    end = EndRequest(run=run, phase=Phase.SUCCEEDED, outcome=Outcome.PLANNED)
    return (yield from steps.end_run(context, run, end))


def swapped(context: Context) -> Step[Any]:
    run = RunRef.from_payload(context.get_input() or {})
    yield from steps.estimate_cost(context, run)
    yield from steps.validate_dataset(context, run)
    return (yield from steps.end_run(context, run, END))


def one_more(context: Context) -> Step[Any]:
    run = RunRef.from_payload(context.get_input() or {})
    yield from steps.validate_dataset(context, run)
    yield from steps.check_account(context, run)
    yield from steps.estimate_cost(context, run)
    return (yield from steps.end_run(context, run, END))


def one_less(context: Context) -> Step[Any]:
    run = RunRef.from_payload(context.get_input() or {})
    yield from steps.validate_dataset(context, run)
    return (yield from steps.end_run(context, run, END))


def none_at_the_end(context: Context) -> Step[Any]:
    run = RunRef.from_payload(context.get_input() or {})
    yield from steps.validate_dataset(context, run)
    yield from steps.estimate_cost(context, run)
    return {}


def asked_elsewhere(context: Context) -> Step[Any]:
    run = RunRef.from_payload(context.get_input() or {})
    yield from steps.validate_dataset(context, run)
    yield from steps.await_approval(context, run, "training")
    return (yield from steps.end_run(context, run, END))


def more_at_the_end(context: Context) -> Step[Any]:
    told = yield from planned(context)
    yield from steps.keep_results(context, RUN)
    return told


def the_planned_run() -> Recording:
    return next(r for r in ALL if (r.story, r.orchestrator) == ("planned", "fine_tune_model"))


@pytest.mark.parametrize("changed", [swapped, one_more, one_less, none_at_the_end, asked_elsewhere])
def test_changed_order_of_steps_is_found_and_says_what_to_do(changed: Callable[..., Any]) -> None:
    """Two steps that changed places, one between, one less, another kind of asking."""
    said = misfit(the_planned_run(), changed)

    assert f"{__version__}/planned: fine_tune_model" in said
    assert "asked for" in said
    assert "new name" in said
    assert "python -m tests.orchestrators.record" in said


@pytest.mark.parametrize("same", [fine_tune_model, planned, more_at_the_end])
def test_order_that_was_kept_is_no_misfit(same: Callable[..., Any]) -> None:
    """Also with another body, and with a step after all that was."""
    assert misfit(the_planned_run(), same) == ""

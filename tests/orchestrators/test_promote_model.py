"""The story of a promotion that is asked for after a run's end, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from devhost.durable.replay import OrchestrationFailedError, Replay
from droptune.domain.steps import promoting_instances
from orchestrators.ask_again import ask_again
from orchestrators.promote_model import promote_model

YES = {"value": {"yes": True, "outcome": "promoted", "message": "it answers"}}
DONE: dict[str, Any] = {"value": {}}
ANSWERS = {
    "create_deployment": YES,
    "test_deployment": DONE,
    "promote_deployment": YES,
    "end_promotion": DONE,
}


def a_replay(**answers: Any) -> Replay:
    """Return a replay of a promotion that goes all the way unless answers say otherwise."""
    return Replay(
        input={"run": {"project": "shop", "id": "shop-v1-aa"}, "promotion": 2},
        answers=ANSWERS | answers,
        orchestrators=(ask_again,),
    )


def end_of(replay: Replay) -> Any:
    """Return how the promotion was asked to end; it is asked once."""
    [given] = [given for name, given in replay.calls if name == "end_promotion"]
    return given


def test_model_is_deployed_tried_and_promoted_in_this_order() -> None:
    """Nothing is trained, and the run's own line is not begun again."""
    replay = a_replay()

    output = replay.run(promote_model)

    assert replay.names() == list(ANSWERS)
    assert end_of(replay)["problem"] is None
    assert output == {"run": "shop-v1-aa", "promotion": 2, "ended": {}}


def test_every_step_says_that_a_promotion_asks() -> None:
    """So it works on a run that has ended, and for this attempt alone."""
    replay = a_replay()

    replay.run(promote_model)

    assert {given["promotion"] for _, given in replay.calls} == {2}


@pytest.mark.parametrize("step", ["create_deployment", "promote_deployment"])
def test_no_of_a_step_ends_the_promotion_with_its_reason(step: str) -> None:
    """The run keeps its own end; the promotion has its own."""
    replay = a_replay(**{step: {"value": {"yes": False, "message": "Too dear."}}})

    replay.run(promote_model)

    assert end_of(replay)["problem"]["message"] == "Too dear."


def test_cancelled_promotion_is_ended_too() -> None:
    """A step that says that a person has cancelled is the end, not a failure."""
    ended = {"code": "cancelled", "message": "Cancelled.", "remedy": "", "phase": "succeeded"}
    replay = a_replay(test_deployment={"ended": ended})

    replay.run(promote_model)

    assert end_of(replay)["problem"]["code"] == "cancelled"
    assert "promote_deployment" not in replay.names()


def test_step_that_fails_for_good_is_noted_before_the_orchestration_fails() -> None:
    """The record says why; the host shows a failure."""
    failed = {"code": "request-rejected", "message": "No such model.", "remedy": ""}
    replay = a_replay(create_deployment={"error": failed})

    with pytest.raises(OrchestrationFailedError):
        replay.run(promote_model)

    assert end_of(replay)["problem"]["message"] == "No such model."


def test_whoever_sleeps_for_a_promotion_can_be_woken() -> None:
    """The instances that a word wakes are those that the orchestration starts."""
    replay = a_replay()

    replay.run(promote_model)

    slept = replay.instances - {"main"}
    assert len(slept) >= 2
    assert slept <= set(promoting_instances("shop-v1-aa", 2))

"""The story of a run, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from devhost.durable.replay import OrchestrationFailedError, Replay
from orchestrators.ask_again import ask_again
from orchestrators.fine_tune_model import fine_tune_model
from orchestrators.wait_for_job import wait_for_job

DONE = {"value": {}}
YES = {"value": {"yes": True, "outcome": "promoted", "message": "it answers"}}
WHOLE_LINE = {
    "validate_dataset": {"value": {"roles": ["training", "validation"]}},
    "estimate_cost": {"value": {"trains": True}},
    "check_account": DONE,
    "await_approval": DONE,
    "admit_run": DONE,
    "upload_training_file": DONE,
    "create_fine_tuning_job": DONE,
    "get_fine_tuning_job": YES,
    "keep_results": DONE,
    "create_deployment": YES,
    "test_deployment": DONE,
    "decide_promotion": YES,
    "promote_deployment": YES,
    "end_run": DONE,
}


def a_replay(**answers: Any) -> Replay:
    return Replay(
        input={"project": "shop", "id": "shop-v1-aa"},
        answers=WHOLE_LINE | answers,
        orchestrators=(wait_for_job, ask_again),
    )


def end_of(replay: Replay) -> Any:
    return next(given for name, given in replay.calls if name == "end_run")


def test_whole_line_asks_every_step_in_order() -> None:
    """A run goes from the report to the champion in this order, and ends once."""
    replay = a_replay()

    replay.run(fine_tune_model)

    assert replay.names() == [
        "validate_dataset",
        "estimate_cost",
        "check_account",
        "admit_run",
        "upload_training_file",
        "upload_training_file",
        "create_fine_tuning_job",
        "get_fine_tuning_job",
        "keep_results",
        "create_deployment",
        "test_deployment",
        "decide_promotion",
        "create_deployment",
        "test_deployment",
        "promote_deployment",
        "end_run",
    ]
    assert end_of(replay)["outcome"] == "promoted"


def test_plan_ends_before_anything_is_asked_of_azure() -> None:
    """A run that does not train ends planned after the estimate."""
    replay = a_replay(estimate_cost={"value": {"trains": False}})

    replay.run(fine_tune_model)

    assert replay.names() == ["validate_dataset", "estimate_cost", "end_run"]
    assert end_of(replay)["outcome"] == "planned"


def test_costly_training_waits_for_approval() -> None:
    """Nothing is admitted before a person approves what is over the budget."""
    replay = a_replay(estimate_cost={"value": {"trains": True, "needs_approval": True}})

    replay.run(fine_tune_model)

    names = replay.names()
    assert names.index("await_approval") < names.index("admit_run")


@pytest.mark.parametrize(
    "step", ["validate_dataset", "check_account", "await_approval", "get_fine_tuning_job"]
)
def test_reasoned_no_ends_the_run_without_failing(step: str) -> None:
    """A step that ends the run closes the record with its reason; the orchestration completes."""
    no = {"code": "some-reason", "message": "No.", "remedy": "", "phase": "rejected"}
    approval = {"value": {"trains": True, "needs_approval": True}}
    replay = a_replay(**{"estimate_cost": approval, step: {"ended": no | {"outcome": ""}}})

    replay.run(fine_tune_model)

    assert end_of(replay)["phase"] == "rejected"
    assert end_of(replay)["problem"]["code"] == "some-reason"


def test_permanent_error_closes_the_record_and_fails() -> None:
    """A step that failed for good ends the run `failed`, then fails the orchestration."""
    error = {"code": "request-rejected", "message": "400", "remedy": ""}
    replay = a_replay(create_fine_tuning_job={"error": error})

    with pytest.raises(OrchestrationFailedError):
        replay.run(fine_tune_model)

    assert end_of(replay)["phase"] == "failed"
    assert end_of(replay)["problem"]["code"] == "request-rejected"


def test_raising_activity_is_tried_four_times() -> None:
    """What an activity raises is tried again for seconds, then the run fails."""
    replay = a_replay(check_account=ConnectionError("gone"))

    with pytest.raises(OrchestrationFailedError):
        replay.run(fine_tune_model)

    assert replay.names().count("check_account") == 4


@pytest.mark.parametrize("polls", [10, 100, 1000])
def test_polling_longer_does_not_lengthen_any_history(polls: int) -> None:
    """However often a job is polled, no execution has more than 150 rows."""
    later = {"later": 30, "reason": "running"}
    replay = a_replay(get_fine_tuning_job=[later] * polls + [YES])

    replay.run(fine_tune_model)

    assert replay.names().count("get_fine_tuning_job") == polls + 1
    assert replay.longest_history <= 150


def test_woken_step_is_asked_before_its_timer_is_due() -> None:
    """A person's word ends the sleep early; nothing waits for the whole hour."""
    replay = a_replay(
        estimate_cost={"value": {"trains": True, "needs_approval": True}},
        await_approval=[{"later": 3600, "reason": "approval"}, DONE],
    )
    replay.events.append(("wake", "await_approval"))

    replay.run(fine_tune_model)

    assert replay.names().count("await_approval") == 2
    assert all(sleep.total_seconds() < 3600 for sleep in replay.sleeps)

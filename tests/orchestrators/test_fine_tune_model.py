"""The story of a run, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from devhost.durable.replay import OrchestrationFailedError, Replay
from droptune.domain.steps import waiting_instances
from orchestrators.ask_again import ask_again
from orchestrators.fine_tune_model import fine_tune_model
from orchestrators.wait_for_job import wait_for_job

DONE = {"value": {}}
YES = {"value": {"yes": True, "outcome": "promoted", "message": "it answers"}}
ASKS = {"value": {"yes": True, "needs_approval": True}}
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
    "compare_answers": DONE,
    "promote_deployment": YES,
    "end_run": DONE,
}
EVERY_QUESTION = {
    "estimate_cost": {"value": {"trains": True, "needs_approval": True}},
    "decide_promotion": ASKS,
}
STEPS_OF_A_RUN = [name for name in WHOLE_LINE if name != "end_run"]


def a_replay(**answers: Any) -> Replay:
    """Return a replay of a run that goes all the way unless answers say otherwise."""
    return Replay(
        input={"project": "shop", "id": "shop-v1-aa"},
        answers=WHOLE_LINE | answers,
        orchestrators=(wait_for_job, ask_again),
    )


def end_of(replay: Replay) -> Any:
    """Return how the run was asked to end; it is asked once."""
    [given] = [given for name, given in replay.calls if name == "end_run"]
    return given


def abouts(replay: Replay, step: str) -> list[str]:
    """Return what a step was about each time."""
    return [given["about"] for name, given in replay.calls if name == step]


def ended(phase: str, code: str = "some-reason", outcome: str = "") -> dict[str, Any]:
    """Return an answer that ends the run."""
    no = {"code": code, "message": "No.", "remedy": "Mend it."}
    return {"ended": no | {"phase": phase, "outcome": outcome}}


def test_whole_line_asks_every_step_in_order() -> None:
    """A run goes from the report to the champion in this order, and ends once."""
    replay = a_replay()

    output = replay.run(fine_tune_model)

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
    assert output == {"run": "shop-v1-aa", "ended": {}}


def test_steps_that_are_asked_twice_say_what_about() -> None:
    """Two files, two deployments, two questions."""
    replay = a_replay(**EVERY_QUESTION)

    replay.run(fine_tune_model)

    assert sorted(abouts(replay, "upload_training_file")) == ["training", "validation"]
    assert abouts(replay, "create_deployment") == ["candidate", "production"]
    assert abouts(replay, "test_deployment") == ["candidate", "production"]
    assert abouts(replay, "await_approval") == ["training", "promotion"]


def test_payload_of_a_step_names_the_run_and_nothing_more() -> None:
    """Everything else stands in the record."""
    replay = a_replay()

    replay.run(fine_tune_model)

    name, given = replay.calls[0]
    assert name == "validate_dataset"
    run = {"project": "shop", "id": "shop-v1-aa"}
    assert given == {"run": run, "about": "", "polls": 0, "promotion": 0}


def test_plan_ends_before_anything_is_asked_of_azure() -> None:
    """A run that does not train ends planned after the estimate."""
    replay = a_replay(estimate_cost={"value": {"trains": False}})

    replay.run(fine_tune_model)

    assert replay.names() == ["validate_dataset", "estimate_cost", "end_run"]
    assert (end_of(replay)["phase"], end_of(replay)["outcome"]) == ("succeeded", "planned")


def test_costly_training_waits_for_approval() -> None:
    """Nothing is admitted before a person approves what is over the budget."""
    replay = a_replay(estimate_cost={"value": {"trains": True, "needs_approval": True}})

    replay.run(fine_tune_model)

    names = replay.names()
    assert names.index("await_approval") < names.index("admit_run")


def test_model_that_cannot_be_hosted_ends_trained() -> None:
    """Nothing that bills is created: the model is kept, and the run is a success."""
    no = {"value": {"yes": False, "outcome": "trained", "message": "no hourly fee"}}
    replay = a_replay(create_deployment=no)

    replay.run(fine_tune_model)

    assert "test_deployment" not in replay.names()
    assert (end_of(replay)["phase"], end_of(replay)["outcome"]) == ("succeeded", "trained")
    assert end_of(replay)["message"] == "no hourly fee"


@pytest.mark.parametrize("outcome", ["trained", "not_promoted"])
def test_model_that_may_not_be_promoted_ends_after_its_test(outcome: str) -> None:
    """No production deployment is made for it."""
    no = {"value": {"yes": False, "outcome": outcome, "message": "older data"}}
    replay = a_replay(decide_promotion=no)

    replay.run(fine_tune_model)

    assert abouts(replay, "create_deployment") == ["candidate"]
    assert (end_of(replay)["phase"], end_of(replay)["outcome"]) == ("succeeded", outcome)


def test_run_that_lost_the_race_for_the_title_ends_not_promoted() -> None:
    """Another became the champion meanwhile."""
    no = {"value": {"yes": False, "outcome": "not_promoted", "message": "another"}}
    replay = a_replay(promote_deployment=no)

    replay.run(fine_tune_model)

    assert (end_of(replay)["phase"], end_of(replay)["outcome"]) == ("succeeded", "not_promoted")


def test_refused_promotion_is_a_success_that_was_not_promoted() -> None:
    """A person's no to the promotion does not take the training back."""
    refused = ended("succeeded", "refused", "not_promoted")
    replay = a_replay(decide_promotion=ASKS, await_approval=refused)

    replay.run(fine_tune_model)

    assert abouts(replay, "create_deployment") == ["candidate"]
    assert (end_of(replay)["phase"], end_of(replay)["outcome"]) == ("succeeded", "not_promoted")


@pytest.mark.parametrize("code", ["refused", "approval-timeout"])
def test_training_that_nobody_approves_is_rejected_before_anything_is_spent(code: str) -> None:
    """A no and silence end the run alike."""
    replay = a_replay(**EVERY_QUESTION, await_approval=ended("rejected", code))

    replay.run(fine_tune_model)

    assert "admit_run" not in replay.names()
    assert end_of(replay)["phase"] == "rejected"
    assert end_of(replay)["problem"]["code"] == code


@pytest.mark.parametrize("step", STEPS_OF_A_RUN)
@pytest.mark.parametrize("phase", ["cancelled", "rejected", "superseded", "failed"])
def test_any_step_may_end_the_run_with_a_reason(step: str, phase: str) -> None:
    """The record closes once with that reason; the orchestration completes, and nothing follows."""
    replay = a_replay(**EVERY_QUESTION | {step: ended(phase)})

    replay.run(fine_tune_model)

    assert replay.names()[-1] == "end_run"
    assert replay.names()[-2] == step
    assert end_of(replay)["phase"] == phase
    assert end_of(replay)["problem"]["code"] == "some-reason"


@pytest.mark.parametrize("step", STEPS_OF_A_RUN)
def test_any_step_that_fails_for_good_closes_the_record_and_then_fails(step: str) -> None:
    """First the record says `failed` and why, then the orchestration fails."""
    error = {"code": "request-rejected", "message": "400", "remedy": "Mend it."}
    replay = a_replay(**EVERY_QUESTION | {step: {"error": error}})

    with pytest.raises(OrchestrationFailedError, match="400"):
        replay.run(fine_tune_model)

    assert replay.names()[-2:] == [step, "end_run"]
    assert end_of(replay)["phase"] == "failed"
    assert end_of(replay)["problem"] == error | {"evidence": ""}


@pytest.mark.parametrize("step", STEPS_OF_A_RUN)
def test_any_step_that_raises_is_tried_four_times(step: str) -> None:
    """What an activity raises is tried again for seconds; then the run fails."""
    replay = a_replay(**EVERY_QUESTION | {step: ConnectionError("gone")})

    with pytest.raises(OrchestrationFailedError):
        replay.run(fine_tune_model)

    asked = [given["about"] for name, given in replay.calls if name == step]
    assert [asked.count(about) for about in set(asked)] == [4] * len(set(asked))
    assert end_of(replay)["phase"] == "failed"


@pytest.mark.parametrize("step", STEPS_OF_A_RUN)
def test_any_step_may_take_its_time(step: str) -> None:
    """A step that says "later" is asked again after exactly that long, and the run goes on."""
    later = {"later": 77, "reason": "busy"}
    answer = (WHOLE_LINE | EVERY_QUESTION)[step]
    times = iter([later, later])
    replay = a_replay(**EVERY_QUESTION | {step: lambda given: next(times, answer)})

    replay.run(fine_tune_model)

    assert end_of(replay)["phase"] == "succeeded"
    assert 77 in [round(sleep.total_seconds()) for sleep in replay.sleeps]


@pytest.mark.parametrize("step", ["check_account", "keep_results", "decide_promotion"])
def test_wait_that_a_service_asks_for_comes_before_the_next_question(step: str) -> None:
    """`Retry-After` holds from the first answer on: the step is asked once before the sleep."""
    answer = WHOLE_LINE[step]
    replay = a_replay(**{step: [{"later": 500, "reason": "busy"}, answer]})

    replay.run(fine_tune_model)

    assert replay.names().count(step) == 2
    assert [round(sleep.total_seconds()) for sleep in replay.sleeps] == [500]


def test_end_that_takes_time_is_asked_again_until_it_is_done() -> None:
    """A job that is being cancelled is waited for; the record closes last."""
    replay = a_replay(
        get_fine_tuning_job=ended("cancelled"),
        end_run=[{"later": 10, "reason": "being cancelled"}] * 3 + [DONE],
    )

    replay.run(fine_tune_model)

    assert replay.names().count("end_run") == 4
    phases = {given["phase"] for name, given in replay.calls if name == "end_run"}
    assert phases == {"cancelled"}


def test_end_that_fails_fails_the_orchestration() -> None:
    """The record stays open, and the sweep starts the run again."""
    error = {"code": "request-rejected", "message": "403", "remedy": ""}
    replay = a_replay(end_run={"error": error})

    with pytest.raises(OrchestrationFailedError):
        replay.run(fine_tune_model)


def test_more_epochs_than_approved_are_asked_about_and_trained_after_a_yes() -> None:
    """The first job was cancelled; the second is created and watched under its own name."""
    over = {"value": {"yes": False, "needs_approval": True, "message": "9 epochs"}}
    replay = a_replay(get_fine_tuning_job=[over, YES])

    replay.run(fine_tune_model)

    names = replay.names()
    start = names.index("create_fine_tuning_job")
    assert names[start : start + 6] == [
        "create_fine_tuning_job",
        "get_fine_tuning_job",
        "await_approval",
        "create_fine_tuning_job",
        "get_fine_tuning_job",
        "keep_results",
    ]
    assert abouts(replay, "await_approval") == ["epochs"]
    assert abouts(replay, "create_fine_tuning_job") == ["", "approved"]
    assert end_of(replay)["outcome"] == "promoted"


def test_more_epochs_than_approved_end_the_run_after_a_no() -> None:
    """No second job is created."""
    over = {"value": {"yes": False, "needs_approval": True, "message": "9 epochs"}}
    replay = a_replay(get_fine_tuning_job=over, await_approval=ended("rejected", "refused"))

    replay.run(fine_tune_model)

    assert replay.names().count("create_fine_tuning_job") == 1
    assert end_of(replay)["phase"] == "rejected"


@pytest.mark.parametrize(
    ("step", "most"),
    [
        ("get_fine_tuning_job", 1000),
        ("admit_run", 100),
        ("await_approval", 100),
        ("create_deployment", 100),
        ("check_account", 100),
    ],
)
def test_polling_longer_does_not_lengthen_any_history(step: str, most: int) -> None:
    """Polled 10, 100 or 1,000 times: the same longest history, at most 150 rows."""
    later = {"later": 30, "reason": "running"}
    answer = (WHOLE_LINE | EVERY_QUESTION)[step]
    longest = []

    for polls in (10, 100, 1000):
        if polls <= most:
            replay = a_replay(**EVERY_QUESTION | {step: [later] * polls + [answer]})
            replay.run(fine_tune_model)
            longest.append(replay.longest_history)
            assert replay.names().count(step) >= polls + 1

    assert len(set(longest)) == 1
    assert longest[0] <= 150


def test_polls_are_counted() -> None:
    """Each question says how often it was put before, so that waits can grow."""
    later = {"later": 30, "reason": "running"}
    replay = a_replay(get_fine_tuning_job=[later] * 3 + [YES])

    replay.run(fine_tune_model)

    polls = [given["polls"] for name, given in replay.calls if name == "get_fine_tuning_job"]
    assert polls == [0, 1, 2, 3]


def test_woken_step_is_asked_before_its_timer_is_due() -> None:
    """A person's word ends the sleep early; nothing waits for the whole hour."""
    replay = a_replay(
        **EVERY_QUESTION, await_approval=[{"later": 3600, "reason": "approval"}, DONE]
    )
    replay.events.append(("wake", "await_approval"))

    replay.run(fine_tune_model)

    assert all(sleep.total_seconds() < 3600 for sleep in replay.sleeps)


@pytest.mark.parametrize(
    ("step", "days"), [("create_deployment", 7), ("admit_run", 30), ("get_fine_tuning_job", 365)]
)
def test_step_that_never_answers_gives_up_in_the_end(step: str, days: int) -> None:
    """Its deadline closes the record with the last reason, and a remedy."""
    replay = a_replay(**{step: {"later": 86_400, "reason": "no quota"}})

    with pytest.raises(OrchestrationFailedError, match="no quota"):
        replay.run(fine_tune_model)

    assert replay.names().count(step) == days + 1
    assert end_of(replay)["problem"]["code"] == "gave-up"


def test_step_of_a_paused_run_is_not_given_up() -> None:
    """A person may take their time; patience with the service begins anew once it is resumed."""
    paused = {"later": 86_400, "reason": "paused: a person has paused it", "paused": True}
    busy = {"later": 86_400, "reason": "no quota"}
    replay = a_replay(create_deployment=[busy] * 6 + [paused] * 40 + [busy] * 6 + [YES])

    replay.run(fine_tune_model)

    assert end_of(replay)["outcome"] == "promoted"


def test_sleep_is_never_longer_than_a_day() -> None:
    """Timers above six days hop in Azure; a day is far from that."""
    replay = a_replay(get_fine_tuning_job=[{"later": 10**7, "reason": "slow"}, YES])

    replay.run(fine_tune_model)

    assert max(sleep.total_seconds() for sleep in replay.sleeps) == 86_400


def test_every_instance_that_may_sleep_can_be_woken() -> None:
    """Whatever sub-orchestration a run starts, a person's word knows its id."""
    over = {"value": {"yes": False, "needs_approval": True}}
    later = {"later": 5, "reason": "busy"}
    slow = {step: [later, answer] for step, answer in (WHOLE_LINE | EVERY_QUESTION).items()}
    replay = a_replay(**slow | {"get_fine_tuning_job": [over, YES]})

    replay.run(fine_tune_model)

    slept = {instance for instance in replay.instances if instance != "main"}
    assert slept <= set(waiting_instances("shop-v1-aa"))
    assert len(slept) > 15

"""Every durable call of the process, typed: how a step is asked and what its answer means.

An activity answers `{"value": …}`, `{"later": seconds}`, `{"ended": …}` (the run ends here with a
reasoned answer) or `{"error": …}` (the step failed for good). What is raised is retried by Durable,
for seconds.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

import azure.durable_functions as df
from azure.durable_functions.models.DurableOrchestrationContext import DurableOrchestrationContext

from droptune.domain.errors import RunEndedError, StepFailedError
from droptune.domain.payload import Payload, parse_time
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRef
from droptune.domain.steps import (
    STEPS,
    Collecting,
    CollectingFailed,
    EndPromotion,
    EndRequest,
    Look,
    Plan,
    PromotionRequest,
    StepRequest,
    Validated,
    Verdict,
    waiting_instance,
)

T = TypeVar("T")
Context = DurableOrchestrationContext
Step = Generator[Any, Any, T]

WAKE = "wake"
LONGEST_SLEEP = timedelta(days=1)
_RETRY = df.RetryOptions(first_retry_interval_in_milliseconds=2_000, max_number_of_attempts=4)


def look_at_dataset(context: Context, collecting: Collecting) -> Step[Look]:
    """Look once at a dataset's folder."""
    answer = yield from _call(context, "look_at_dataset", collecting.to_payload())
    if "later" in answer:
        return Look(state="unsettled", wait_seconds=answer["later"])
    return Look.from_payload(_value(answer))


def start_run(context: Context, collecting: Collecting) -> Step[None]:
    """Register a run for a settled dataset and start it; what cannot be done yet is looked at
    again."""
    answer = yield from _call(context, "start_run", collecting.to_payload())
    if "later" not in answer:
        _value(answer)


def note_failed_collection(
    context: Context, collecting: Collecting, failed: StepFailedError
) -> Step[None]:
    """Say where people look why a dataset was not taken up, as far as that can be said."""
    noted = CollectingFailed(dataset=collecting.dataset, problem=failed.problem())
    yield from _call(context, "note_failed_collection", noted.to_payload())


def validate_dataset(context: Context, run: RunRef) -> Step[Validated]:
    """Write the validation report; bad data ends the run."""
    return Validated.from_payload((yield from _ask(context, "validate_dataset", run)))


def estimate_cost(context: Context, run: RunRef) -> Step[Plan]:
    """Estimate the cost and say whether the run trains and who has to approve."""
    return Plan.from_payload((yield from _ask(context, "estimate_cost", run)))


def check_account(context: Context, run: RunRef) -> Step[None]:
    """Prove, free of charge, that the account can do what the run needs."""
    yield from _ask(context, "check_account", run)


def await_approval(context: Context, run: RunRef, about: str) -> Step[None]:
    """Wait for a person's approval; a no ends the run."""
    yield from _ask(context, "await_approval", run, about)


def admit_run(context: Context, run: RunRef) -> Step[None]:
    """Wait until money may be spent and the service has room."""
    yield from _ask(context, "admit_run", run)


def upload_training_files(context: Context, run: RunRef, roles: Sequence[str]) -> Step[None]:
    """Upload each role's file in an orchestration of its own, and wait for all."""
    tasks = [_again(context, "upload_training_file", run, role) for role in roles]
    answers = yield context.task_all(tasks)
    for answer in answers:
        _value(answer)


def create_fine_tuning_job(context: Context, run: RunRef, about: str = "") -> Step[None]:
    """Start the fine-tuning job, or adopt the one that is there; `approved` replaces it."""
    yield from _ask(context, "create_fine_tuning_job", run, about)


def wait_for_job(context: Context, run: RunRef, about: str = "") -> Step[Verdict]:
    """Wait until the job is terminal; a no asks for approval of more epochs."""
    answer = yield _again(context, "get_fine_tuning_job", run, about, orchestrator="wait_for_job")
    return Verdict.from_payload(_value(answer))


def keep_results(context: Context, run: RunRef) -> Step[None]:
    """Keep the job's metrics file, events and checkpoints with the run."""
    yield from _ask(context, "keep_results", run)


def create_deployment(
    context: Context, run: RunRef, purpose: str, promotion: int = 0
) -> Step[Verdict]:
    """Deploy the model and wait until Azure says it is there."""
    answer = yield from _ask(context, "create_deployment", run, purpose, promotion)
    return Verdict.from_payload(answer)


def test_deployment(
    context: Context,
    run: RunRef,
    purpose: str,
    promotion: int = 0,  # noqa: PT028 - a step, no test
) -> Step[None]:
    """Ask the deployment a question and wait until it answers."""
    yield from _ask(context, "test_deployment", run, purpose, promotion)


def decide_promotion(context: Context, run: RunRef) -> Step[Verdict]:
    """Say whether the model may become the champion."""
    return Verdict.from_payload((yield from _ask(context, "decide_promotion", run)))


def compare_answers(context: Context, run: RunRef) -> Step[None]:
    """Let candidate, champion and base model answer the same prompts, for whoever decides."""
    yield from _ask(context, "compare_answers", run)


def promote_deployment(context: Context, run: RunRef, promotion: int = 0) -> Step[Verdict]:
    """Make the production deployment the champion in one conditional write."""
    answer = yield from _ask(context, "promote_deployment", run, "", promotion)
    return Verdict.from_payload(answer)


def end_run(context: Context, run: RunRef, end: EndRequest) -> Step[Payload]:
    """Delete what bills and is not needed, and close the record."""
    instance = waiting_instance(run.id, "end_run")
    answer = yield from _end(context, "end_run", end.to_payload(), instance)
    return {"run": run.id, "ended": answer}


def end_promotion(context: Context, asked: PromotionRequest, end: EndPromotion) -> Step[Payload]:
    """Note in the run's record what came of a later promotion."""
    instance = waiting_instance(asked.run.id, "end_promotion", promotion=asked.promotion)
    answer = yield from _end(context, "end_promotion", end.to_payload(), instance)
    return {"run": asked.run.id, "promotion": asked.promotion, "ended": answer}


def _end(context: Context, step: str, request: Payload, instance: str) -> Step[Payload]:
    answer = yield from _call(context, step, request)
    if "later" in answer:
        question = _first_question(step, request, answer["later"])
        answer = yield context.call_sub_orchestrator("ask_again", question, instance)
    return _value(answer)


def how_it_ended(run: RunRef, error: RunEndedError | StepFailedError) -> EndRequest:
    """Return the end that an error in a step means for its run."""
    if isinstance(error, RunEndedError):
        outcome = Outcome(error.outcome) if error.outcome else Outcome.NONE
        return EndRequest(
            run=run, phase=Phase(error.phase), outcome=outcome, problem=error.problem()
        )
    return EndRequest(run=run, phase=Phase.FAILED, problem=error.problem())


def ask_until_answered(context: Context) -> Step[Payload | None]:
    """Ask a step once; after "later" sleep, or be woken, and begin anew with a fresh history.

    Input: {step, request, since, wait}. It polls first and waits then, so that no event is lost
    between; only a question that was answered "later" before begins with a `wait`. Patience begins
    anew while a person has paused the run.
    """
    question: Payload = context.get_input() or {}
    since = question.get("since")
    now = context.current_utc_datetime
    if wait := question.get("wait"):
        yield from sleep(context, wait)
        since = since or now.isoformat()
        context.continue_as_new(question | {"wait": 0, "since": since})
        return None
    answer: Payload = yield from _call(context, question["step"], question["request"])
    if "later" not in answer:
        return answer
    since_at = parse_time(since) if since and "paused" not in answer else now
    if now - since_at >= STEPS[question["step"]].give_up_after:
        return {"error": _gave_up(question["step"], answer)}
    yield from sleep(context, answer["later"])
    request = question["request"] | {"polls": question["request"].get("polls", 0) + 1}
    context.continue_as_new(question | {"request": request, "since": since_at.isoformat()})
    return None


def sleep(context: Context, seconds: float) -> Step[None]:
    """Sleep on a durable timer; the event `wake` ends it early. Once per execution."""
    duration = min(timedelta(seconds=max(seconds, 0.05)), LONGEST_SLEEP)
    due_at: datetime = context.current_utc_datetime + duration
    timer = context.create_timer(due_at)
    winner = yield context.task_any([timer, context.wait_for_external_event(WAKE)])
    if winner is not timer:
        timer.cancel()  # type: ignore[attr-defined]  # the SDK declares the base class


def _ask(
    context: Context, step: str, run: RunRef, about: str = "", promotion: int = 0
) -> Step[Payload]:
    """Ask a step and return its value; raises RunEndedError or StepFailedError."""
    answer: Payload = {"later": 0.0}
    if not STEPS[step].waits:
        request = StepRequest(run=run, about=about, promotion=promotion)
        answer = yield from _call(context, step, request.to_payload())
    if "later" in answer:
        answer = yield _again(context, step, run, about, promotion, wait=answer["later"])
    return _value(answer)


def _again(
    context: Context,
    step: str,
    run: RunRef,
    about: str = "",
    promotion: int = 0,
    *,
    orchestrator: str = "ask_again",
    wait: float = 0,
) -> Any:
    request = StepRequest(run=run, about=about, promotion=promotion)
    question = _first_question(step, request.to_payload(), wait)
    instance = waiting_instance(run.id, step, about, promotion)
    return context.call_sub_orchestrator(orchestrator, question, instance)


def _first_question(step: str, request: Payload, wait: float) -> Payload:
    return {"step": step, "request": request, "since": None, "wait": wait}


def _call(context: Context, activity: str, request: Payload) -> Step[Payload]:
    try:
        answer: Payload = yield context.call_activity_with_retry(activity, _RETRY, request)
    except Exception as error:  # noqa: BLE001 - the durable SDK raises nothing narrower
        return {"error": {"code": "step-failed", "message": f"{activity}: {_first_line(error)}"}}
    return answer


def _value(answer: Payload) -> Payload:
    if "ended" in answer:
        ended = answer["ended"]
        raise RunEndedError(
            ended["message"],
            phase=ended["phase"],
            code=ended["code"],
            remedy=ended.get("remedy", ""),
            outcome=ended.get("outcome", ""),
        )
    if "error" in answer:
        error = answer["error"]
        raise StepFailedError(error["message"], code=error["code"], remedy=error.get("remedy", ""))
    value: Payload = answer["value"]
    return value


def _gave_up(step: str, answer: Payload) -> Payload:
    reason = answer.get("reason", "no reason was given")
    return {
        "code": "gave-up",
        "message": f"{step} did not come to an end in time: {reason}",
        "remedy": "Mend the cause, then start the run again with `droptune retry`.",
    }


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__

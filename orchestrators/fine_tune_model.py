"""From a settled dataset to a model in use: the story of a run."""

from __future__ import annotations

from droptune.domain.errors import RunEndedError, StepFailedError
from droptune.domain.payload import Payload
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRef
from droptune.domain.steps import EndRequest
from orchestrators import steps
from orchestrators.steps import Context, Step


def fine_tune_model(context: Context) -> Step[Payload]:
    """Fine-tune a base model on one settled dataset, try the result, and put it to use.

    Input: a `RunRef` payload; everything else stands in the run's record. Output: how it ended. A
    step that failed for good closes the record first and then fails the orchestration.
    """
    run = RunRef.from_payload(context.get_input() or {})
    try:
        end = yield from _tell(context, run)
    except RunEndedError as ended:
        end = steps.how_it_ended(run, ended)
    except StepFailedError as failed:
        yield from steps.end_run(context, run, steps.how_it_ended(run, failed))
        raise
    return (yield from steps.end_run(context, run, end))


def _tell(context: Context, run: RunRef) -> Step[EndRequest]:
    validated = yield from steps.validate_dataset(context, run)
    plan = yield from steps.estimate_cost(context, run)
    if not plan.trains:
        return EndRequest(run=run, phase=Phase.SUCCEEDED, outcome=Outcome.PLANNED)
    yield from steps.check_account(context, run)
    if plan.needs_approval:
        yield from steps.await_approval(context, run, "training")
    yield from steps.admit_run(context, run)

    yield from steps.upload_training_files(context, run, validated.roles)
    yield from steps.create_fine_tuning_job(context, run)
    trained = yield from steps.wait_for_job(context, run)
    if trained.needs_approval:  # the service chose more epochs than were approved
        yield from steps.await_approval(context, run, "epochs")
        yield from steps.create_fine_tuning_job(context, run, "approved")
        yield from steps.wait_for_job(context, run, "approved")
    yield from steps.keep_results(context, run)

    return (yield from _put_to_use(context, run))


def _put_to_use(context: Context, run: RunRef) -> Step[EndRequest]:
    candidate = yield from steps.create_deployment(context, run, "candidate")
    if not candidate.yes:
        return _ended(run, candidate.outcome, candidate.message)
    yield from steps.test_deployment(context, run, "candidate")

    verdict = yield from steps.decide_promotion(context, run)
    if not verdict.yes:
        return _ended(run, verdict.outcome, verdict.message)
    if verdict.needs_approval:
        yield from steps.compare_answers(context, run)
        yield from steps.await_approval(context, run, "promotion")
    production = yield from steps.create_deployment(context, run, "production")
    if not production.yes:
        return _ended(run, production.outcome, production.message)
    yield from steps.test_deployment(context, run, "production")
    promoted = yield from steps.promote_deployment(context, run)
    return _ended(run, promoted.outcome, promoted.message)


def _ended(run: RunRef, outcome: Outcome, message: str) -> EndRequest:
    return EndRequest(run=run, phase=Phase.SUCCEEDED, outcome=outcome, message=message)

"""From a run that ended without a promotion to its model in use, because a person asks for it."""

from __future__ import annotations

from droptune.domain.errors import RunEndedError, StepFailedError
from droptune.domain.findings import Problem
from droptune.domain.payload import Payload
from droptune.domain.steps import EndPromotion, PromotionRequest, Verdict
from orchestrators import steps
from orchestrators.steps import Context, Step


def promote_model(context: Context) -> Step[Payload]:
    """Deploy a kept model, try it once more, and make it the champion.

    Input: a `PromotionRequest` payload; who asked and why stands in the run's record. The run has
    ended and stays so. A step that failed for good is noted first and then fails the orchestration.
    """
    asked = PromotionRequest.from_payload(context.get_input() or {})
    try:
        verdict = yield from _tell(context, asked)
    except RunEndedError as ended:
        return (yield from steps.end_promotion(context, asked, _refused(asked, ended.problem())))
    except StepFailedError as failed:
        yield from steps.end_promotion(context, asked, _refused(asked, failed.problem()))
        raise
    return (yield from steps.end_promotion(context, asked, _end(asked, verdict)))


def _tell(context: Context, asked: PromotionRequest) -> Step[Verdict]:
    run, promotion = asked.run, asked.promotion
    production = yield from steps.create_deployment(context, run, "production", promotion)
    if not production.yes:
        return production
    yield from steps.test_deployment(context, run, "production", promotion)
    return (yield from steps.promote_deployment(context, run, promotion))


def _end(asked: PromotionRequest, verdict: Verdict) -> EndPromotion:
    if not verdict.yes:
        return _refused(asked, Problem(code="not-promoted", message=verdict.message))
    return EndPromotion(run=asked.run, promotion=asked.promotion, message=verdict.message)


def _refused(asked: PromotionRequest, problem: Problem) -> EndPromotion:
    return EndPromotion(
        run=asked.run, promotion=asked.promotion, message=problem.message, problem=problem
    )

"""Between Durable and an activity: payloads in, services in, permanent errors out as values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from activities.run_records import PausedError, RunRecords
from droptune.domain.errors import DroptuneError, RunEndedError, TransientError
from droptune.domain.payload import Model, Payload
from droptune.domain.steps import STEPS, Later

LONGEST_BACK_OFF = 120.0
LONGEST_MESSAGE = 1000


def bind(activity: Callable[..., Any], **services: Any) -> Callable[[Payload], Payload]:
    """Return an activity as Durable calls it.

    The answer is `{"value": …}`, `{"later": seconds, "reason": …}`, `{"ended": …}` or `{"error":
    …}`; only what is no `DroptuneError` is raised, for Durable to retry. What a service answered
    and nobody knows stays with the run and never enters Durable: it may quote training data.
    """
    spec = STEPS[activity.__name__]

    def bound(request: Payload) -> Payload:
        asked, polls = spec.request.from_payload(request), request.get("polls", 0)
        try:
            return _answered(activity(asked, **services))
        except DroptuneError as error:
            _keep(error, activity.__name__, asked, services.get("records"))
            return _refused(error, polls)

    bound.__name__ = bound.__qualname__ = activity.__name__
    bound.__doc__ = activity.__doc__
    return bound


async def answer_async(call: Awaitable[Model | Later | None]) -> Payload:
    """Wait for a call and return what came of it as a plain answer."""
    try:
        return _answered(await call)
    except DroptuneError as error:
        return _refused(error, 0)


def _answered(result: Model | Later | None) -> Payload:
    if isinstance(result, Later):
        return {"later": result.seconds, "reason": result.reason}
    return {"value": result.to_payload() if result is not None else {}}


def _keep(error: DroptuneError, step: str, asked: Any, records: RunRecords | None) -> None:
    run = getattr(asked, "run", None)
    if error.evidence and run is not None and records is not None:
        with suppress(DroptuneError):  # storage that is away as well hides no answer
            records.keep_unknown(run, step, error)


def _refused(error: DroptuneError, polls: int) -> Payload:
    problem = error.problem().to_payload()
    problem.pop("evidence")
    problem["message"] = problem["message"][:LONGEST_MESSAGE]
    if isinstance(error, RunEndedError):
        return {"ended": problem | {"phase": error.phase, "outcome": error.outcome}}
    if isinstance(error, TransientError):
        wait = error.retry_after if error.retry_after is not None else back_off(polls)
        later = {"later": wait, "reason": f"{error.code}: {error}"[:500]}
        return later | ({"paused": True} if isinstance(error, PausedError) else {})
    return {"error": problem}


def back_off(polls: int) -> float:
    """Return seconds to wait after `polls` failures in a row: 2, 4, 8, … up to two minutes."""
    return float(min(2.0 ** min(polls + 1, 10), LONGEST_BACK_OFF))

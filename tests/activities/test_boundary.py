"""Between Durable and an activity."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from activities.boundary import back_off, bind
from droptune.domain.errors import (
    OutcomeUnknownError,
    RequestRejectedError,
    RunEndedError,
    TransientError,
)
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRef
from droptune.domain.steps import Later, Plan, StepRequest

REQUEST = StepRequest(run=RunRef(project="shop", id="shop-v1-aa")).to_payload()


def an_activity(outcome: object) -> Callable[[StepRequest], object]:
    """Return an activity that gives or raises something."""

    def estimate_cost(request: StepRequest) -> object:
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    return estimate_cost


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (Plan(trains=True), {"value": {"trains": True, "needs_approval": False}}),
        (None, {"value": {}}),
        (Later(seconds=5, reason="busy"), {"later": 5, "reason": "busy"}),
        (
            RequestRejectedError("no", remedy="do"),
            {"error": {"code": "request-rejected", "message": "no", "remedy": "do"}},
        ),
        (
            RunEndedError("no", phase=Phase.REJECTED, code="c", outcome=Outcome.NONE),
            {
                "ended": {
                    "code": "c",
                    "message": "no",
                    "remedy": "",
                    "phase": "rejected",
                    "outcome": "none",
                }
            },
        ),
    ],
)
def test_what_an_activity_gives_becomes_a_plain_answer(
    outcome: object, answer: dict[str, object]
) -> None:
    """Values, waits, ends and lasting refusals travel; none of them is retried by Durable."""
    bound = bind(an_activity(outcome))

    assert bound(REQUEST) == answer


@pytest.mark.parametrize("error", [TransientError, OutcomeUnknownError])
@pytest.mark.parametrize(("asked", "wait"), [(17.0, 17.0), (0.0, 0.0), (None, 2.0)])
def test_what_a_later_try_may_cure_is_asked_again(
    error: type[TransientError], asked: float | None, wait: float
) -> None:
    """`Retry-After` is honoured; without it the wait grows."""
    bound = bind(an_activity(error("busy", retry_after=asked)))

    assert bound(REQUEST)["later"] == wait


def test_waits_grow_to_two_minutes() -> None:
    """2, 4, 8, … however long a service is away."""
    assert [back_off(polls) for polls in (0, 1, 5, 6, 1000)] == [2, 4, 64, 120, 120]


def test_what_nobody_foresaw_is_raised_for_durable_to_retry() -> None:
    """A bug or a broken pipe is tried again for seconds."""
    bound = bind(an_activity(OSError("broken pipe")))

    with pytest.raises(OSError, match="broken pipe"):
        bound(REQUEST)


def test_long_message_is_cut() -> None:
    """A service that writes novels does not fill the history."""
    bound = bind(an_activity(RequestRejectedError("x" * 100_000)))

    assert len(str(bound(REQUEST))) < 4096


def test_bound_activity_keeps_its_name() -> None:
    """The name is the function's in the app."""
    assert bind(an_activity(None)).__name__ == "estimate_cost"

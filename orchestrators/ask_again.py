"""A step whose answer is "later" is asked again, on durable timers, with a history that stays
short."""

from __future__ import annotations

from droptune.domain.payload import Payload
from orchestrators import steps
from orchestrators.steps import Context, Step


def ask_again(context: Context) -> Step[Payload | None]:
    """Ask a step until it answers.

    Input: {step, request, since, wait}. Output: the step's answer.
    """
    return (yield from steps.ask_until_answered(context))

"""The monitor of one fine-tuning job."""

from __future__ import annotations

from droptune.domain.payload import Payload
from orchestrators import steps
from orchestrators.steps import Context, Step


def wait_for_job(context: Context) -> Step[Payload | None]:
    """Poll the job, sleep, and continue as new until it is terminal; each look updates the run's
    record.

    Input: {step, request, since, wait} for `get_fine_tuning_job`, which says how long to sleep.
    Output: its answer, a `Verdict`.
    """
    return (yield from steps.ask_until_answered(context))

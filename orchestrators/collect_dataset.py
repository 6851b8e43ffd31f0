"""From the first blob of a dataset to a settled, pinned dataset and its run."""

from __future__ import annotations

from dataclasses import replace

from droptune.domain.errors import StepFailedError
from droptune.domain.steps import Collecting
from orchestrators import steps
from orchestrators.steps import Context, Step


def collect_dataset(context: Context) -> Step[None]:
    """Look at a dataset's folder until two looks agree, then start its run.

    Input: a `Collecting` payload. After a start it looks once more, for what was written
    meanwhile; an idle folder ends it, and the next blob event starts it again. A step that failed
    for good is noted and fails it; the sweep starts it again.
    """
    collecting = Collecting.from_payload(context.get_input() or {})
    try:
        yield from _collect(context, collecting)
    except StepFailedError as failed:
        yield from steps.note_failed_collection(context, collecting, failed)
        raise


def _collect(context: Context, collecting: Collecting) -> Step[None]:
    look = yield from steps.look_at_dataset(context, collecting)
    if look.state == "idle":
        return
    if look.state == "settled":
        settled = replace(collecting, fingerprint=look.fingerprint)
        yield from steps.start_run(context, settled)
        look = replace(look, fingerprint="", wait_seconds=1)
    yield from steps.sleep(context, look.wait_seconds)
    again = replace(collecting, fingerprint=look.fingerprint, polls=collecting.polls + 1)
    context.continue_as_new(again.to_payload())

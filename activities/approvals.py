"""Waiting: for a person's word, for the time to spend, and for room at the service."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from activities.configurations import configuration_of
from activities.pins import hold_pins
from activities.run_records import RunRecords
from droptune.domain.errors import RunEndedError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord, Word
from droptune.domain.services import BlobStore, Clock, FineTuningService
from droptune.domain.steps import Later, Policy, StepRequest

MOST_UNFINISHED_JOBS = 20  # Source: facts 1.8: queued jobs of a resource
MOST_JOBS = 100
MOST_FILES = 100
_PHASES = {"training": Phase.AWAITING_APPROVAL, "promotion": Phase.AWAITING_PROMOTION}
_LOOK_AGAIN = 3600.0


def await_approval(request: StepRequest, *, records: RunRecords, clock: Clock) -> Later | None:
    """Answer once a person has approved; a no, or nobody's word in time, ends the run. Reads the
    control document, so it may run any number of times; a word wakes whoever sleeps for it."""
    about = request.about
    record = records.begin(request.run, _PHASES[about], f"Waiting for approval of the {about}.")
    decision = records.control(record.ref).decision(about)
    if decision is not None:
        if decision.word == "reject":
            raise _refused(about, decision)
        return None
    hours = configuration_of(record).pipeline.approval.timeout_hours
    left = _entered_at(record, _PHASES[about]) + timedelta(hours=hours) - clock.now()
    if left <= timedelta(0):
        raise _nobody_said(about, hours)
    reason = " ".join(record.approval_reasons) if about == "training" else "Replace the champion?"
    records.update(record.ref, lambda r: replace(r, waiting_for=reason), known=record)
    return Later(seconds=min(left.total_seconds(), _LOOK_AGAIN), reason=f"approval of {about}")


def _entered_at(record: RunRecord, phase: Phase) -> datetime:
    return next((c.at for c in record.history if c.phase is phase), record.updated_at)


def _refused(about: str, word: Word) -> RunEndedError:
    why = f": {word.reason}" if word.reason else "."
    return _end(about, f"The {about} was refused by {word.by}{why}", "refused")


def _nobody_said(about: str, hours: float) -> RunEndedError:
    return _end(about, f"Nobody approved the {about} within {hours:g} hours.", "approval-timeout")


def _end(about: str, message: str, code: str) -> RunEndedError:
    if about == "promotion":
        return RunEndedError(
            message, phase=Phase.SUCCEEDED, code=code, outcome=Outcome.NOT_PROMOTED
        )
    remedy = "Repeat the run to ask again."
    return RunEndedError(message, phase=Phase.REJECTED, code=code, remedy=remedy)


def admit_run(
    request: StepRequest,
    *,
    records: RunRecords,
    datasets: BlobStore,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> Later | None:
    """Answer once money may be spent and the service has room; reads only."""
    record = records.begin(request.run, Phase.QUEUED, "Waiting for its turn.")
    record = hold_pins(record, datasets=datasets, records=records)
    wait = (record.submit_after - clock.now()).total_seconds()
    if wait > 0:
        return _later(records, record, wait, "The dataset may still change; nothing is spent yet.")
    jobs = list(azure_openai.list_jobs())
    unfinished = sum(not job.status.is_terminal for job in jobs)
    files = len(azure_openai.list_files())
    full = _full(unfinished, len(jobs), files)
    return _later(records, record, policy.scaled(300), full) if full else None


def _full(unfinished: int, jobs: int, files: int) -> str:
    if unfinished >= MOST_UNFINISHED_JOBS:
        return f"{unfinished} jobs are queued at Azure, which is all that it takes."
    if jobs >= MOST_JOBS:
        return f"Azure keeps {MOST_JOBS} jobs, and there are {jobs}; delete old ones."
    if files >= MOST_FILES:
        return f"Azure keeps {MOST_FILES} files, and there are {files}; delete old ones."
    return ""


def _later(records: RunRecords, record: RunRecord, seconds: float, reason: str) -> Later:
    records.update(record.ref, lambda r: replace(r, waiting_for=reason), known=record)
    return Later(seconds=seconds, reason=reason)

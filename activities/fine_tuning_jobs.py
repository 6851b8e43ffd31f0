"""The paid job of a training: created once, watched, and its results kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.claims import HeldClaim, held
from activities.configurations import configuration_of
from activities.epochs import APPROVED, hold_to_approval, with_approved_epochs
from activities.job_progress import follow, record_job
from activities.marked_jobs import list_known, list_marked
from activities.pins import hold_pins
from activities.room import is_full
from activities.run_records import PausedError, RunRecords
from activities.turns import leave_line, note_job
from droptune.domain.claim import UNKNOWN_FOR, MarkedJob
from droptune.domain.configuration import Configuration
from droptune.domain.errors import (
    OutcomeUnknownError,
    RequestRejectedError,
    RunEndedError,
    TransientError,
)
from droptune.domain.identity import job_suffix
from droptune.domain.job import FineTuningJob, JobRequest, JobStatus
from droptune.domain.phases import Phase
from droptune.domain.poll_schedule import delay
from droptune.domain.run import RunRecord
from droptune.domain.service_errors import explain_error
from droptune.domain.services import BlobStore, Clock, FineTuningService
from droptune.domain.steps import Later, Policy, StepRequest, Verdict


def create_fine_tuning_job(
    request: StepRequest,
    *,
    records: RunRecords,
    datasets: BlobStore,
    registry: BlobStore,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> Later | None:
    """Start the training's job, or adopt the one that is there.

    Exactly one paid job: submission is serialised by the claim; a submission without an answer is
    looked for until the service must have shown it; the mark in the suffix finds it. About
    `approved`: a job that was cancelled for its number of epochs is replaced by another.
    """
    record = records.begin(request.run, Phase.TRAINING, "Submitting the fine-tuning job.")
    if request.about == APPROVED:
        record = records.update(record.ref, with_approved_epochs, known=record)
    with held(registry, record) as claim:
        job = _find(request, record, claim, azure_openai, clock, policy)
        if job is None:
            job = _submit(record, claim, records, datasets, azure_openai, clock, policy)
        if isinstance(job, Later):
            records.note(record, lambda r: replace(r, waiting_for=job.reason))
            return job
        own = claim.claim.submitted_by(record.id)
        adopted_from = None if own and own.job == job.id else _maker(claim, job)
    records.update(record.ref, lambda r: replace(record_job(r, job), adopted_from=adopted_from))
    if adopted_from is None:
        note_job(record.id, job.id, registry=registry)
    else:
        leave_line(record.id, registry=registry)
    return None


def _find(
    request: StepRequest,
    record: RunRecord,
    claim: HeldClaim,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> FineTuningJob | Later | None:
    """Return the job to use, when to look again, or None when one has to be submitted."""
    own = claim.claim.submitted_by(record.id)
    if own is not None:
        claim.change(lambda c: c.held_by(record.id))
        job = azure_openai.get_job(own.job)
        if not _is_replaced(request, record, claim, job):
            return job
        if not job.status.is_terminal:
            return Later(seconds=policy.scaled(10), reason="The first job is being cancelled.")
    marked = list_known(record, claim.claim.submissions, azure_openai)
    intent = claim.claim.intent
    if intent is not None:
        shown = next((each for each in marked if each.number == intent.number), None)
        if shown is None:
            patience = UNKNOWN_FOR / policy.time_scale
            if left := claim.claim.outcome_unknown_for(clock.now(), patience):
                wait = min(left, policy.scaled(30))
                return Later(seconds=wait, reason="An earlier submission has no known outcome.")
        else:
            claim.change(lambda c: c.settled(intent.run, intent.number, shown.job.id))
            if intent.run == record.id:
                return shown.job
    return _adopt(record, marked, claim)


def _is_replaced(
    request: StepRequest, record: RunRecord, claim: HeldClaim, job: FineTuningJob
) -> bool:
    """Whether a job was cancelled for its epochs, and the record does not name another yet."""
    is_first = request.about == APPROVED and (record.job or {}).get("id") == job.id
    cancelled = claim.claim.is_being_cancelled(job.id)
    return is_first and cancelled and job.status is not JobStatus.SUCCEEDED


def _adopt(
    record: RunRecord, marked: tuple[MarkedJob, ...], claim: HeldClaim
) -> FineTuningJob | None:
    usable = next((each for each in marked if _is_usable(each, claim)), None)
    if usable is None:
        return None
    claim.change(
        lambda c: c.settled(_run_of(claim, usable), usable.number, usable.job.id).held_by(record.id)
    )
    return usable.job


def _is_usable(marked: MarkedJob, claim: HeldClaim) -> bool:
    going = not claim.claim.is_being_cancelled(marked.job.id)
    return marked.has_succeeded or (marked.can_be_adopted and going)


def _run_of(claim: HeldClaim, marked: MarkedJob) -> str:
    known = (each.run for each in claim.claim.submissions if each.job == marked.job.id)
    return next(known, "an earlier run")


def _maker(claim: HeldClaim, job: FineTuningJob) -> str:
    known = (each.run for each in claim.claim.submissions if each.job == job.id)
    return next(known, "an earlier run")


def _submit(
    record: RunRecord,
    claim: HeldClaim,
    records: RunRecords,
    datasets: BlobStore,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> FineTuningJob | Later:
    marked = list_marked(record, azure_openai)
    number = claim.claim.next_number(marked)
    if claim.claim.intent is not None:
        number = max(number, claim.claim.intent.number)
    record = hold_pins(record, datasets=datasets, records=records)
    records.begin(record.ref, Phase.TRAINING)  # the last look for a person's word
    claim.change(lambda c: c.intending(record.id, number, clock.now()))
    try:
        job = azure_openai.create_job(_request(record, configuration_of(record), number))
    except OutcomeUnknownError as lost:
        raise TransientError(f"no answer to the submission: {lost}", retry_after=5) from lost
    except (RequestRejectedError, TransientError) as refused:
        claim.change(lambda c: c.without_intent().let_go(record.id))
        if is_full(refused):
            return Later(seconds=policy.scaled(300), reason="Azure takes no more jobs now.")
        raise
    claim.change(lambda c: c.settled(record.id, number, job.id))
    return job


def _request(record: RunRecord, configuration: Configuration, number: int) -> JobRequest:
    return JobRequest(
        model=configuration.model or "",
        training_file=record.files["training"],
        validation_file=record.files.get("validation"),
        suffix=job_suffix(configuration.suffix, record.training_digest, number),
        seed=configuration.seed,
        method=configuration.method,
        metadata=configuration.metadata,
        extra_body=configuration.extra_body,
        integrations=configuration.integrations_as_sent,
    )


def get_fine_tuning_job(
    request: StepRequest,
    *,
    records: RunRecords,
    registry: BlobStore,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> Verdict | Later:
    """Look once at the job and keep what it says; a job that ended without a model ends the run.

    A job that takes more epochs than were approved is cancelled, and the answer is a no that asks
    for approval; repeating it finds the job cancelled and asks the same.
    """
    try:
        record = records.begin(request.run, Phase.TRAINING)
    except PausedError:
        _pause(records.get(request.run), azure_openai)
        raise
    job = azure_openai.get_job(_job_id(record))
    if job.status is JobStatus.PAUSED and records.control(record.ref).find("resume"):
        job = azure_openai.resume_job(job.id)
    polling = configuration_of(record).pipeline.polling
    silence = timedelta(seconds=policy.scaled(polling.stalled_after_hours * 3600))
    record = follow(
        record, job, records=records, azure_openai=azure_openai, stalled=clock.now() - silence
    )
    if over := hold_to_approval(request, record, job, records, registry, azure_openai, clock):
        return over
    if job.status is JobStatus.SUCCEEDED and job.fine_tuned_model:
        return Verdict(yes=True, message=job.fine_tuned_model)
    if job.status.is_terminal:
        raise records.refuse(record, _without_model(job))
    wait = delay(
        first_seconds=polling.first_seconds,
        longest_seconds=polling.longest_seconds,
        polls=request.polls,
    )
    return Later(seconds=policy.scaled(wait), reason=job.raw_status)


def _job_id(record: RunRecord) -> str:
    return str((record.job or {})["id"])


def _pause(record: RunRecord, azure_openai: FineTuningService) -> None:
    job = azure_openai.get_job(_job_id(record))
    if job.status is JobStatus.RUNNING:
        azure_openai.pause_job(job.id)


def _without_model(job: FineTuningJob) -> RunEndedError:
    if job.status is JobStatus.CANCELLED:
        return RunEndedError(
            f"The job {job.id} was cancelled at Azure OpenAI.",
            phase=Phase.CANCELLED,
            code="job-cancelled",
            remedy="Repeat the run with `droptune retry`.",
        )
    known = explain_error(job.error_code, job.error_message)
    mend = known.remedy if known.is_known else "Mend what the service names."
    return RunEndedError(
        f"The job {job.id} failed: {job.error_message or 'the service gave no reason'}",
        phase=Phase.FAILED,
        code=f"job-failed{f'.{job.error_code}' if job.error_code else ''}",
        remedy=f"{mend} `droptune retry` trains again.",
        evidence=known.kept if job.error_code or job.error_message else "",
    )


def keep_results(
    request: StepRequest, *, records: RunRecords, azure_openai: FineTuningService
) -> None:
    """Keep the job's metrics file unchanged as `results.csv`; repeating it writes the same."""
    record = records.begin(request.run, Phase.TRAINING)
    job = azure_openai.get_job(_job_id(record))
    follow(record, job, records=records, azure_openai=azure_openai)
    for file_id in job.result_files[:1]:
        records.keep(record.ref, "results.csv", azure_openai.read_file(file_id), "text/csv")

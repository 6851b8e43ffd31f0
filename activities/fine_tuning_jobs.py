"""The paid job of a training: created once, watched, and its results kept."""

from __future__ import annotations

from dataclasses import replace

from activities.claims import HeldClaim, held
from activities.configurations import configuration_of
from activities.job_progress import follow, record_job
from activities.pins import hold_pins
from activities.run_records import PausedError, RunRecords
from droptune.domain.claim import UNKNOWN_FOR, MarkedJob, find_marked
from droptune.domain.configuration import Configuration
from droptune.domain.errors import (
    OutcomeUnknownError,
    RequestRejectedError,
    RunEndedError,
    TransientError,
)
from droptune.domain.identity import file_name, job_suffix
from droptune.domain.job import FineTuningJob, JobRequest, JobStatus
from droptune.domain.phases import Phase
from droptune.domain.poll_schedule import delay
from droptune.domain.run import RunRecord
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
    looked for until the service must have shown it; the mark in the suffix finds it.
    """
    record = records.begin(request.run, Phase.TRAINING, "Submitting the fine-tuning job.")
    configuration = configuration_of(record)
    with held(registry, record) as claim:
        job = _find(record, configuration, claim, azure_openai, clock, policy)
        if isinstance(job, Later):
            return job
        if job is None:
            record = hold_pins(record, datasets=datasets, records=records)
            records.begin(record.ref, Phase.TRAINING)  # the last look for a person's word
            job = _submit(record, configuration, claim, azure_openai, clock)
        own = claim.claim.submitted_by(record.id)
        adopted_from = None if own and own.job == job.id else _maker(claim, job)
    records.update(record.ref, lambda r: replace(record_job(r, job), adopted_from=adopted_from))
    return None


def _find(
    record: RunRecord,
    configuration: Configuration,
    claim: HeldClaim,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> FineTuningJob | Later | None:
    """Return the job to use, when to look again, or None when one has to be submitted."""
    own = claim.claim.submitted_by(record.id)
    if own is not None:
        claim.change(lambda c: c.held_by(record.id))
        return azure_openai.get_job(own.job)
    marked = _marked(record, configuration, azure_openai)
    intent = claim.claim.intent
    if intent is not None:
        shown = next((each for each in marked if each.number == intent.number), None)
        if shown is None:
            patience = UNKNOWN_FOR / policy.time_scale
            if left := claim.claim.outcome_unknown_for(clock.now(), patience):
                wait = min(left, policy.scaled(30))
                return Later(seconds=wait, reason="an earlier submission has no known outcome")
        else:
            claim.change(lambda c: c.settled(intent.run, intent.number, shown.job.id))
            if intent.run == record.id:
                return shown.job
    return _adopt(record, marked, claim)


def _adopt(
    record: RunRecord, marked: tuple[MarkedJob, ...], claim: HeldClaim
) -> FineTuningJob | None:
    usable = next((each for each in marked if each.can_be_adopted), None)
    if usable is None:
        return None
    claim.change(
        lambda c: c.settled(_run_of(claim, usable), usable.number, usable.job.id).held_by(record.id)
    )
    return usable.job


def _run_of(claim: HeldClaim, marked: MarkedJob) -> str:
    known = (each.run for each in claim.claim.submissions if each.job == marked.job.id)
    return next(known, "an earlier run")


def _maker(claim: HeldClaim, job: FineTuningJob) -> str:
    known = (each.run for each in claim.claim.submissions if each.job == job.id)
    return next(known, "an earlier run")


def _marked(
    record: RunRecord, configuration: Configuration, azure_openai: FineTuningService
) -> tuple[MarkedJob, ...]:
    return find_marked(
        azure_openai.list_jobs(),
        training_digest=record.training_digest,
        model=configuration.model or "",
        training_file=file_name("training", record.content["training"]),
        file_names={file.id: file.name for file in azure_openai.list_files()},
    )


def _submit(
    record: RunRecord,
    configuration: Configuration,
    claim: HeldClaim,
    azure_openai: FineTuningService,
    clock: Clock,
) -> FineTuningJob:
    marked = _marked(record, configuration, azure_openai)
    number = claim.claim.next_number(marked)
    if claim.claim.intent is not None:
        number = max(number, claim.claim.intent.number)
    claim.change(lambda c: c.intending(record.id, number, clock.now()))
    try:
        job = azure_openai.create_job(_request(record, configuration, number))
    except OutcomeUnknownError as lost:
        raise TransientError(f"no answer to the submission: {lost}", retry_after=5) from lost
    except (RequestRejectedError, TransientError):
        claim.change(lambda c: c.without_intent().let_go(record.id))
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
    )


def get_fine_tuning_job(
    request: StepRequest,
    *,
    records: RunRecords,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> Verdict | Later:
    """Look once at the job and keep what it says; a job that ended without a model ends the run."""
    try:
        record = records.begin(request.run, Phase.TRAINING)
    except PausedError:
        _pause(records.get(request.run), azure_openai)
        raise
    job = azure_openai.get_job(_job_id(record))
    if job.status is JobStatus.PAUSED:
        job = azure_openai.resume_job(job.id)
    record = follow(record, job, records=records, azure_openai=azure_openai)
    _hold_to_what_was_approved(record, job, azure_openai)
    if job.status is JobStatus.SUCCEEDED and job.fine_tuned_model:
        return Verdict(yes=True, message=job.fine_tuned_model)
    if job.status.is_terminal:
        raise _without_model(job)
    polling = configuration_of(record).pipeline.polling
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


def _hold_to_what_was_approved(
    record: RunRecord, job: FineTuningJob, azure_openai: FineTuningService
) -> None:
    epochs, approved = job.hyperparameters.get("n_epochs"), record.cost.get("epochs_high")
    if isinstance(epochs, int) and isinstance(approved, int | float) and epochs > approved:
        azure_openai.cancel_job(job.id)
        raise RunEndedError(
            f"The service chose {epochs} epochs for `auto`; the estimate was made for {approved}.",
            phase=Phase.REJECTED,
            code="over-approval",
            remedy="Write n_epochs into fine-tune-job.yaml and drop the dataset again.",
        )


def _without_model(job: FineTuningJob) -> RunEndedError:
    if job.status is JobStatus.CANCELLED:
        return RunEndedError(
            f"The job {job.id} was cancelled at Azure OpenAI.",
            phase=Phase.CANCELLED,
            code="job-cancelled",
            remedy="Repeat the run with `droptune retry`.",
        )
    return RunEndedError(
        f"The job {job.id} failed: {job.error_message or 'the service gave no reason'}",
        phase=Phase.FAILED,
        code=f"job-failed{f'.{job.error_code}' if job.error_code else ''}",
        remedy="Mend what the service names; `droptune retry` trains again.",
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

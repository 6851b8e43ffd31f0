"""Letting go of what runs share: the job of a training, and the files that it reads."""

from __future__ import annotations

from datetime import timedelta

from activities.claims import HeldClaim, held
from activities.job_progress import record_job
from activities.marked_jobs import list_marked
from activities.run_records import RunRecords
from droptune.domain.claim import UNKNOWN_FOR
from droptune.domain.errors import NotFoundError
from droptune.domain.job import FineTuningJob
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock, FineTuningService
from droptune.domain.steps import Later, Policy

_NO_OUTCOME = "an earlier submission has no known outcome"


def release_job(
    record: RunRecord,
    *,
    stop: bool,
    records: RunRecords,
    registry: BlobStore,
    azure_openai: FineTuningService,
    clock: Clock,
    policy: Policy,
) -> Later | None:
    """Take a run from the holders of its job; with `stop` the last of them cancels the job.

    Answers later until the service says that the job has ended, or until a submission without an
    answer must have shown itself. Whoever has let go finds nothing more to do.
    """
    if not record.files and not record.job:
        return None
    with held(registry, record) as claim:
        if stop and not set(claim.claim.holders) - {record.id}:
            patience = UNKNOWN_FOR / policy.time_scale
            if left := _settle(record, claim, azure_openai, clock, patience):
                return Later(seconds=min(left, policy.scaled(30)), reason=_NO_OUTCOME)
            jobs = _own(record, claim)
            ended = [_stop(job, record, claim, records, azure_openai) for job in jobs]
            if not all(ended):
                return Later(seconds=policy.scaled(10), reason="the job is being cancelled")
        claim.change(lambda c: c.let_go(record.id))
    return None


def _settle(
    record: RunRecord,
    claim: HeldClaim,
    azure_openai: FineTuningService,
    clock: Clock,
    patience: timedelta,
) -> float:
    """Look for a submission of this run whose answer was lost; return for how long to go on."""
    intent = claim.claim.intent
    if intent is None or intent.run != record.id:
        return 0.0
    marked = list_marked(record, azure_openai)
    shown = next((each for each in marked if each.number == intent.number), None)
    if shown is not None:
        claim.change(lambda c: c.settled(intent.run, intent.number, shown.job.id))
        return 0.0
    if left := claim.claim.outcome_unknown_for(clock.now(), patience):
        return left
    claim.change(lambda c: c.without_intent())
    return 0.0


def _own(record: RunRecord, claim: HeldClaim) -> tuple[str, ...]:
    """Return the ids of the jobs that run for this run alone: also one it does not know of yet."""
    known = [str(record.job["id"])] if record.job else []
    if record.id in claim.claim.holders and claim.claim.submissions:
        known.append(claim.claim.submissions[-1].job)
    return tuple(dict.fromkeys(known))


def _stop(
    job_id: str,
    record: RunRecord,
    claim: HeldClaim,
    records: RunRecords,
    azure_openai: FineTuningService,
) -> bool:
    """Cancel a job unless it is terminal; return whether it is."""
    try:
        job = azure_openai.get_job(job_id)
    except NotFoundError:
        return True
    if not job.status.is_terminal:
        claim.change(lambda c: c.cancelling(job_id))  # from here on nobody adopts it
        job = azure_openai.cancel_job(job_id)
    _note(job, record, records)
    return job.status.is_terminal


def _note(job: FineTuningJob, record: RunRecord, records: RunRecords) -> None:
    def change(known: RunRecord) -> RunRecord:
        return record_job(known, job) if (known.job or {}).get("id") == job.id else known

    records.update(record.ref, change, known=record)


def release_files(
    record: RunRecord, *, records: RunRecords, azure_openai: FineTuningService
) -> None:
    """Delete a run's files unless another open run or a live job names them."""
    own = set(record.files.values())
    if not own:
        return
    used = records.shared_files(record) | _named_by_jobs(azure_openai)
    for file_id in sorted(own - used):
        azure_openai.delete_file(file_id)
    for file_id in sorted(own):
        records.forget_file(record.ref, file_id)


def _named_by_jobs(azure_openai: FineTuningService) -> set[str]:
    live = (job for job in azure_openai.list_jobs() if not job.status.is_terminal)
    return {name for job in live for name in (job.training_file, job.validation_file or "")}

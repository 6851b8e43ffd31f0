"""A job that takes more epochs than were approved: it is cancelled, and a person is asked."""

from __future__ import annotations

from dataclasses import replace

from activities.claims import held
from activities.run_records import RunRecords
from droptune.domain.errors import RunEndedError
from droptune.domain.job import FineTuningJob, JobStatus
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock, FineTuningService
from droptune.domain.steps import StepRequest, Verdict

APPROVED = "approved"  # the second submission of a run, after a person approved its epochs


def hold_to_approval(
    request: StepRequest,
    record: RunRecord,
    job: FineTuningJob,
    records: RunRecords,
    registry: BlobStore,
    azure_openai: FineTuningService,
    clock: Clock,
) -> Verdict | None:
    """Return None while a job keeps to what was approved, else cancel it and ask.

    An adopted job costs its run nothing, and an ended one cannot be stopped: both are let be. A job
    that others hold goes on. Raises RunEndedError when it happens again after the approval.
    """
    epochs, approved = epochs_of(job.hyperparameters), record.cost.get("epochs_high")
    is_over = epochs is not None and isinstance(approved, int | float) and epochs > approved
    ended = job.status in (JobStatus.SUCCEEDED, JobStatus.FAILED)
    if not is_over or ended or record.adopted_from is not None:
        return None
    reason = f"The service chose {epochs} epochs for `auto`, and {approved} were approved."
    if request.about == APPROVED:
        raise _over(reason)
    if not _cancelled(record, job, registry, azure_openai):
        return None
    reasons = (f"{reason}{_price(record, epochs)}",)
    at = clock.now()

    def change(known: RunRecord) -> RunRecord:
        if (known.job or {}).get("id") != job.id:
            return known  # the answer is there, and another job has taken its place
        return replace(known, approval_reasons=reasons).asking(Phase.AWAITING_APPROVAL, at=at)

    records.update(record.ref, change)
    return Verdict(yes=False, needs_approval=True, message=reason)


def _cancelled(
    record: RunRecord, job: FineTuningJob, registry: BlobStore, azure_openai: FineTuningService
) -> bool:
    """Cancel the job unless others hold it; whether there is something to ask."""
    with held(registry, record) as claim:
        if job.status is JobStatus.CANCELLED:
            return claim.claim.is_being_cancelled(job.id)
        if not set(claim.claim.holders) - {record.id}:
            claim.change(lambda c: c.cancelling(job.id))
            azure_openai.cancel_job(job.id)
    return True


def epochs_of(hyperparameters: object) -> int | None:
    """Return the number of epochs that the service resolved, or None while it has not."""
    found = hyperparameters.get("n_epochs") if isinstance(hyperparameters, dict) else None
    return found if isinstance(found, int) and found > 0 else None


def with_approved_epochs(record: RunRecord) -> RunRecord:
    """Return the record with the epochs of its job approved, and the cost that they mean."""
    epochs = epochs_of(dict((record.job or {}).get("hyperparameters") or {}))
    approved = record.cost.get("epochs_high")
    if epochs is None or not isinstance(approved, int | float) or epochs <= approved:
        return record
    high = _high(record, epochs)
    return replace(record, cost={**record.cost, "epochs_high": epochs, "high": high})


def _high(record: RunRecord, epochs: int) -> float | None:
    high, approved = record.cost.get("high"), record.cost.get("epochs_high")
    if not isinstance(high, int | float) or not approved:
        return None
    return round(float(high) * epochs / float(approved), 4)


def _price(record: RunRecord, epochs: int | None) -> str:
    high = _high(record, epochs) if epochs else None
    return "" if high is None else f" Training may cost ${high:.2f}."


def _over(reason: str) -> RunEndedError:
    return RunEndedError(
        reason,
        phase=Phase.REJECTED,
        code="over-approval",
        remedy="Write n_epochs into fine-tune-job.yaml and drop the dataset again.",
    )

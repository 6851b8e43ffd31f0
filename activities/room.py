"""Room at the service: its published limits, and refusals that mean "full"."""

from __future__ import annotations

from collections.abc import Sequence

from droptune.domain.deployment import Deployment
from droptune.domain.errors import DroptuneError, RequestRejectedError
from droptune.domain.job import FineTuningJob, JobStatus

MOST_QUEUED_JOBS = 20  # Source: facts 1.8, [QUOTA] of Feb 2026; newer values unconfirmed
MOST_JOBS = 100
MOST_FILES = 100
MOST_FINE_TUNED_DEPLOYMENTS = 10
_FULL = frozenset({"quotaexceeded", "insufficientquota", "insufficientresources"})
_STARTED = (JobStatus.RUNNING, JobStatus.PAUSING, JobStatus.PAUSED, JobStatus.RESUMING)


def is_full(error: DroptuneError) -> bool:
    """Whether a refusal means that there is no room now, which waiting cures."""
    code = error.service_code if isinstance(error, RequestRejectedError) else ""
    return code.casefold() in _FULL


def lacking_for_job(jobs: Sequence[FineTuningJob]) -> str:
    """Return why no job can be submitted now, or ""."""
    ended_or_started = sum(job.status.is_terminal or job.status in _STARTED for job in jobs)
    queued = len(jobs) - ended_or_started
    if queued >= MOST_QUEUED_JOBS:
        return f"{queued} jobs are queued at Azure, which is all that it takes."
    if len(jobs) >= MOST_JOBS:
        return f"Azure keeps {MOST_JOBS} jobs, and there are {len(jobs)}; delete old ones."
    return ""


def lacking_for_files(files: int) -> str:
    """Return why no file can be uploaded now, or ""."""
    if files >= MOST_FILES:
        return f"Azure keeps {MOST_FILES} files, and there are {files}; delete old ones."
    return ""


def lacking_for_deployments(deployments: Sequence[Deployment], wanted: int) -> str:
    """Return why so many more fine-tuned models cannot be deployed now, or ""."""
    taken = sum(".ft-" in deployment.model for deployment in deployments)
    if taken + wanted > MOST_FINE_TUNED_DEPLOYMENTS:
        return (
            f"{taken} fine-tuned models are deployed, {wanted} more are wanted, and Azure takes "
            f"{MOST_FINE_TUNED_DEPLOYMENTS}; delete what is not used."
        )
    return ""

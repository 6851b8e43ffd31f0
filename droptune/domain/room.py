"""Whether the service has room for one more run, and what is in the way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from droptune.domain.findings import Problem
from droptune.domain.service_limits import Observed, ServiceLimits
from droptune.domain.waiting_line import Ticket


def pool_has_room(
    pool: str, tickets: Sequence[Ticket], observed: Observed, limits: ServiceLimits
) -> bool:
    """Whether one more job of a pool may be under way. A run whose turn has come takes a place
    until its job does."""
    jobs = {job for job, of in observed.unfinished.items() if of == pool}
    granted = [each for each in tickets if not each.waits and each.pool == pool]
    jobs |= {each.job for each in granted if each.job}
    taken = len(jobs) + sum(not each.job for each in granted)
    return taken < limits.places(pool)


def obstacle(
    ticket: Ticket,
    tickets: Sequence[Ticket],
    observed: Observed,
    limits: ServiceLimits,
    now: datetime,
) -> str:
    """Return what is in the way of a ticket, or "". Files of a granted run count until its job is
    there, uploaded or not."""
    granted = [each for each in tickets if not each.waits]
    coming = [each for each in granted if not each.job]
    unseen = [each for each in granted if each.job and each.job not in observed.unfinished]
    jobs = len(coming) + len(unseen)
    if len(observed.unfinished) + jobs >= sum(limits.running.values()) + limits.queued:
        return "the service takes no more jobs at one time"
    if observed.jobs + jobs >= limits.jobs:
        return f"the service keeps {limits.jobs} jobs, and the last places are promised"
    if observed.files + sum(each.files for each in coming) + ticket.files > limits.files:
        return f"the service keeps {limits.files} files"
    size = sum(each.size_bytes for each in coming) + ticket.size_bytes
    if observed.file_bytes + size > limits.file_bytes:
        return f"the service keeps {limits.file_bytes / 1e9:.2g} GB of files"
    recent = [e for e in granted if e.granted_at and now - e.granted_at < timedelta(seconds=1)]
    if sum(each.files for each in recent) + ticket.files > limits.uploads_per_second:
        return f"the service takes {limits.uploads_per_second} uploads a second"
    return ""


def no_place_can_come(
    files: int, size_bytes: int, observed: Observed, limits: ServiceLimits
) -> Problem | None:
    """Return why waiting is in vain, or None."""
    if size_bytes > limits.file_bytes or files > limits.files:
        return Problem(
            code="dataset-too-large",
            message=f"The service keeps {limits.file_bytes:,} bytes of files, and the dataset's "
            f"are {size_bytes:,}.",
            remedy="Train on less data.",
        )
    if observed.jobs >= limits.jobs and not limits.deletes_jobs:
        return Problem(
            code="no-place-for-jobs",
            message=f"The account keeps {observed.jobs} jobs, which is all that it takes, and "
            "its API cannot delete one.",
            remedy="Delete old jobs in the portal or with a dated API version, or use another "
            "account; then repeat the run.",
        )
    return None

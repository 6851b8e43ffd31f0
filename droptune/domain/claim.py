"""The claim on a training: who may submit its job, and which runs hold what was submitted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from droptune.domain.identity import MARK_LENGTH
from droptune.domain.job import FineTuningJob, JobStatus
from droptune.domain.payload import Model

UNKNOWN_FOR = timedelta(minutes=10)


@dataclass(frozen=True, kw_only=True, slots=True)
class Intent(Model):
    """A submission that is about to be made, or whose answer was lost.

    Attributes:
        number: the how-manieth job of this training it makes; stands in its mark.
    """

    run: str
    number: int
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission(Model):
    """A job that was submitted for this training, and by which run.

    Attributes:
        cancelled: its last holder asked the service to cancel it; what then succeeds all the same
            may be adopted.
    """

    run: str
    number: int
    job: str
    cancelled: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class JobClaim(Model):
    """`registry/<project>/jobs/<training digest>.json`.

    Attributes:
        intent: a submission without a known answer: "outcome unknown" until it is settled.
        submissions: jobs of this training, oldest first.
        holders: ids of the runs that need the newest job.
    """

    training_digest: str
    schema_version: int = 1
    intent: Intent | None = None
    submissions: tuple[Submission, ...] = ()
    holders: tuple[str, ...] = ()

    def held_by(self, run: str) -> JobClaim:
        """Return the claim with a run among its holders."""
        return self if run in self.holders else replace(self, holders=(*self.holders, run))

    def let_go(self, run: str) -> JobClaim:
        """Return the claim without a run among its holders."""
        return replace(self, holders=tuple(each for each in self.holders if each != run))

    def intending(self, run: str, number: int, at: datetime) -> JobClaim:
        """Return the claim with an intent to submit."""
        return replace(self.held_by(run), intent=Intent(run=run, number=number, at=at))

    def without_intent(self) -> JobClaim:
        """Return the claim after a submission that the service certainly refused."""
        return replace(self, intent=None)

    def settled(self, run: str, number: int, job: str) -> JobClaim:
        """Return the claim with a job known, made by `run`."""
        known = any(each.job == job for each in self.submissions)
        made = Submission(run=run, number=number, job=job)
        submissions = self.submissions if known else (*self.submissions, made)
        return replace(self, intent=None, submissions=submissions)

    def cancelling(self, job: str) -> JobClaim:
        """Return the claim after its last holder decided to cancel a job."""
        marked = (replace(s, cancelled=s.cancelled or s.job == job) for s in self.submissions)
        return replace(self, submissions=tuple(marked))

    def is_being_cancelled(self, job: str) -> bool:
        """Whether a holder has asked the service to cancel a job."""
        return any(each.job == job and each.cancelled for each in self.submissions)

    def submitted_by(self, run: str) -> Submission | None:
        """Return the newest job that a run submitted itself, or None."""
        return next((each for each in reversed(self.submissions) if each.run == run), None)

    def next_number(self, marked: Iterable[MarkedJob]) -> int:
        """Return the number of the next job: one above everything known here or at the service."""
        made = [submission.number for submission in self.submissions]
        return max([*made, *(each.number for each in marked)], default=0) + 1

    def outcome_unknown_for(self, now: datetime, patience: timedelta = UNKNOWN_FOR) -> float:
        """Return for how many seconds an unanswered submission may still show; 0: no more."""
        if self.intent is None:
            return 0.0
        return max(0.0, (self.intent.at + patience - now).total_seconds())


@dataclass(frozen=True, kw_only=True, slots=True)
class MarkedJob:
    """A job at the service that carries this training's mark."""

    number: int
    job: FineTuningJob

    @property
    def can_be_adopted(self) -> bool:
        """Whether another run may use it: a failed or cancelled job never is."""
        return self.job.status not in (JobStatus.FAILED, JobStatus.CANCELLED)

    @property
    def has_succeeded(self) -> bool:
        """Whether the job has ended with a model."""
        return self.job.status is JobStatus.SUCCEEDED


def find_marked(
    jobs: Iterable[FineTuningJob],
    *,
    training_digest: str,
    model: str,
    training_file: str,
    file_names: Mapping[str, str],
) -> tuple[MarkedJob, ...]:
    """Return this training's jobs among all jobs, newest first.

    A job is ours if its suffix or model name carries the mark and model and training file agree.
    `training_file` is the file's name, which carries the content's hash; `file_names` maps the ids
    of the files that still exist to their names. A file that was deleted since contradicts nothing.
    """
    found = []
    for job in jobs:
        number = _number(job, training_digest)
        agrees = _is_same_model(job.model, model)
        same_file = file_names.get(job.training_file, training_file) == training_file
        if number is not None and agrees and same_file:
            found.append(MarkedJob(number=number, job=job))
    return tuple(sorted(found, key=lambda each: each.number, reverse=True))


def _is_same_model(shown: str, asked: str) -> bool:
    """Whether the service's name of a model is what was asked for: it adds versions, and echoes
    `ministral-3b` as `Ministral-3B` (facts 1.4)."""
    names = sorted((shown.casefold(), asked.casefold()), key=len)
    return names[1].startswith(names[0])


def _number(job: FineTuningJob, training_digest: str) -> int | None:
    mark = re.compile(rf"(?:^|[-.:]){training_digest[:MARK_LENGTH]}(?:-(\d{{1,4}}))?$", re.I)
    for place in (job.suffix, job.user_provided_suffix, job.fine_tuned_model or ""):
        if found := mark.search(place):
            return int(found.group(1) or 1)
    return None

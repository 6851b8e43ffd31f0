"""A training's own jobs among all jobs of the service."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from activities.configurations import configuration_of
from droptune.domain.claim import MarkedJob, Submission, find_marked
from droptune.domain.errors import NotFoundError
from droptune.domain.identity import file_name
from droptune.domain.job import FineTuningJob, TrainingFile
from droptune.domain.run import RunRecord
from droptune.domain.services import FineTuningService


@dataclass(frozen=True, kw_only=True, slots=True)
class Kept:
    """What the service keeps, as one look found it; a job's files are in it."""

    jobs: tuple[FineTuningJob, ...]
    files: tuple[TrainingFile, ...]


def list_kept(azure_openai: FineTuningService) -> Kept:
    """Return the account's jobs and files, whoever made them. Reads only."""
    jobs = tuple(azure_openai.list_jobs())
    return Kept(jobs=jobs, files=tuple(azure_openai.list_files()))


def list_marked(record: RunRecord, azure_openai: FineTuningService) -> tuple[MarkedJob, ...]:
    """Return the jobs that carry the mark of a run's training, newest first. Reads only."""
    return marked_of(record, list_kept(azure_openai))


def marked_of(record: RunRecord, kept: Kept) -> tuple[MarkedJob, ...]:
    """Return those of the kept jobs that carry the mark of a run's training, newest first."""
    return find_marked(
        kept.jobs,
        training_digest=record.training_digest,
        model=configuration_of(record).model or "",
        training_file=file_name("training", record.content["training"]),
        file_names={file.id: file.name for file in kept.files},
    )


def list_known(
    record: RunRecord, submissions: Iterable[Submission], azure_openai: FineTuningService
) -> tuple[MarkedJob, ...]:
    """Return the marked jobs with those that were submitted and no list shows yet, newest first.

    A job may stand in lists minutes after its submission was answered; by its id it is there at
    once.
    """
    found = list(list_marked(record, azure_openai))
    listed = {each.job.id for each in found}
    for made in submissions:
        if made.job not in listed:
            with suppress(NotFoundError):
                found.append(MarkedJob(number=made.number, job=azure_openai.get_job(made.job)))
    return tuple(sorted(found, key=lambda each: each.number, reverse=True))

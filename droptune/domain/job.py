"""An Azure OpenAI fine-tuning job, its files and its progress, as the domain sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from droptune.domain.payload import Model


class JobStatus(StrEnum):
    """Status of a fine-tuning job. Source: facts 1.4, dated and v1 contracts; the enums are
    open."""

    VALIDATING_FILES = "validating_files"
    CREATED = "created"
    QUEUED = "queued"
    PENDING = "pending"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    RESUMING = "resuming"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNRECOGNISED = "unrecognised"

    @classmethod
    def _missing_(cls, value: object) -> JobStatus:
        return cls.UNRECOGNISED

    @property
    def is_terminal(self) -> bool:
        """Whether the status will not change."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


class FileStatus(StrEnum):
    """Status of a file at Azure OpenAI. Source: dated contract 2025-04-01-preview."""

    UPLOADED = "uploaded"
    PENDING = "pending"
    RUNNING = "running"
    PROCESSED = "processed"
    ERROR = "error"
    DELETING = "deleting"
    DELETED = "deleted"
    UNRECOGNISED = "unrecognised"

    @classmethod
    def _missing_(cls, value: object) -> FileStatus:
        return cls.UNRECOGNISED


@dataclass(frozen=True, kw_only=True, slots=True)
class TrainingFile(Model):
    """A file at Azure OpenAI.

    Attributes:
        detail: the service's reason when the status is `error`, or "".
    """

    id: str
    name: str
    size_bytes: int
    status: FileStatus
    created_at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRequest(Model):
    """What is asked of the service; `extra_body` is sent at the top level (`trainingType`)."""

    model: str
    training_file: str
    suffix: str
    validation_file: str | None = None
    seed: int | None = None
    method: Mapping[str, Any] | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    integrations: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class FineTuningJob(Model):
    """A fine-tuning job.

    Attributes:
        raw_status: the status exactly as the service wrote it.
        fine_tuned_model: name of the model; only a succeeded job has one.
        trained_tokens: billed tokens, known when the job has succeeded.
        hyperparameters: as resolved so far; -1 stands for auto.
        error_code, error_message: the service's reason when the job failed, or "".
        result_files: ids of the metrics files.
        marked_suffixes: every place in which our mark may show: `suffix`, `user_provided_suffix`.
    """

    id: str
    status: JobStatus
    raw_status: str
    model: str
    training_file: str
    created_at: datetime
    validation_file: str | None = None
    finished_at: datetime | None = None
    estimated_finish: datetime | None = None
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    suffix: str = ""
    user_provided_suffix: str = ""
    training_type: str = ""
    error_code: str = ""
    error_message: str = ""
    result_files: tuple[str, ...] = ()

    def carries(self, mark: str) -> bool:
        """Whether our mark shows in the suffix or in the model's name, case ignored."""
        places = (self.suffix, self.user_provided_suffix, self.fine_tuned_model or "")
        return any(place.casefold().endswith(mark.casefold()) for place in places)


@dataclass(frozen=True, kw_only=True, slots=True)
class JobEvent(Model):
    """One event of a job. `data` holds the metrics of a step, if any."""

    id: str
    created_at: datetime
    level: str
    type: str
    message: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint(Model):
    """A checkpoint that the service kept."""

    id: str
    created_at: datetime
    step: int
    model: str
    metrics: Mapping[str, Any] = field(default_factory=dict)

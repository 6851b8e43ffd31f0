"""Azure OpenAI's data plane in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, BinaryIO

from droptune.domain.deployment import ChatAnswer
from droptune.domain.errors import NotFoundError, RequestRejectedError
from droptune.domain.job import (
    Checkpoint,
    FileStatus,
    FineTuningJob,
    JobEvent,
    JobRequest,
    JobStatus,
    TrainingFile,
)
from droptune.domain.services import Clock
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import Scripted


class FakeFineTuning(Scripted):
    """A service whose jobs move only when a test moves them.

    Attributes:
        files, contents: by file id; a test may change a file with `set_file`.
        jobs, requests: by job id, oldest first.
        next_file_status: status in which an uploaded file begins.
        deployments: names that the data plane answers for.
        slow_cancellations: how many cancellations are heard but not carried out yet.
        answer: what every chat completion says.
        unlisted: ids of jobs that no list shows yet.
        gone_models: fine-tuned models that somebody has deleted.
        chats: (deployment, messages) of every completion, in order.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self.clock = clock or FakeClock()
        self.files: dict[str, TrainingFile] = {}
        self.contents: dict[str, bytes] = {}
        self.jobs: dict[str, FineTuningJob] = {}
        self.requests: dict[str, JobRequest] = {}
        self.events: dict[str, list[JobEvent]] = {}
        self.checkpoints: dict[str, list[Checkpoint]] = {}
        self.next_file_status = FileStatus.PROCESSED
        self.deployments: set[str] = set()
        self.slow_cancellations = 0
        self.answer = "An answer."
        self.chats: list[tuple[str, Sequence[Mapping[str, Any]]]] = []
        self.unlisted: set[str] = set()
        self.gone_models: set[str] = set()
        self._ids = 0

    def set_file(self, file_id: str, status: FileStatus, *, detail: str = "") -> None:
        """Let a file reach a status."""
        self.files[file_id] = replace(self.files[file_id], status=status, detail=detail)

    def set_job(self, job_id: str, **changes: Any) -> FineTuningJob:
        """Change fields of a job; `status` may be text that the service would write."""
        if "status" in changes:
            raw = str(changes["status"])
            changes |= {"status": JobStatus(raw), "raw_status": raw}
        self.jobs[job_id] = replace(self.jobs[job_id], **changes)
        return self.jobs[job_id]

    def finish_job(self, job_id: str, *, trained_tokens: int = 1000) -> FineTuningJob:
        """Let a job succeed, with a model and a metrics file."""
        job = self.jobs[job_id]
        model = f"{job.model}.ft-{job_id.removeprefix('ftjob-')}-{job.suffix}"
        results = self._new_file("results.csv", b"step,train_loss\n1,2.5\n2,1.5\n")
        return self.set_job(
            job_id,
            status="succeeded",
            fine_tuned_model=model,
            trained_tokens=trained_tokens,
            finished_at=self.clock.now(),
            result_files=(results.id,),
        )

    def fail_job(self, job_id: str, code: str, message: str) -> FineTuningJob:
        """Let a job fail for a reason."""
        return self.set_job(
            job_id,
            status="failed",
            error_code=code,
            error_message=message,
            finished_at=self.clock.now(),
        )

    def list_files(self) -> Sequence[TrainingFile]:
        """See FineTuningService."""
        with self._call("list_files"):
            return tuple(file for file in self.files.values() if file.name != "results.csv")

    def upload_file(self, name: str, content: BinaryIO, size_bytes: int) -> TrainingFile:
        """See FineTuningService."""
        with self._call("upload_file"):
            data = content.read()
            if len(data) != size_bytes:
                raise RequestRejectedError(f"{name}: {len(data)} bytes came, not {size_bytes}")
            return self._new_file(name, data)

    def find_file(self, file_id: str) -> TrainingFile | None:
        """See FineTuningService."""
        with self._call("find_file"):
            return self.files.get(file_id)

    def delete_file(self, file_id: str) -> None:
        """See FineTuningService."""
        with self._call("delete_file"):
            self.files.pop(file_id, None)
            self.contents.pop(file_id, None)

    def list_jobs(self) -> Iterator[FineTuningJob]:
        """See FineTuningService."""
        with self._call("list_jobs"):
            listed = [job for job in self.jobs.values() if job.id not in self.unlisted]
            return iter(listed[::-1])

    def create_job(self, request: JobRequest) -> FineTuningJob:
        """See FineTuningService."""
        with self._call("create_job"):
            if request.training_file not in self.files:
                raise RequestRejectedError(
                    "The specified file reference must point to a completed file import.",
                    service_code="invalidPayload",
                )
            job = self._job(request, f"ftjob-{self._next_id()}")
            self.jobs[job.id] = job
            self.requests[job.id] = request
            return job

    def get_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService."""
        with self._call("get_job"):
            return self._existing(job_id)

    def cancel_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService."""
        with self._call("cancel_job"):
            job = self._existing(job_id)
            if job.status.is_terminal:
                return job
            if self.slow_cancellations:
                self.slow_cancellations -= 1
                return job
            return self.set_job(job_id, status="cancelled", finished_at=self.clock.now())

    def pause_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService."""
        with self._call("pause_job"):
            if self._existing(job_id).status is not JobStatus.RUNNING:
                raise RequestRejectedError("Only a running job can be paused.")
            return self.set_job(job_id, status="paused")

    def resume_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService."""
        with self._call("resume_job"):
            if self._existing(job_id).status is not JobStatus.PAUSED:
                raise RequestRejectedError("Only a paused job can be resumed.")
            return self.set_job(job_id, status="running")

    def list_events(self, job_id: str, *, limit: int = 1000) -> Sequence[JobEvent]:
        """See FineTuningService."""
        with self._call("list_events"):
            self._existing(job_id)
            return tuple(self.events.get(job_id, ())[-limit:])

    def list_checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        """See FineTuningService."""
        with self._call("list_checkpoints"):
            self._existing(job_id)
            return tuple(self.checkpoints.get(job_id, ()))

    def read_file(self, file_id: str) -> bytes:
        """See FineTuningService."""
        with self._call("read_file"):
            if file_id not in self.contents:
                raise NotFoundError(f"no file {file_id}")
            return self.contents[file_id]

    def has_model(self, model: str) -> bool:
        """See FineTuningService."""
        with self._call("has_model"):
            made = {job.fine_tuned_model for job in self.jobs.values()}
            return model in made and model not in self.gone_models

    def complete_chat(
        self,
        deployment: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        max_tokens: int = 256,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> ChatAnswer:
        """See FineTuningService."""
        with self._call("complete_chat"):
            if deployment not in self.deployments:
                raise NotFoundError(
                    "The API deployment for this resource does not exist.",
                    service_code="DeploymentNotFound",
                )
            self.chats.append((deployment, messages))
            return ChatAnswer(
                content=self.answer,
                prompt_tokens=10,
                completion_tokens=3,
                latency_ms=120,
                finish_reason="stop",
            )

    def _next_id(self) -> str:
        self._ids += 1
        return f"{self._ids:032x}"

    def _existing(self, job_id: str) -> FineTuningJob:
        if job_id not in self.jobs:
            raise NotFoundError(f"no job {job_id}")
        return self.jobs[job_id]

    def _new_file(self, name: str, data: bytes) -> TrainingFile:
        file = TrainingFile(
            id=f"file-{self._next_id()}",
            name=name,
            size_bytes=len(data),
            status=self.next_file_status,
            created_at=self.clock.now(),
        )
        self.files[file.id] = file
        self.contents[file.id] = data
        return file

    def _job(self, request: JobRequest, job_id: str) -> FineTuningJob:
        return FineTuningJob(
            id=job_id,
            status=JobStatus.PENDING,
            raw_status="pending",
            model=request.model,
            training_file=request.training_file,
            validation_file=request.validation_file,
            created_at=self.clock.now(),
            hyperparameters={"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": -1},
            seed=request.seed,
            suffix=request.suffix,
            training_type=str(request.extra_body.get("trainingType", "")),
        )

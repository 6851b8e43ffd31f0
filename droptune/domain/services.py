"""What the product asks of the world: Protocols that adapters and fakes implement.

Every method raises `TransientError` for what a later try may cure and `RequestRejectedError` for a
lasting no; nothing is retried here (retries have one owner, the step).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from droptune.domain.deployment import (
    Account,
    AccountModel,
    Capacity,
    ChatAnswer,
    Deployment,
    DeploymentRequest,
)
from droptune.domain.job import Checkpoint, FineTuningJob, JobEvent, JobRequest, TrainingFile


class Clock(Protocol):
    """The time outside orchestrators."""

    def now(self) -> datetime:
        """Return the aware UTC time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class BlobInfo:
    """What a listing says of a blob; `name` is the path inside its container."""

    name: str
    etag: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class StoredBlob:
    """A small blob, read whole."""

    data: bytes
    etag: str


class BlobStore(Protocol):
    """The blobs of one container. ETags are opaque and compared as text."""

    def find(self, name: str) -> StoredBlob | None:
        """Return a small blob (at most a few MB), or None."""

    def find_info(self, name: str) -> BlobInfo | None:
        """Return a blob's properties, or None."""

    def write(
        self,
        name: str,
        data: bytes,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
        lease: str | None = None,
        content_type: str = "application/json",
    ) -> str:
        """Write a blob in one conditional step and return its new ETag; ConflictError when the
        condition does not hold (also when somebody else holds a lease on it)."""

    def delete(self, name: str, *, if_match: str | None = None) -> None:
        """Delete a blob; a missing one is no error."""

    def list(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> Iterator[BlobInfo]:
        """Iterate over the blobs under a prefix in order of name, beginning behind `after`."""

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """Iterate over the names of the folders directly below a prefix (`a/` -> `a/b/`)."""

    def open(
        self, name: str, *, start: int = 0, end: int | None = None, if_match: str | None = None
    ) -> Iterator[bytes]:
        """Stream a byte range in chunks of 8 MiB at most; ConflictError when the ETag has changed,
        BlobNotFoundError when the blob is gone."""

    def acquire_lease(self, name: str, seconds: int) -> str:
        """Lease an existing blob for 15 to 60 s and return the lease id; ConflictError when
        held."""

    def release_lease(self, name: str, lease: str) -> None:
        """Give a lease back; a lost lease is no error."""


class FineTuningService(Protocol):
    """Azure OpenAI's data plane: files, fine-tuning jobs, chat."""

    def list_files(self) -> Sequence[TrainingFile]:
        """Return all files with purpose fine-tune."""

    def upload_file(self, name: str, content: BinaryIO, size_bytes: int) -> TrainingFile:
        """Upload a file, streamed; `content` is seekable. Above 100 MB through the Uploads API.

        Raises OutcomeUnknownError when no answer came: look for the file by its name before
        another try.
        """

    def find_file(self, file_id: str) -> TrainingFile | None:
        """Return a file, or None when the service does not know it."""

    def delete_file(self, file_id: str) -> None:
        """Delete a file; a missing one is no error."""

    def list_jobs(self) -> Iterator[FineTuningJob]:
        """Iterate over all pages of jobs, newest first."""

    def create_job(self, request: JobRequest) -> FineTuningJob:
        """Create a job with a single POST; OutcomeUnknownError when no answer came."""

    def get_job(self, job_id: str) -> FineTuningJob:
        """Return a job; NotFoundError when the service does not know it."""

    def cancel_job(self, job_id: str) -> FineTuningJob:
        """Ask the service to cancel a job; a terminal job is returned as it is."""

    def pause_job(self, job_id: str) -> FineTuningJob:
        """Ask the service to pause a running job."""

    def resume_job(self, job_id: str) -> FineTuningJob:
        """Ask the service to resume a paused job."""

    def list_events(self, job_id: str, *, limit: int = 1000) -> Sequence[JobEvent]:
        """Return a job's newest events, oldest of them first."""

    def list_checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        """Return a job's checkpoints, oldest first."""

    def read_file(self, file_id: str) -> bytes:
        """Return the content of a (small) result file."""

    def has_model(self, model: str) -> bool:
        """Whether the service knows a model, also one that it has fine-tuned."""

    def complete_chat(
        self,
        deployment: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        max_tokens: int = 256,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> ChatAnswer:
        """Ask a deployment. NotFoundError while the data plane does not know the deployment yet."""


class ResourceManager(Protocol):
    """Azure Resource Manager, for one Azure OpenAI account."""

    def get_account(self) -> Account:
        """Return the account's location and endpoint."""

    def list_models(self) -> Sequence[AccountModel]:
        """Return the models that the account offers."""

    def list_capacities(self, model: str, version: str) -> Sequence[Capacity]:
        """Return what is open for a model, for each SKU in the account's location."""

    def may_deploy(self) -> bool:
        """Whether the identity may create deployments on the account."""

    def list_deployments(self) -> Sequence[Deployment]:
        """Return all deployments of the account."""

    def find_deployment(self, name: str) -> Deployment | None:
        """Return a deployment, or None."""

    def put_deployment(self, request: DeploymentRequest) -> Deployment:
        """Create the deployment, or return the one of that name; repeating it is safe."""

    def delete_deployment(self, name: str) -> None:
        """Delete a deployment; a missing one is no error."""


class Orchestrations(Protocol):
    """The durable client, as activities and routes need it."""

    async def ensure_started(self, name: str, instance_id: str, payload: Mapping[str, Any]) -> bool:
        """Start an orchestration unless one of that id is alive; return whether it was started."""

    async def is_alive(self, instance_id: str) -> bool:
        """Whether an instance is pending, running or suspended."""

    async def wake(self, instance_id: str) -> None:
        """Raise the event `wake`; nobody listening is no error."""

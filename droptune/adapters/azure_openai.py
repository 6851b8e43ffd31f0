"""Azure OpenAI's data plane through the openai SDK."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from droptune.adapters import uploads, wire
from droptune.adapters.failures import Refusal
from droptune.domain.deployment import ChatAnswer
from droptune.domain.errors import (
    DroptuneError,
    NotFoundError,
    OutcomeUnknownError,
    RequestRejectedError,
    TransientError,
)
from droptune.domain.job import (
    Checkpoint,
    FineTuningJob,
    JobEvent,
    JobRequest,
    TrainingFile,
)

if TYPE_CHECKING:
    import httpx2
    from openai import APIError, AzureOpenAI, OpenAI

PURPOSE: Final = "fine-tune"
MIME_TYPE = "text/jsonl"  # Source: OpenAI's contract, example of createUpload
PAGE = 100


class AzureOpenAIService:
    """Implements FineTuningService on the v1 surface; large files go over the dated one.

    Creating one is free, importing the SDK is not: it happens at the first call. The SDK retries
    nothing, as it would send a paid POST twice, and sends no idempotency key (seen with 3.54.0).
    """

    def __init__(
        self,
        endpoint: str,
        *,
        credential: str | Callable[[], str],
        dated_api_version: str = "2025-04-01-preview",
        timeout_seconds: float = 60,
        upload_timeout_seconds: float = 600,
        single_upload_bytes: int = uploads.SINGLE_UPLOAD_BYTES,
        transport: httpx2.BaseTransport | None = None,
        stopwatch: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Name the resource and how to prove who asks: an API key or a provider of tokens.

        Args:
            transport: what carries the requests; None: the network.
            stopwatch: seconds, by which an answer's latency is measured.
        """
        self._endpoint = endpoint.rstrip("/")
        self._credential = credential
        self._dated_api_version = dated_api_version
        self._timeout_seconds = timeout_seconds
        self._upload_timeout_seconds = upload_timeout_seconds
        self._single_upload_bytes = single_upload_bytes
        self._transport, self._stopwatch = transport, stopwatch

    def list_files(self) -> Sequence[TrainingFile]:
        """See FineTuningService."""
        with _answers("listing the files"):
            files = self._client.files.with_raw_response
            pages = _pages(lambda after: files.list(purpose=PURPOSE, limit=PAGE, extra_query=after))
            return tuple(map(wire.training_file, pages))

    def upload_file(self, name: str, content: BinaryIO, size_bytes: int) -> TrainingFile:
        """See FineTuningService."""
        with _answers(f"uploading {name}", acts=True):
            if size_bytes > self._single_upload_bytes:
                client = self._dated_client
                return wire.training_file(uploads.in_parts(client, name, content, size_bytes))
            content.seek(0)
            answer = self._client.files.with_raw_response.create(
                file=(name, content, MIME_TYPE),
                purpose=PURPOSE,
                timeout=self._upload_timeout_seconds,
            )
            return wire.training_file(_json(answer))

    def find_file(self, file_id: str) -> TrainingFile | None:
        """See FineTuningService."""
        try:
            with _answers("looking for a file"):
                files = self._client.files.with_raw_response
                return wire.training_file(_json(files.retrieve(file_id)))
        except NotFoundError:
            return None

    def delete_file(self, file_id: str) -> None:
        """See FineTuningService."""
        try:
            with _answers("deleting a file"):
                self._client.files.with_raw_response.delete(file_id)
        except NotFoundError:
            return

    def read_file(self, file_id: str) -> bytes:
        """See FineTuningService."""
        with _answers("reading a file"):
            return self._client.files.content(file_id).content

    def list_jobs(self) -> Iterator[FineTuningJob]:
        """See FineTuningService."""
        with _answers("listing the jobs"):
            jobs = self._jobs.with_raw_response
            yield from map(wire.job, _pages(lambda after: jobs.list(limit=PAGE, extra_query=after)))

    def create_job(self, request: JobRequest) -> FineTuningJob:
        """See FineTuningService."""
        with _answers("creating the job", acts=True):
            answer = self._jobs.with_raw_response.create(
                **_present(
                    model=request.model,
                    training_file=request.training_file,
                    validation_file=request.validation_file,
                    suffix=request.suffix,
                    seed=request.seed,
                    method=request.method,
                    metadata=dict(request.metadata) or None,
                    integrations=[dict(each) for each in request.integrations] or None,
                    extra_body=dict(request.extra_body) or None,
                ),
                timeout=self._submission_timeout,
            )
            return wire.job(_json(answer))

    def get_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService."""
        with _answers("asking for the job"):
            return wire.job(_json(self._jobs.with_raw_response.retrieve(job_id)))

    def cancel_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService.

        The service's refusal for a terminal job differs by surface, so the job itself decides.
        """
        try:
            with _answers("cancelling the job"):
                return wire.job(_json(self._jobs.with_raw_response.cancel(job_id)))
        except (RequestRejectedError, TransientError):
            job = self.get_job(job_id)
            if job.status.is_terminal:
                return job
            raise

    def pause_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService."""
        with _answers("pausing the job"):
            return wire.job(_json(self._jobs.with_raw_response.pause(job_id)))

    def resume_job(self, job_id: str) -> FineTuningJob:
        """See FineTuningService."""
        with _answers("resuming the job"):
            return wire.job(_json(self._jobs.with_raw_response.resume(job_id)))

    def list_events(self, job_id: str, *, limit: int = 1000) -> Sequence[JobEvent]:
        """See FineTuningService."""
        with _answers("listing the job's events"):
            jobs = self._jobs.with_raw_response
            pages = _pages(lambda after: jobs.list_events(job_id, limit=PAGE, extra_query=after))
            return tuple(map(wire.event, islice(pages, limit)))[::-1]

    def list_checkpoints(self, job_id: str) -> Sequence[Checkpoint]:
        """See FineTuningService."""
        with _answers("listing the job's checkpoints"):
            checkpoints = self._jobs.checkpoints.with_raw_response
            pages = _pages(lambda after: checkpoints.list(job_id, limit=PAGE, extra_query=after))
            return tuple(sorted(map(wire.checkpoint, pages), key=lambda kept: kept.step))

    def has_model(self, model: str) -> bool:
        """See FineTuningService. Source: v1 contract, `retrieveModel`; 404 for an unknown one is
        the SDK's own reading of it, Unverified for a fine-tuned model that was deleted."""
        try:
            with _answers("looking for a model"):
                self._client.models.with_raw_response.retrieve(model)
        except NotFoundError:
            return False
        return True

    def complete_chat(
        self,
        deployment: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        max_tokens: int = 256,
        tools: Sequence[Mapping[str, Any]] = (),
    ) -> ChatAnswer:
        """See FineTuningService."""
        with _answers(f"asking the deployment {deployment}"):
            started = self._stopwatch()
            answer = self._client.chat.completions.with_raw_response.create(
                **_present(
                    model=deployment,
                    messages=list(messages),
                    max_completion_tokens=max_tokens,
                    tools=list(tools) or None,
                )
            )
            elapsed = self._stopwatch() - started
            return wire.chat_answer(_json(answer), round(elapsed * 1000))

    @property
    def _jobs(self) -> Any:
        return self._client.fine_tuning.jobs

    @cached_property
    def _client(self) -> OpenAI:
        from openai import OpenAI

        return OpenAI(
            base_url=f"{self._endpoint}/openai/v1/",
            api_key=self._credential,
            timeout=self._timeout_seconds,
            max_retries=0,
            http_client=self._carrier,
        )

    @cached_property
    def _carrier(self) -> httpx2.Client | None:
        import httpx2

        if self._transport is None:
            return None
        return httpx2.Client(transport=self._transport, trust_env=False)

    @cached_property
    def _dated_client(self) -> AzureOpenAI:
        from openai import AzureOpenAI

        credential = self._credential
        return AzureOpenAI(
            azure_endpoint=self._endpoint,
            api_version=self._dated_api_version,
            api_key=credential if isinstance(credential, str) else None,
            azure_ad_token_provider=credential if callable(credential) else None,
            timeout=self._upload_timeout_seconds,
            max_retries=0,
            http_client=self._carrier,
        )

    @cached_property
    def _submission_timeout(self) -> httpx2.Timeout:
        """At most 50 s in all, shorter than the lease of 60 s that serialises submissions."""
        import httpx2

        return httpx2.Timeout(connect=5, pool=5, write=10, read=30)


def _present(**arguments: Any) -> dict[str, Any]:
    """Leave out what is None: the service refuses some nulls."""
    return {name: value for name, value in arguments.items() if value is not None}


def _json(answer: Any) -> Any:
    return answer.http_response.json()


def _pages(get: Callable[[Mapping[str, object]], Any]) -> Iterator[Any]:
    """Iterate over the entries of all pages.

    A server that ignores `after`, as the dated list of files does, ends the walk: nothing was new.
    """
    seen: set[str] = set()
    after: dict[str, object] = {}
    while True:
        page = _json(get(after))
        fresh = [entry for entry in page["data"] if entry["id"] not in seen]
        yield from fresh
        seen.update(entry["id"] for entry in fresh)
        if not fresh or not page.get("has_more", len(page["data"]) >= PAGE):
            return
        after = {"after": fresh[-1]["id"]}


@contextmanager
def _answers(doing: str, *, acts: bool = False) -> Iterator[None]:
    """Turn the SDK's errors into ours; `acts`: the request must not be repeated blindly."""
    from openai import APIError

    try:
        yield
    except APIError as error:
        raise _failure(error, doing, acts) from error
    except (ValueError, KeyError, TypeError) as error:
        kind = OutcomeUnknownError if acts else TransientError
        raise kind(f"{doing}: the service's answer cannot be read: {error!r:.100}") from error


def _failure(error: APIError, doing: str, acts: bool) -> DroptuneError:
    import httpx2
    from openai import APIStatusError

    cause = error.__cause__
    if isinstance(
        cause, DroptuneError
    ):  # reading what was to be sent failed, so nothing was created
        return cause
    if isinstance(error, APIStatusError):
        refusal = Refusal(
            doing=doing,
            status=error.status_code,
            body=error.body,
            headers=dict(error.response.headers),
            acted=acts,
        )
        return refusal.error(datetime.now(UTC))
    unsent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
    kind = OutcomeUnknownError if acts and not isinstance(cause, unsent) else TransientError
    return kind(f"{doing}: no answer ({type(cause or error).__name__})")

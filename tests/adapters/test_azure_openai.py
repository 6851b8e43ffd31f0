"""The adapter of Azure OpenAI: what it sends, what it reads, what a failure means."""

from __future__ import annotations

import io
import socket
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

import pytest

from droptune.adapters.azure_openai import PAGE, AzureOpenAIService
from droptune.domain.errors import (
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    RequestRejectedError,
    TransientError,
)
from droptune.domain.job import FileStatus, JobRequest, JobStatus
from tests.adapters.scripted_server import Answer, ScriptedServer

PENDING = {
    "id": "ftjob-1",
    "object": "fine_tuning.job",
    "created_at": 1765377614,
    "model": "gpt-4.1-2025-04-14",
    "status": "pending",
    "training_file": "file-1",
    "hyperparameters": {"batch_size": -1, "learning_rate_multiplier": 0.1, "n_epochs": -1},
    "seed": 105,
    "suffix": "support-0011223344556677",
    "trainingType": "globalStandard",
}
REQUEST = JobRequest(
    model="gpt-4.1",
    training_file="file-1",
    suffix="support-0011223344556677",
    seed=105,
    extra_body={"trainingType": "GlobalStandard"},
)


@pytest.fixture
def service(server: ScriptedServer) -> AzureOpenAIService:
    """The adapter, pointed at the scripted server."""
    return AzureOpenAIService(server.url, credential="the-key", timeout_seconds=5)


def test_job_with_missing_nulls_is_read(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """Fields that the service leaves out are None or empty; -1 stands for auto."""
    server.says(PENDING)

    job = service.get_job("ftjob-1")

    assert (job.status, job.raw_status) == (JobStatus.PENDING, "pending")
    assert job.hyperparameters == {
        "batch_size": -1,
        "learning_rate_multiplier": 0.1,
        "n_epochs": -1,
    }
    assert (job.fine_tuned_model, job.trained_tokens, job.validation_file) == (None, None, None)
    assert (job.error_code, job.result_files, job.finished_at) == ("", (), None)
    assert job.created_at == datetime(2025, 12, 10, 14, 40, 14, tzinfo=UTC)
    assert job.training_type == "globalStandard"
    assert job.carries("0011223344556677")


def test_unknown_status_is_unrecognised_and_kept(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """A status that nobody knows yet is not terminal, and its text survives."""
    server.says({**PENDING, "status": "postprocessing"})

    job = service.get_job("ftjob-1")

    assert (job.status, job.raw_status) == (JobStatus.UNRECOGNISED, "postprocessing")
    assert not job.status.is_terminal


def test_hyperparameters_inside_the_method_count_and_auto_is_minus_one(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """What the service reports only inside `method` is read, too."""
    named = {"n_epochs": 3, "batch_size": "auto"}
    method = {"type": "supervised", "supervised": {"hyperparameters": named}}
    server.says({**PENDING, "hyperparameters": None, "method": method})

    job = service.get_job("ftjob-1")

    assert job.hyperparameters == {"n_epochs": 3, "batch_size": -1}


def test_failed_job_says_why(server: ScriptedServer, service: AzureOpenAIService) -> None:
    """The service's reason is kept as code and message."""
    error = {"code": "invalidPayload", "message": "bad data", "param": None}
    server.says({**PENDING, "status": "failed", "error": error})

    job = service.get_job("ftjob-1")

    assert (job.error_code, job.error_message) == ("invalidPayload", "bad data")


def test_job_is_created_with_one_post_that_leaves_nulls_out(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """`trainingType` goes to the top level; what is not set is not sent; the key is a bearer."""
    server.says(Answer(status=201, body=PENDING))

    service.create_job(REQUEST)

    [asked] = server.asked
    assert (asked.method, asked.path) == ("POST", "/openai/v1/fine_tuning/jobs")
    assert asked.headers["authorization"] == "Bearer the-key"
    assert asked.json() == {
        "model": "gpt-4.1",
        "training_file": "file-1",
        "suffix": "support-0011223344556677",
        "seed": 105,
        "trainingType": "GlobalStandard",
    }


def test_integrations_are_sent(server: ScriptedServer, service: AzureOpenAIService) -> None:
    """Metrics go to Weights & Biases where the configuration asks for it."""
    server.says(Answer(status=201, body=PENDING))
    wandb = {"type": "wandb", "wandb": {"project": "p"}}

    service.create_job(replace(REQUEST, integrations=(wandb,)))

    assert server.asked[0].json()["integrations"] == [wandb]


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503, 504])
def test_create_job_without_a_clear_answer_has_an_unknown_outcome(
    server: ScriptedServer, service: AzureOpenAIService, status: int
) -> None:
    """A job may exist after such an answer; it is asked for once and never again from here."""
    server.says(Answer(status=status, body={"error": {"code": "internalFailure", "message": "?"}}))

    with pytest.raises(OutcomeUnknownError) as raised:
        service.create_job(REQUEST)

    assert raised.value.status == status
    assert len(server.asked) == 1


def test_create_job_whose_answer_is_lost_has_an_unknown_outcome(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """A connection that breaks after the POST may have left a job behind."""
    server.says(Answer(drop=True))

    with pytest.raises(OutcomeUnknownError):
        service.create_job(REQUEST)

    assert len(server.asked) == 1


@pytest.mark.parametrize("body", [b"<html>", [], {"object": "fine_tuning.job"}])
def test_create_job_with_an_unreadable_yes_has_an_unknown_outcome(
    server: ScriptedServer, service: AzureOpenAIService, body: Any
) -> None:
    """A yes without an id is no knowledge."""
    server.says(Answer(body=body))

    with pytest.raises(OutcomeUnknownError):
        service.create_job(REQUEST)


def test_create_job_that_was_never_sent_is_only_transient() -> None:
    """Where nobody listens, no job can have been created."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        service = AzureOpenAIService(url, credential="key")

        with pytest.raises(TransientError) as raised:
            service.create_job(REQUEST)

    assert not isinstance(raised.value, OutcomeUnknownError)


def test_throttled_create_job_waits_as_long_as_asked(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """429 is a clear no for now: nothing was created, and the service says when to come back."""
    body = {"error": {"code": "quotaExceeded", "message": "3 jobs are running"}}
    server.says(Answer(status=429, body=body, headers={"Retry-After": "60"}))

    with pytest.raises(TransientError) as raised:
        service.create_job(REQUEST)

    assert not isinstance(raised.value, OutcomeUnknownError)
    assert (raised.value.retry_after, raised.value.service_code) == (60, "quotaExceeded")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_refused_create_job_is_a_lasting_no(
    server: ScriptedServer, service: AzureOpenAIService, status: int
) -> None:
    """Other refusals carry the service's code and will not change by asking again."""
    body = {"error": {"code": "invalidPayload", "message": "does not support fine-tuning"}}
    server.says(Answer(status=status, body=body))

    with pytest.raises(RequestRejectedError, match="does not support fine-tuning") as raised:
        service.create_job(REQUEST)

    assert (raised.value.status, raised.value.service_code) == (status, "invalidPayload")


def test_message_of_an_error_is_short_and_without_credentials(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """Whatever the service echoes, neither keys nor pages of training data reach a message."""
    echoed = "bad Authorization: Bearer abc.def.ghi and https://x/?sv=1&sig=c2ln " + "data " * 1000
    server.says(Answer(status=400, body={"error": {"code": "x", "message": echoed}}))

    with pytest.raises(RequestRejectedError) as raised:
        service.create_job(REQUEST)

    assert len(str(raised.value)) < 400
    assert "abc.def" not in str(raised.value)
    assert "c2ln" not in str(raised.value)


def test_token_provider_is_asked_for_every_request(server: ScriptedServer) -> None:
    """A token that expires between two requests is replaced."""
    tokens = iter(["first", "second"])
    service = AzureOpenAIService(server.url, credential=lambda: next(tokens))
    server.says(PENDING, PENDING)

    service.get_job("ftjob-1")
    service.get_job("ftjob-1")

    sent = [asked.headers["authorization"] for asked in server.asked]
    assert sent == ["Bearer first", "Bearer second"]


def test_all_pages_of_jobs_are_listed(server: ScriptedServer, service: AzureOpenAIService) -> None:
    """Exactly once needs every page: the cursor is the last id of the page before."""
    server.says(
        {"data": [{**PENDING, "id": "c"}, {**PENDING, "id": "b"}], "has_more": True},
        {"data": [{**PENDING, "id": "a"}], "has_more": False},
    )

    jobs = [job.id for job in service.list_jobs()]

    assert jobs == ["c", "b", "a"]
    assert [asked.query.get("after") for asked in server.asked] == [None, "b"]


def test_list_that_ignores_the_cursor_ends(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """A full page without `has_more` that comes again is not walked for ever."""
    page = {"data": [{"id": f"file-{n}", "filename": "a.jsonl"} for n in range(PAGE)]}
    server.says(page, page)

    files = service.list_files()

    assert len(files) == PAGE
    assert len(server.asked) == 2


def test_newest_events_come_oldest_first(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """The service lists the newest first; a limit keeps the newest."""
    events = [{"id": f"e{n}", "created_at": n, "message": "m"} for n in (3, 2, 1)]
    server.says({"data": events, "has_more": True})

    kept = service.list_events("ftjob-1", limit=2)

    assert [event.id for event in kept] == ["e2", "e3"]


def test_unknown_file_is_none_and_deleting_it_no_error(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """404 is an answer for those who ask whether something is there."""
    missing = Answer(status=404, body={"error": {"code": "notFound", "message": "no file"}})
    server.says(missing, missing)

    found = service.find_file("file-1")
    service.delete_file("file-1")

    assert found is None


def test_file_in_error_says_why(server: ScriptedServer, service: AzureOpenAIService) -> None:
    """The deprecated `status_details` is the only place with a reason on v1."""
    wire = {"id": "file-1", "bytes": 3, "filename": "a.jsonl", "status": "error"}
    server.says({**wire, "status_details": "line 3 is not JSON"})

    file = service.find_file("file-1")

    assert file is not None
    assert (file.status, file.detail) == (FileStatus.ERROR, "line 3 is not JSON")


def test_cancel_of_a_terminal_job_returns_it(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """Too late to cancel is no error: the job is what it is."""
    refused = Answer(status=400, body={"error": {"code": "unexpectedEntityState", "message": "no"}})
    server.says(refused, {**PENDING, "status": "succeeded"})

    job = service.cancel_job("ftjob-1")

    assert job.status is JobStatus.SUCCEEDED


def test_refused_cancel_of_a_living_job_is_an_error(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """A refusal counts while the job lives."""
    refused = Answer(status=403, body={"error": {"code": "forbidden", "message": "no"}})
    server.says(refused, PENDING)

    with pytest.raises(RequestRejectedError, match="forbidden"):
        service.cancel_job("ftjob-1")


def test_chat_answer_of_tool_calls_is_their_json(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """An answer without text shows the calls it makes."""
    calls = [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]
    message = {"role": "assistant", "content": None, "tool_calls": calls}
    usage = {"prompt_tokens": 9, "completion_tokens": 4}
    server.says({"choices": [{"message": message, "finish_reason": "tool_calls"}], "usage": usage})

    answer = service.complete_chat("candidate", [{"role": "user", "content": "hi"}])

    assert '"name": "f"' in answer.content
    assert (answer.prompt_tokens, answer.completion_tokens) == (9, 4)
    assert answer.finish_reason == "tool_calls"


def test_deployment_that_the_data_plane_does_not_know_yet_is_not_found(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """Azure Resource Manager's "Succeeded" runs ahead of the data plane."""
    body = {"error": {"code": "DeploymentNotFound", "message": "does not exist"}}
    server.says(Answer(status=404, body=body))

    with pytest.raises(NotFoundError) as raised:
        service.complete_chat("candidate", [{"role": "user", "content": "hi"}])

    assert raised.value.service_code == "DeploymentNotFound"


def test_deployment_that_is_not_ready_is_transient(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """`DeploymentNotReady` passes, whatever its status is."""
    server.says(Answer(status=400, body={"error": {"code": "DeploymentNotReady", "message": ""}}))

    with pytest.raises(TransientError):
        service.complete_chat("candidate", [{"role": "user", "content": "hi"}])


UPLOADED = {"id": "file-1", "bytes": 3, "filename": "a.jsonl", "status": "pending"}


def test_file_is_uploaded_whole_with_name_purpose_and_type(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """The part has a name in .jsonl and a content type, without which Azure refuses it."""
    server.says(Answer(status=201, body=UPLOADED))
    content = io.BytesIO(b'{"messages": []}\n')
    content.seek(5)

    file = service.upload_file("a.jsonl", content, 17)

    [asked] = server.asked
    assert file.status is FileStatus.PENDING
    assert asked.path == "/openai/v1/files"
    assert b'filename="a.jsonl"\r\nContent-Type: text/jsonl' in asked.body
    assert b'{"messages": []}\n' in asked.body
    assert b'name="purpose"\r\n\r\nfine-tune' in asked.body


def test_large_file_goes_over_the_dated_surface_in_parts(server: ScriptedServer) -> None:
    """Above the limit: create with the exact size, parts in order, complete with their ids."""
    service = AzureOpenAIService(server.url, credential="key", single_upload_bytes=1 << 20)
    size = (16 << 20) + 3
    server.says(
        {"id": "upload_1", "status": "pending"},
        {"id": "part_1"},
        {"id": "part_2"},
        {"id": "upload_1", "status": "completed", "file": UPLOADED},
    )

    file = service.upload_file("a.jsonl", Zeros(size), size)

    created, first, second, completed = server.asked
    assert file.id == "file-1"
    assert created.path == "/openai/uploads"
    assert created.query == {"api-version": "2025-04-01-preview"}
    assert created.headers["api-key"] == "key"
    assert created.json()["bytes"] == size
    assert first.size_bytes > 16 << 20
    assert second.size_bytes < 1024
    assert completed.path == "/openai/uploads/upload_1/complete"
    assert completed.json() == {"part_ids": ["part_1", "part_2"]}


@pytest.mark.parametrize("single_upload_bytes", [200_000_000, 1])
def test_upload_of_100_mb_holds_little_of_it(
    server: ScriptedServer, single_upload_bytes: int
) -> None:
    """A file of 100 MB costs less than 40 MiB of memory, in one request or in parts."""
    service = AzureOpenAIService(
        server.url, credential="key", single_upload_bytes=single_upload_bytes
    )
    size = 100_000_000
    parts = [{"id": f"part_{n}"} for n in range(6)]
    in_parts = [{"id": "upload_1"}, *parts, {"file": UPLOADED}]
    server.says(*([UPLOADED] if single_upload_bytes > size else in_parts))
    tracemalloc.start()

    service.upload_file("a.jsonl", Zeros(size), size)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(asked.size_bytes for asked in server.asked) > size
    assert peak < 40 << 20


def test_upload_whose_answer_is_lost_has_an_unknown_outcome(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """The file may be there: it must be looked for by its name before another upload."""
    server.says(Answer(drop=True))

    with pytest.raises(OutcomeUnknownError):
        service.upload_file("a.jsonl", io.BytesIO(b"{}\n"), 3)

    assert len(server.asked) == 1


def test_blob_that_changes_while_it_is_uploaded_is_the_readers_error(
    server: ScriptedServer, service: AzureOpenAIService
) -> None:
    """What reading raised comes out as it is, not as a failure of the service."""

    def changed() -> None:
        raise ConflictError("the blob changed")

    with pytest.raises(ConflictError):
        service.upload_file("a.jsonl", Zeros(1 << 20, at_end=changed), 1 << 20)


class Zeros(io.RawIOBase, BinaryIO):
    """A seekable file of zeros that is nowhere."""

    def __init__(self, size: int, *, at_end: Callable[[], None] | None = None) -> None:
        self._size, self._at, self._at_end = size, 0, at_end

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._at)
        buffer[:count] = bytes(count)
        self._at += count
        if self._at_end and self._at == self._size:
            self._at_end()
        return count

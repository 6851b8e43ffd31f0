"""Files as the service takes, processes, lists and deletes them."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from openai import APIStatusError, BadRequestError, NotFoundError, RateLimitError

from tests.emulator.resources import PREVIEW, Resource, chat, chat_data, jsonl

FORM = "multipart/form-data; boundary=b"


def test_uploaded_file_keeps_name_size_purpose_and_bytes(resource: Resource) -> None:
    """What was uploaded reads back byte for byte."""
    data = chat_data()

    file = resource.upload(data)

    assert (file.filename, file.bytes, file.purpose) == ("training.jsonl", len(data), "fine-tune")
    assert resource.v1.files.content(file.id).read() == data
    assert len(file.id) == len("file-") + 32


def test_file_goes_from_pending_over_running_to_processed(resource: Resource) -> None:
    """Processing takes time, and every look shows how far it is."""
    seen = [resource.upload().status]

    for _ in range(2):
        resource.advance(15)
        seen.append(resource.v1.files.list().data[0].status)

    assert seen == ["pending", "running", "processed"]


def test_creation_answers_201_with_location(resource: Resource) -> None:
    """The answer says where the file is, and names the request."""
    answer = resource.v1.files.with_raw_response.create(
        file=("a.jsonl", chat_data(), "text/jsonl"), purpose="fine-tune"
    )

    file = answer.parse()
    assert answer.http_response.status_code == 201
    assert answer.headers["location"] == f"{resource.url}/openai/v1/files/{file.id}"
    assert answer.headers["apim-request-id"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "No valid json line found in file."),
        (b"prompt,completion\n", "line 1: the line is not valid JSON"),
        (b'{"messages": []}\n', "messages must be a list of objects"),
        (jsonl([{"messages": [{"role": "bot", "content": "x"}]}]), "the role 'bot'"),
        (jsonl([{"prompt": "a", "completion": "b"}]), "neither messages nor input"),
        (chat_data() + b'{"messages": "x"', "line 21: the line is not valid JSON"),
        (b'{"messages": [{"role": "assistant", "content": "\\ud800"}]}\n', "not valid JSON"),
        (jsonl([{"input": {"messages": "x"}, "preferred_output": "y"}]), "are required"),
    ],
)
def test_bad_content_ends_in_error_with_its_line(
    resource: Resource, content: bytes, problem: str
) -> None:
    """The bytes are taken; that they are no training data shows after processing."""
    file = resource.upload(content)
    resource.advance(60)

    found = resource.v1.files.retrieve(file.id)

    assert str(file.status) == "pending"
    assert found.status == "error"
    assert problem in (found.status_details or "")


def test_byte_order_mark_and_blank_lines_do_no_harm(resource: Resource) -> None:
    """Files with a byte-order mark were once required and are still good."""
    resource.upload(b"\xef\xbb\xbf" + chat_data().replace(b"\n", b"\r\n\n"))
    resource.advance(60)

    assert resource.v1.files.list().data[0].status == "processed"


@pytest.mark.parametrize(
    ("name", "purpose", "text"),
    [
        ("a.txt", "fine-tune", "fileName contains an invalid filename: wrong suffix."),
        ("a.jsonl", "training", "Invalid value for purpose."),
    ],
)
def test_wrong_name_and_purpose_are_refused(
    resource: Resource, name: str, purpose: str, text: str
) -> None:
    """The texts are those of the real service."""
    form = {"file": (name, chat_data(), "text/jsonl"), "purpose": (None, purpose)}

    answer = resource.send("POST", "/openai/v1/files", files=form)

    assert answer.status_code == 400
    assert answer.json()["error"] == {"code": "invalidPayload", "message": text, "type": "error"}


def test_file_without_content_type_is_refused(resource: Resource) -> None:
    """A part needs a content type."""
    form = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\nx\r\n--b--'
    )

    answer = resource.send("POST", "/openai/v1/files", data=form, headers={"Content-Type": FORM})

    assert answer.json()["error"]["message"].endswith("no or an empty content type specified.")


def test_form_that_ends_too_early_leaves_nothing(resource: Resource) -> None:
    """A broken upload is refused and no bytes stay behind."""
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n{"mess'

    answer = resource.send("POST", "/openai/v1/files", data=form, headers={"Content-Type": FORM})

    assert answer.status_code == 400
    assert list((resource.state.directory / "files").iterdir()) == []


def test_content_that_looks_like_a_boundary_survives(resource: Resource) -> None:
    """Only the whole mark ends a file."""
    content = b"\r\n--\r\n--bo\r\n--" + jsonl([chat("a", "--b")]) + b"\r\n-"
    head = b'Content-Disposition: form-data; name="file"; filename="a.jsonl"\r\nContent-Type: x/y'
    purpose = b'Content-Disposition: form-data; name="purpose"\r\n\r\nfine-tune'
    parts = [head + b"\r\n\r\n" + content, purpose]
    form = b"".join(b"--boundary\r\n" + part + b"\r\n" for part in parts) + b"--boundary--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=boundary"}

    file = resource.send("POST", "/openai/v1/files", data=form, headers=headers).json()

    assert resource.v1.files.content(file["id"]).read() == content


def test_list_on_v1_has_pages(resource: Resource) -> None:
    """Newest first, with cursor and end mark; the client walks them all."""
    ids = [resource.upload(name=f"{n}.jsonl").id for n in range(5)]

    page = resource.v1.files.list(limit=2)
    walked = [file.id for file in resource.v1.files.list(limit=2)]

    assert [file.id for file in page.data] == ids[:2:-1]
    assert page.has_more is True
    assert walked == ids[::-1]


def test_list_on_the_dated_surface_has_no_pages(resource: Resource) -> None:
    """The dated list has only object and data."""
    resource.upload()

    body = resource.send("GET", "/openai/files", params={"api-version": PREVIEW}).json()

    assert sorted(body) == ["data", "object"]


def test_list_can_be_limited_to_a_purpose(resource: Resource) -> None:
    """Only files of that purpose are listed."""
    resource.upload()

    assert resource.v1.files.list(purpose="batch").data == []
    assert len(resource.v1.files.list(purpose="fine-tune").data) == 1


def test_deleted_file_is_gone(resource: Resource) -> None:
    """v1 answers with an object; what was deleted is not found any more."""
    file = resource.upload()

    deleted = resource.v1.files.delete(file.id)

    assert (deleted.id, deleted.deleted) == (file.id, True)
    for ask in (resource.v1.files.retrieve, resource.v1.files.content, resource.v1.files.delete):
        with pytest.raises(NotFoundError):
            ask(file.id)
    assert not resource.state.content_path(file.id).exists()


def test_2024_version_deletes_with_204(resource: Resource) -> None:
    """The older contract answers without a body."""
    file = resource.upload()

    answer = resource.send(
        "DELETE", f"/openai/files/{file.id}", params={"api-version": "2024-10-21"}
    )

    assert (answer.status_code, answer.content) == (204, b"")


def test_number_of_files_is_limited(resource: Resource) -> None:
    """The file beyond the limit is refused until another one goes."""
    resource.settings(limit_files=2)
    first, _ = resource.upload(), resource.upload()

    with pytest.raises(RateLimitError) as refused:
        resource.upload()
    resource.v1.files.delete(first.id)

    assert refused.value.code == "quotaExceeded"
    assert str(resource.upload().status) == "pending"


def test_size_of_a_file_and_of_all_is_limited(resource: Resource) -> None:
    """Both limits are checked before a byte stays."""
    size = len(chat_data())
    resource.settings(limit_file_bytes=size, limit_total_bytes=size + 10)
    resource.upload()

    with pytest.raises(BadRequestError):
        resource.upload(chat_data(21))
    with pytest.raises(RateLimitError):
        resource.upload()

    assert len(list((resource.state.directory / "files").iterdir())) == 1


def test_uploads_in_a_second_are_limited(resource: Resource) -> None:
    """The 31st upload in a second has to wait for the next one."""
    statuses = []
    for _ in range(31):
        statuses.append(_status_of_upload(resource))
    resource.advance(1)
    statuses.append(_status_of_upload(resource))

    assert [(s, len(list(g))) for s, g in itertools.groupby(statuses)] == [
        (201, 30),
        (429, 1),
        (201, 1),
    ]


def _status_of_upload(resource: Resource) -> int:
    try:
        resource.upload(b"x")
    except APIStatusError as error:
        return error.status_code
    return 201


def test_import_reads_from_a_url(resource: Resource) -> None:
    """The dated surface fetches a file, and shows it as pending."""
    with _serving(chat_data()) as url:
        file = _import(resource, url)
    resource.advance(60)

    found = resource.v1.files.retrieve(file["id"])

    assert file["status"] == "pending"
    assert (found.status, found.bytes) == ("processed", len(chat_data()))


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x", "file:///etc/passwd", ""])
def test_import_of_what_cannot_be_read_ends_in_error(resource: Resource, url: str) -> None:
    """The answer is a file all the same; that it failed shows later."""
    file = _import(resource, url)
    resource.advance(60)

    assert resource.v1.files.retrieve(file["id"]).status == "error"


def _import(resource: Resource, url: str) -> dict[str, str]:
    body = {"purpose": "fine-tune", "filename": "a.jsonl", "content_url": url}
    found: dict[str, str] = resource.dated.post("/files/import", body=body, cast_to=dict)
    return found


@contextmanager
def _serving(content: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/data"
        thread.join()

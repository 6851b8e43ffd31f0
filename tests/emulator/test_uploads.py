"""Large files in parts, on the dated surface."""

from __future__ import annotations

import hashlib
import io

import pytest
from openai import BadRequestError, NotFoundError
from openai.types import Upload

from tests.emulator.resources import Resource, chat_data


def create(resource: Resource, size: int) -> Upload:
    """Announce a file."""
    return resource.dated.uploads.create(
        bytes=size, filename="big.jsonl", mime_type="text/jsonl", purpose="fine-tune"
    )


def test_parts_become_one_file_in_the_order_named(resource: Resource) -> None:
    """Parts may arrive in any order; the last request names theirs."""
    data = chat_data()
    upload = create(resource, len(data))
    parts = resource.dated.uploads.parts
    second = parts.create(upload.id, data=data[100:])
    first = parts.create(upload.id, data=data[:100])

    done = resource.dated.uploads.complete(
        upload.id, part_ids=[first.id, second.id], md5=hashlib.md5(data).hexdigest()
    )

    assert (upload.status, done.status) == ("pending", "completed")
    assert done.file is not None
    assert resource.v1.files.content(done.file.id).read() == data
    assert len(list((resource.state.directory / "files").iterdir())) == 1


def test_client_uploads_in_parts_by_itself(resource: Resource) -> None:
    """The SDK's own helper works."""
    data = chat_data()

    done = resource.dated.uploads.upload_file_chunked(
        file=data,
        filename="a.jsonl",
        bytes=len(data),
        mime_type="text/jsonl",
        purpose="fine-tune",
        part_size=700,
    )

    assert done.file is not None
    assert done.file.bytes == len(data)


@pytest.mark.parametrize(("size", "md5"), [(4, None), (3, "0" * 32)])
def test_wrong_size_or_md5_is_refused(resource: Resource, size: int, md5: str | None) -> None:
    """The bytes must be what was announced; the upload stays open."""
    upload = create(resource, size)
    part = resource.dated.uploads.parts.create(upload.id, data=io.BytesIO(b"abc"))

    with pytest.raises(BadRequestError):
        resource.dated.uploads.complete(upload.id, part_ids=[part.id], md5=md5 or "1")

    assert resource.dated.uploads.cancel(upload.id).status == "cancelled"


def test_upload_expires_after_an_hour(resource: Resource) -> None:
    """Who waits too long begins again."""
    upload = create(resource, 3)
    resource.advance(3600)

    with pytest.raises(BadRequestError, match="expired"):
        resource.dated.uploads.parts.create(upload.id, data=b"abc")


def test_v1_has_no_uploads(resource: Resource) -> None:
    """The v1 surface answers 404."""
    with pytest.raises(NotFoundError):
        resource.v1.uploads.create(
            bytes=3, filename="a.jsonl", mime_type="text/jsonl", purpose="fine-tune"
        )

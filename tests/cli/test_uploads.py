"""Uploading to a real Azurite: what is sent, what is kept, what an interruption leaves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from droptune.cli.refusals import Refusal
from droptune.cli.uploads import BLOCK_BYTES, block_name, upload

NAME = "bot/v1/training.jsonl"
DONE = "bot/v1/_SUCCESS"


@pytest.fixture
def container(azurite: str) -> Iterator[ContainerClient]:
    """The empty container of datasets."""
    with BlobServiceClient.from_connection_string(azurite) as service:
        container = service.get_container_client("datasets")
        if not container.exists():
            container.create_container()
        for blob in list(container.list_blob_names()):
            container.delete_blob(blob)
        yield container


def a_file(place: Path, data: bytes = b"{}\n") -> list[tuple[str, Path]]:
    """Write a training file and return it as it is dropped."""
    path = place / "training.jsonl"
    path.write_bytes(data)
    return [(NAME, path)]


def etag(container: ContainerClient, name: str = NAME) -> str:
    """Return a blob's ETag."""
    return str(container.get_blob_client(name).get_blob_properties().etag)


def test_files_are_there_before_the_mark(
    azurite: str, container: ContainerClient, tmp_path: Path
) -> None:
    """_SUCCESS is written last: it is never older than what it speaks of."""
    done = upload(azurite, a_file(tmp_path), complete=DONE)

    times = {blob.name: blob.last_modified for blob in container.list_blobs()}
    assert done.sent == [NAME]
    assert times[DONE] >= times[NAME]
    assert container.download_blob(NAME).readall() == b"{}\n"


def test_interrupted_upload_sends_only_what_is_missing(
    azurite: str, container: ContainerClient, tmp_path: Path
) -> None:
    """Without the mark nothing was complete: the same file stays untouched, the rest is sent."""
    files = a_file(tmp_path)
    other = tmp_path / "validation.jsonl"
    other.write_bytes(b"{}\n")
    upload(azurite, files, complete=DONE)
    container.delete_blob(DONE)
    before = etag(container)

    done = upload(azurite, [*files, ("bot/v1/validation.jsonl", other)], complete=DONE, keep=True)

    assert (done.kept, done.sent) == ([NAME], ["bot/v1/validation.jsonl"])
    assert etag(container) == before
    assert container.get_blob_client(DONE).exists()


def test_changed_file_is_sent_again(
    azurite: str, container: ContainerClient, tmp_path: Path
) -> None:
    """The same size is not the same content."""
    upload(azurite, a_file(tmp_path, b"[]\n"), complete=DONE)

    done = upload(azurite, a_file(tmp_path, b"{}\n"), complete=DONE, keep=True)

    assert done.sent == [NAME]
    assert container.download_blob(NAME).readall() == b"{}\n"


def test_complete_dataset_is_dropped_again_without_sending_it(
    azurite: str, container: ContainerClient, tmp_path: Path
) -> None:
    """Submitting what lies there unchanged is a drop again: another ETag, the same bytes."""
    files = a_file(tmp_path)
    upload(azurite, files, complete=DONE, keep=True)
    before = etag(container)

    done = upload(azurite, files, complete=DONE, keep=True)
    third = upload(azurite, files, complete=DONE, keep=True)

    assert (done.sent, done.kept) == ([], [NAME])
    assert third.kept == [NAME]
    assert etag(container) != before
    assert container.download_blob(NAME).readall() == b"{}\n"


def test_large_file_goes_on_at_the_blocks_that_are_missing(
    azurite: str, container: ContainerClient, tmp_path: Path
) -> None:
    """A block that an interrupted upload left there, and only that, is not sent again."""
    data = b"a" * BLOCK_BYTES + b"b" * BLOCK_BYTES + b"c"
    files = a_file(tmp_path, data)
    blob = container.get_blob_client(NAME)
    # Under the name of the second block lies something else: were it sent again, this would go.
    name = block_name(1, data[BLOCK_BYTES : 2 * BLOCK_BYTES])
    blob.stage_block(name, b"B" * BLOCK_BYTES)
    told: list[int] = []

    upload(azurite, files, complete=DONE, on_bytes=lambda of, more: told.append(more))

    stored = container.download_blob(NAME).readall()
    assert stored == b"a" * BLOCK_BYTES + b"B" * BLOCK_BYTES + b"c"
    assert sum(told) == len(data)


def test_block_of_other_content_has_another_name() -> None:
    """A file that changed since finds none of its old blocks; names have one length."""
    names = {block_name(0, b"a"), block_name(0, b"b"), block_name(1, b"a")}

    assert len(names) == 3
    assert len({len(name) for name in names}) == 1


def test_files_of_an_earlier_drop_are_named(
    azurite: str, container: ContainerClient, tmp_path: Path
) -> None:
    """What else lies in the folder is part of the dataset, and whoever submits is told."""
    container.upload_blob("bot/v1/test.jsonl", b"{}\n")

    done = upload(azurite, a_file(tmp_path), complete=DONE)

    assert done.beside == ["bot/v1/test.jsonl"]


def test_bad_address_is_a_sentence_with_a_remedy(tmp_path: Path) -> None:
    """A storage that cannot be opened is refused and says what the upload needs."""
    with pytest.raises(Refusal, match="upload failed") as raised:
        upload("nonsense", a_file(tmp_path), complete=DONE)

    assert "Storage Blob Data Contributor" in raised.value.remedy

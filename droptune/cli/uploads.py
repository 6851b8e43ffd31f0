"""Uploading a dataset: what lies there unchanged is kept, and an interrupted upload goes on."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from droptune.cli.refusals import Refusal
from droptune.cli.storage import open_storage

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobProperties, ContainerClient, ContentSettings

CONTAINER = "datasets"
BLOCK_BYTES = 8 * 2**20
_AT_ONCE = 4
# A file's name in the container, and how many more bytes of it are there.
OnBytes = Callable[[str, int], None]


@dataclass(kw_only=True)
class Uploaded:
    """What an upload did: files sent, files kept, and files of others in the same folder."""

    sent: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)


def upload(
    storage: str,
    files: Iterable[tuple[str, Path]],
    *,
    complete: str,
    keep: bool = False,
    on_bytes: OnBytes = lambda name, more: None,
) -> Uploaded:
    """Upload files, and at last the blob `complete`, which says that all are there.

    With `keep` a file that lies there with the same content is not sent again. When nothing had to
    be sent and an earlier upload was complete, one file is touched, so that this is a drop again.
    """
    from azure.core.exceptions import AzureError

    try:
        with open_storage(storage) as client:
            container = client.get_container_client(CONTAINER)
            return _upload(container, dict(files), complete, keep, on_bytes)
    except (AzureError, OSError, ValueError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise Refusal(
            f"The upload failed: {first}",
            "Check the storage's address and that you hold Storage Blob Data Contributor there; "
            "the same command goes on where this one ended.",
        ) from None


def _upload(
    container: ContainerClient,
    files: Mapping[str, Path],
    complete: str,
    keep: bool,
    on_bytes: OnBytes,
) -> Uploaded:
    prefix = complete.rpartition("/")[0] + "/"
    there = {blob.name: blob for blob in container.list_blobs(name_starts_with=prefix)}
    done = Uploaded(beside=sorted(there.keys() - files.keys() - {complete}))
    for name, path in files.items():
        digest = _md5(path)
        if keep and _is_same(there.get(name), path, digest):
            done.kept.append(name)
            on_bytes(name, path.stat().st_size)
        else:
            _send(container.get_blob_client(name), path, digest, partial(on_bytes, name))
            done.sent.append(name)
    if not done.sent and complete in there:
        _touch(container.get_blob_client(done.kept[0]))
    container.upload_blob(complete, b"", overwrite=True)
    return done


def _is_same(blob: BlobProperties | None, path: Path, digest: bytes) -> bool:
    return (
        blob is not None
        and blob.size == path.stat().st_size
        and bytes(blob.content_settings.content_md5 or b"") == digest
    )


def _touch(blob: BlobClient) -> None:
    """Give a blob another ETag without sending it again."""
    blob.set_http_headers(blob.get_blob_properties().content_settings)


def _send(blob: BlobClient, path: Path, digest: bytes, on_bytes: Callable[[int], None]) -> None:
    from azure.storage.blob import ContentSettings

    settings = ContentSettings(
        content_type="application/octet-stream", content_md5=bytearray(digest)
    )
    size = path.stat().st_size
    if size <= BLOCK_BYTES:
        blob.upload_blob(path.read_bytes(), overwrite=True, content_settings=settings)
        on_bytes(size)
        return
    _send_blocks(blob, path, settings, on_bytes)


def _send_blocks(
    blob: BlobClient, path: Path, settings: ContentSettings, on_bytes: Callable[[int], None]
) -> None:
    """Send a large file; blocks that an interrupted upload left there are not sent again."""
    from azure.core.exceptions import ResourceNotFoundError
    from azure.storage.blob import BlobBlock

    try:
        staged = {block.id for block in blob.get_block_list("uncommitted")[1]}
    except ResourceNotFoundError:
        staged = set()

    def stage(number: int) -> tuple[str, int]:
        with path.open("rb") as file:
            file.seek(number * BLOCK_BYTES)
            data = file.read(BLOCK_BYTES)
        name = block_name(number, data)
        if name not in staged:
            blob.stage_block(name, data, length=len(data))
        return name, len(data)

    names = []
    numbers = range(-(-path.stat().st_size // BLOCK_BYTES))
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for name, size in pool.map(stage, numbers):
            names.append(name)
            on_bytes(size)
    blob.commit_block_list([BlobBlock(name) for name in names], content_settings=settings)


def block_name(number: int, data: bytes) -> str:
    """Return a block's name: its place and its content, so that a name never means other bytes."""
    content = hashlib.sha256(data).digest()[:18]
    return base64.b64encode(number.to_bytes(3) + content).decode()


def _md5(path: Path) -> bytes:
    with path.open("rb") as file:
        hashed = hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False))
    return hashed.digest()

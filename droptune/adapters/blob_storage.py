"""One container of Azure Blob Storage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from droptune.adapters.blob_failures import failure
from droptune.domain.errors import (
    BlobNotFoundError,
    ConflictError,
    RequestRejectedError,
    StoreError,
    TransientError,
)
from droptune.domain.services import BlobInfo, StoredBlob

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.storage.blob import BlobClient, BlobProperties, ContainerClient

T = TypeVar("T")
CHUNK_BYTES = 8 << 20
_PAGE = 500  # the service's 5,000 are parsed in one go, in which no other thread runs
_READ_PAUSES = (0.5, 2.0, 5.0)
_OPTIONS: dict[str, Any] = {
    "retry_total": 0,  # the step retries; only what reads is asked again here
    "max_single_get_size": CHUNK_BYTES,
    "max_chunk_get_size": CHUNK_BYTES,
    "connection_timeout": 5,
    "read_timeout": 60,
}


class BlobContainer:
    """Implements BlobStore. ETags are quoted, wherever Azure leaves the quotes out (listings)."""

    def __init__(
        self,
        name: str,
        connect: Callable[[], ContainerClient],
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Name a container and how to get a client that does not retry, called at first use.

        Args:
            pause: waits so many seconds between tries to go on reading.
        """
        self._name = name
        self._connect = connect
        self._pause = pause

    @classmethod
    def connect(
        cls,
        container: str,
        *,
        connection_string: str | None = None,
        account_url: str | None = None,
        credential: TokenCredential | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> BlobContainer:
        """Return a container by connection string, or by account URL and credential."""
        if connection_string is None and account_url is None:
            raise ValueError("a connection string or an account URL is needed")

        def client() -> ContainerClient:
            from azure.storage.blob import ContainerClient

            if connection_string is not None:
                return ContainerClient.from_connection_string(
                    connection_string, container, **_OPTIONS
                )
            return ContainerClient(str(account_url), container, credential, **_OPTIONS)

        return cls(container, client, pause=pause)

    def find(self, name: str) -> StoredBlob | None:
        """See BlobStore."""

        def read() -> StoredBlob:
            stream = self._blob(name).download_blob()
            return StoredBlob(data=stream.readall(), etag=_quoted(stream.properties.etag))

        try:
            return self._read(name, read)
        except BlobNotFoundError:
            return None

    def find_info(self, name: str) -> BlobInfo | None:
        """See BlobStore."""
        try:
            return self._read(name, lambda: _info(self._blob(name).get_blob_properties(), name))
        except BlobNotFoundError:
            return None

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
        """See BlobStore."""
        from azure.storage.blob import ContentSettings

        with self._asked(name):
            written = self._blob(name).upload_blob(
                data,
                overwrite=not if_absent,
                content_settings=ContentSettings(content_type=content_type),
                **_condition(if_match, lease),
            )
            return _quoted(written["etag"])

    def delete(self, name: str, *, if_match: str | None = None) -> None:
        """See BlobStore."""
        try:
            with self._asked(name):
                self._blob(name).delete_blob(**_condition(if_match))
        except BlobNotFoundError:
            return

    def list(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> Iterator[BlobInfo]:
        """See BlobStore.

        `start_from` spares the service what lies before; Azurite ignores it and sends all.
        """
        with self._asked(prefix):
            options: dict[str, Any] = {"start_from": after} if after else {}
            page = min(limit or _PAGE, _PAGE)
            found = self._container.list_blobs(prefix or None, results_per_page=page, **options)
            behind = (_info(blob, blob.name) for blob in found if blob.name > after)
            yield from islice(behind, limit)

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """See BlobStore."""
        from azure.storage.blob import BlobPrefix

        with self._asked(prefix):
            for entry in self._container.walk_blobs(prefix or None, delimiter="/"):
                if isinstance(entry, BlobPrefix):
                    yield str(entry.name)

    def open(
        self, name: str, *, start: int = 0, end: int | None = None, if_match: str | None = None
    ) -> Iterator[bytes]:
        """See BlobStore.

        All chunks come from one version of the blob, also without `if_match`. A broken connection
        costs one chunk: reading goes on at the same place, up to three times for each.
        """
        position = start
        while end is None or position < end:
            length = CHUNK_BYTES if end is None else min(CHUNK_BYTES, end - position)
            chunk, if_match = self._read_range(name, position, length, if_match)
            if chunk:
                yield chunk
            position += len(chunk)
            if len(chunk) < length:
                return

    def acquire_lease(self, name: str, seconds: int) -> str:
        """See BlobStore."""
        if not 15 <= seconds <= 60:
            raise ValueError(f"a lease lasts 15 to 60 s, not {seconds}")
        with self._asked(name):
            return self._blob(name).acquire_lease(lease_duration=seconds).id

    def release_lease(self, name: str, lease: str) -> None:
        """See BlobStore."""
        from azure.storage.blob import BlobLeaseClient

        try:
            with self._asked(name):
                BlobLeaseClient(self._blob(name), lease_id=lease).release()
        except StoreError:
            return

    def _read_range(
        self, name: str, position: int, length: int, if_match: str | None
    ) -> tuple[bytes, str]:
        for pause in _READ_PAUSES:
            try:
                return self._read_once(name, position, length, if_match)
            except TransientError as error:
                self._pause(max(pause, error.retry_after or 0))
        return self._read_once(name, position, length, if_match)

    def _gone_or(self, error: ConflictError, name: str) -> StoreError:
        """Tell a blob that is gone from one that changed: If-Match answers 412 to both."""
        if self.find_info(name) is None:
            return BlobNotFoundError(f"{self._name}/{name} does not exist")
        return error

    def _read_once(
        self, name: str, position: int, length: int, if_match: str | None
    ) -> tuple[bytes, str]:
        try:
            with self._asked(name):
                stream = self._blob(name).download_blob(position, length, **_condition(if_match))
                return stream.readall(), _quoted(stream.properties.etag)
        except ConflictError as error:
            raise self._gone_or(error, name) from error
        except RequestRejectedError as error:
            if error.status != 416:  # the range lies behind the end
                raise
            return b"", if_match or ""

    @cached_property
    def _container(self) -> ContainerClient:
        return self._connect()

    def _blob(self, name: str) -> BlobClient:
        return self._container.get_blob_client(name)

    def _read(self, name: str, read: Callable[[], T]) -> T:
        """Read once more where a kept connection was being closed just then, which nobody sees in
        advance; reading changes nothing."""
        from azure.core.exceptions import ServiceResponseError, ServiceResponseTimeoutError

        with self._asked(name):
            try:
                return read()
            except ServiceResponseTimeoutError:
                raise
            except ServiceResponseError:
                return read()

    @contextmanager
    def _asked(self, name: str) -> Iterator[None]:
        from azure.core.exceptions import AzureError

        try:
            yield
        except AzureError as error:
            raise failure(error, f"{self._name}/{name}") from error


def _condition(if_match: str | None, lease: str | None = None) -> dict[str, Any]:
    from azure.core import MatchConditions

    options: dict[str, Any] = {"lease": lease} if lease else {}
    if if_match is not None:
        options |= {"etag": if_match, "match_condition": MatchConditions.IfNotModified}
    return options


def _info(blob: BlobProperties, name: str) -> BlobInfo:
    return BlobInfo(
        name=name,
        etag=_quoted(blob.etag),
        size_bytes=blob.size,
        modified_at=blob.last_modified,
    )


def _quoted(etag: str | None) -> str:
    bare = (etag or "").strip('"')
    return f'"{bare}"'

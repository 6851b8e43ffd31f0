"""A container of blobs in memory."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from droptune.domain.errors import BlobNotFoundError, ConflictError
from droptune.domain.services import BlobInfo, Clock, StoredBlob
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import Scripted

_CHUNK = 8 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class _Blob:
    data: bytes
    etag: str
    modified_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lease:
    id: str
    until: datetime


class FakeBlobStore(Scripted):
    """Conditions, ETags and leases as Azure Storage has them; leases expire by the clock given.

    `etags` numbers the writes, so that the same writes give the same ETags.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self.clock = clock or FakeClock()
        self.blobs: dict[str, _Blob] = {}
        self._leases: dict[str, _Lease] = {}
        self._writes = 0

    def put(self, name: str, data: bytes | str) -> str:
        """Write a blob as a user would, without conditions, and return its ETag."""
        return self._store(name, data.encode() if isinstance(data, str) else data)

    def data(self, name: str) -> bytes:
        """Return a blob's content; KeyError when it is missing."""
        return self.blobs[name].data

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of all blobs under a prefix, in order."""
        return sorted(name for name in self.blobs if name.startswith(prefix))

    def find(self, name: str) -> StoredBlob | None:
        """See BlobStore."""
        with self._call("find"):
            blob = self.blobs.get(name)
            return StoredBlob(data=blob.data, etag=blob.etag) if blob else None

    def find_info(self, name: str) -> BlobInfo | None:
        """See BlobStore."""
        with self._call("find_info"):
            return self._info(name) if name in self.blobs else None

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
        with self._call("write"):
            if if_absent and name in self.blobs:
                raise ConflictError(f"{name} exists already")
            self._check_match(name, if_match)
            self._check_lease(name, lease)
            return self._store(name, data)

    def delete(self, name: str, *, if_match: str | None = None) -> None:
        """See BlobStore."""
        with self._call("delete"):
            if name not in self.blobs:
                return
            self._check_match(name, if_match)
            self._check_lease(name, None)
            del self.blobs[name]

    def list(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> Iterator[BlobInfo]:
        """See BlobStore."""
        with self._call("list"):
            names = [name for name in self.names(prefix) if name > after]
            return iter([self._info(name) for name in names[:limit]])

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """See BlobStore."""
        with self._call("list_folders"):
            rests = (name.removeprefix(prefix) for name in self.names(prefix))
            heads = {rest.split("/")[0] for rest in rests if "/" in rest}
            return iter(sorted(f"{prefix}{head}/" for head in heads))

    def open(
        self, name: str, *, start: int = 0, end: int | None = None, if_match: str | None = None
    ) -> Iterator[bytes]:
        """See BlobStore."""
        with self._call("open"):
            position = start
            while True:
                chunk = self._chunk(name, position, end, if_match)
                if not chunk:
                    return
                if_match = if_match or self.blobs[name].etag
                yield chunk
                position += len(chunk)

    def acquire_lease(self, name: str, seconds: int) -> str:
        """See BlobStore."""
        with self._call("acquire_lease"):
            if not 15 <= seconds <= 60:
                raise ValueError(f"a lease lasts 15 to 60 s, not {seconds}")
            if name not in self.blobs:
                raise BlobNotFoundError(f"{name} does not exist")
            self._check_lease(name, None)
            until = self.clock.now() + timedelta(seconds=seconds)
            self._leases[name] = _Lease(id=str(uuid.uuid4()), until=until)
            return self._leases[name].id

    def release_lease(self, name: str, lease: str) -> None:
        """See BlobStore."""
        with self._call("release_lease"):
            held = self._leases.get(name)
            if held and held.id == lease:
                del self._leases[name]

    def _store(self, name: str, data: bytes) -> str:
        self._writes += 1
        etag = f'"0x{self._writes:08X}"'
        self.blobs[name] = _Blob(data=data, etag=etag, modified_at=self.clock.now())
        return etag

    def _info(self, name: str) -> BlobInfo:
        blob = self.blobs[name]
        return BlobInfo(
            name=name, etag=blob.etag, size_bytes=len(blob.data), modified_at=blob.modified_at
        )

    def _chunk(self, name: str, position: int, end: int | None, if_match: str | None) -> bytes:
        if name not in self.blobs:
            raise BlobNotFoundError(f"{name} does not exist")
        self._check_match(name, if_match)
        stop = position + _CHUNK if end is None else min(end, position + _CHUNK)
        return self.blobs[name].data[position:stop]

    def _check_match(self, name: str, if_match: str | None) -> None:
        if if_match is None:
            return
        if name not in self.blobs or self.blobs[name].etag != if_match:
            raise ConflictError(f"{name} is not at {if_match} any more")

    def _check_lease(self, name: str, lease: str | None) -> None:
        held = self._leases.get(name)
        alive = held if held and held.until > self.clock.now() else None
        if (alive.id if alive else None) != lease:
            raise ConflictError(f"the lease on {name} is {'held' if alive else 'lost'}")

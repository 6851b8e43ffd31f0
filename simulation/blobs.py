"""A container of blobs in memory: ETags, conditions and leases as Azure Storage has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from droptune.domain.errors import BlobNotFoundError, ConflictError, TransientError
from droptune.domain.services import BlobInfo, Clock, StoredBlob

CHUNK_BYTES = 8 << 20
Point = Callable[[str, bool], str | None]
Watcher = Callable[[str, bytes], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Blob:
    """A blob as it lies there."""

    data: bytes
    etag: str
    modified_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lease:
    id: str
    until: datetime


class Container:
    """Implements BlobStore. ETags and leases are numbered, so that runs can be compared.

    Attributes:
        point: called before and after each operation with its name and whether it writes; returns
            the fault that strikes there, or raises one.
        watch: told of each write that the app makes, as soon as it has happened.
    """

    def __init__(self, name: str, clock: Clock) -> None:
        """Begin empty."""
        self.name, self._clock = name, clock
        self.point: Point = lambda operation, before: None
        self.watch: Watcher = lambda name, data: None
        self.blobs: dict[str, Blob] = {}
        self._leases: dict[str, _Lease] = {}
        self._numbers = 0

    def put(self, name: str, data: bytes) -> None:
        """Write as somebody else would, without conditions and faults."""
        self._store(name, data)

    def remove(self, name: str) -> None:
        """Delete as somebody else would."""
        self.blobs.pop(name, None)

    def names(self, prefix: str = "") -> list[str]:
        """Return the names under a prefix, in order."""
        return sorted(name for name in self.blobs if name.startswith(prefix))

    def leased(self) -> list[str]:
        """Return the names of the blobs that somebody holds a lease on."""
        now = self._clock.now()
        return [name for name, lease in self._leases.items() if lease.until > now]

    def find(self, name: str) -> StoredBlob | None:
        """See BlobStore."""
        self._read("find", name)
        blob = self.blobs.get(name)
        return StoredBlob(data=blob.data, etag=blob.etag) if blob else None

    def find_info(self, name: str) -> BlobInfo | None:
        """See BlobStore."""
        self._read("find_info", name)
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
        _fail(self.point(f"{self.name} write {name}", True), name)
        if if_absent and name in self.blobs:
            raise ConflictError(f"{name} exists already")
        self._check(name, if_match, lease)
        etag = self._store(name, data)
        self.watch(name, data)
        _fail(self.point(f"{self.name} write {name}", False), name)
        return etag

    def delete(self, name: str, *, if_match: str | None = None) -> None:
        """See BlobStore."""
        _fail(self.point(f"{self.name} delete {name}", True), name)
        if name in self.blobs:
            self._check(name, if_match, None)
            del self.blobs[name]
        _fail(self.point(f"{self.name} delete {name}", False), name)

    def list(
        self, prefix: str = "", *, after: str = "", limit: int | None = None
    ) -> Iterator[BlobInfo]:
        """See BlobStore."""
        self._read("list", prefix)
        names = [name for name in self.names(prefix) if name > after]
        return iter([self._info(name) for name in names[:limit]])

    def list_folders(self, prefix: str = "") -> Iterator[str]:
        """See BlobStore."""
        self._read("list_folders", prefix)
        rests = (name.removeprefix(prefix) for name in self.names(prefix))
        heads = {rest.split("/")[0] for rest in rests if "/" in rest}
        return iter(sorted(f"{prefix}{head}/" for head in heads))

    def open(
        self, name: str, *, start: int = 0, end: int | None = None, if_match: str | None = None
    ) -> Iterator[bytes]:
        """See BlobStore."""
        position = start
        while True:
            self._read("open", name)
            if name not in self.blobs:
                raise BlobNotFoundError(f"{name} does not exist")
            self._check_match(name, if_match)
            blob = self.blobs[name]
            stop = position + CHUNK_BYTES if end is None else min(end, position + CHUNK_BYTES)
            chunk = blob.data[position:stop]
            if not chunk:
                return
            if_match = if_match or blob.etag
            yield chunk
            position += len(chunk)

    def acquire_lease(self, name: str, seconds: int) -> str:
        """See BlobStore."""
        _fail(self.point(f"{self.name} acquire_lease {name}", True), name)
        if not 15 <= seconds <= 60:
            raise ValueError(f"a lease lasts 15 to 60 s, not {seconds}")
        if name not in self.blobs:
            raise BlobNotFoundError(f"{name} does not exist")
        self._check_lease(name, None)
        self._numbers += 1
        until = self._clock.now() + timedelta(seconds=seconds)
        lease = self._leases[name] = _Lease(id=f"lease-{self._numbers}", until=until)
        _fail(self.point(f"{self.name} acquire_lease {name}", False), name)
        return lease.id

    def release_lease(self, name: str, lease: str) -> None:
        """See BlobStore."""
        _fail(self.point(f"{self.name} release_lease {name}", True), name)
        held = self._leases.get(name)
        if held and held.id == lease:
            del self._leases[name]

    def _read(self, operation: str, name: str) -> None:
        _fail(self.point(f"{self.name} {operation} {name}", True), name)

    def _store(self, name: str, data: bytes) -> str:
        self._numbers += 1
        etag = f'"0x{self._numbers:08X}"'
        self.blobs[name] = Blob(data=data, etag=etag, modified_at=self._clock.now())
        return etag

    def _info(self, name: str) -> BlobInfo:
        blob = self.blobs[name]
        return BlobInfo(
            name=name, etag=blob.etag, size_bytes=len(blob.data), modified_at=blob.modified_at
        )

    def _check(self, name: str, if_match: str | None, lease: str | None) -> None:
        self._check_match(name, if_match)
        self._check_lease(name, lease)

    def _check_match(self, name: str, if_match: str | None) -> None:
        if if_match is not None and (name not in self.blobs or self.blobs[name].etag != if_match):
            raise ConflictError(f"{name} is not at {if_match} any more")

    def _check_lease(self, name: str, lease: str | None) -> None:
        held = self._leases.get(name)
        alive = held if held and held.until > self._clock.now() else None
        if (alive.id if alive else None) != lease:
            raise ConflictError(f"the lease on {name} is {'held' if alive else 'lost'}")


def _fail(fault: str | None, name: str) -> None:
    """Raise what the adapter makes of storage that does not answer, or has acted unseen."""
    if fault is not None:
        raise TransientError(f"storage did not answer for {name}")

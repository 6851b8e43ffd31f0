"""Serialised submission: one writer at a time for each training, on any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from activities.run_records import dump
from droptune.domain.claim import JobClaim
from droptune.domain.errors import ConflictError, TransientError
from droptune.domain.payload import read_document
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore

LEASE_SECONDS = 60  # longer than the time-out of the POST that it protects


@dataclass(kw_only=True)
class HeldClaim:
    """A claim under a lease: what it says, and the only way to change it."""

    claim: JobClaim
    _store: BlobStore = field(repr=False)
    _name: str
    _lease: str

    def change(self, change: Callable[[JobClaim], JobClaim]) -> JobClaim:
        """Write what `change` makes of the claim; raises TransientError when the lease was lost."""
        changed = change(self.claim)
        if changed != self.claim:
            try:
                self._store.write(self._name, dump(changed.to_payload()), lease=self._lease)
            except ConflictError as lost:
                raise TransientError("the lease on the claim was lost", retry_after=5) from lost
            self.claim = changed
        return self.claim


@contextmanager
def held(registry: BlobStore, record: RunRecord) -> Iterator[HeldClaim]:
    """Hold the claim on a run's training; raises TransientError while somebody else does."""
    name = f"{record.project}/jobs/{record.training_digest}.json"
    _ensure(registry, name, record.training_digest)
    try:
        lease = registry.acquire_lease(name, LEASE_SECONDS)
    except ConflictError as taken:
        raise TransientError("another worker is submitting", retry_after=3) from taken
    try:
        blob = registry.find(name)
        claim = read_document(JobClaim, blob.data) if blob else None
        yield HeldClaim(
            claim=claim or JobClaim(training_digest=record.training_digest),
            _store=registry,
            _name=name,
            _lease=lease,
        )
    finally:
        registry.release_lease(name, lease)


def _ensure(registry: BlobStore, name: str, training_digest: str) -> None:
    if registry.find_info(name) is not None:
        return
    try:
        fresh = JobClaim(training_digest=training_digest)
        registry.write(name, dump(fresh.to_payload()), if_absent=True)
    except ConflictError:
        return

"""Every dataset from one listing of the container: what lies there, what is recorded of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from droptune.api.services import ApiServices
from droptune.domain.dataset import (
    DatasetFile,
    DatasetRef,
    Folder,
    Rejected,
    is_name,
    locate,
    sort_files,
)
from droptune.domain.payload import Payload
from droptune.domain.registration import DatasetRecord, FailedCollection
from droptune.domain.services import BlobInfo

T = TypeVar("T")
_RECORDS, _FAILURES = "datasets", "collecting"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedDataset:
    """A dataset as it lies there, and what is recorded of it, of a failure too."""

    ref: DatasetRef
    files: list[DatasetFile]
    record: DatasetRecord | None
    failure: FailedCollection | None = None

    @property
    def folder(self) -> Folder:
        """The files by their roles."""
        named = self.record.named_files if self.record else {}
        return sort_files(self.ref, self.files, named=named)

    @property
    def state(self) -> str:
        """What became of it."""
        return state_of(self.folder, self.record, self.failure)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetListing:
    """What a listing found; datasets by name, then paths that belong to none.

    Attributes:
        records: the blobs that hold what is recorded of each dataset.
        failures: the blobs that say why a dataset was not taken up.
        champions: the blob that holds each project's champion.
        projects: every project that has data or a record.
        state: what changes whenever any of this does.
    """

    files: dict[DatasetRef, list[DatasetFile]]
    rejected: list[Rejected]
    records: dict[DatasetRef, BlobInfo]
    failures: dict[DatasetRef, BlobInfo]
    champions: dict[str, BlobInfo]
    projects: frozenset[str]
    state: list[str]

    @property
    def refs(self) -> list[DatasetRef]:
        """Every dataset, by name."""
        return sorted({*self.files, *self.records}, key=str)


def list_everything_dropped(services: ApiServices) -> DatasetListing:
    """List the containers of datasets and of the registry; reads no document."""
    dropped, registered = list(services.datasets.list()), list(services.registry.list())
    files, rejected = sort_blobs(dropped)
    kept: dict[str, dict[DatasetRef, BlobInfo]] = {_RECORDS: {}, _FAILURES: {}}
    champions: dict[str, BlobInfo] = {}
    for blob in registered:
        project, _, rest = blob.name.partition("/")
        if not is_name(project):
            continue
        if rest == "champion.json":
            champions[project] = blob
        elif known := _recorded(project, rest):
            kind, ref = known
            kept[kind][ref] = blob
    records, failures = kept[_RECORDS], kept[_FAILURES]
    shown = (*champions.values(), *records.values(), *failures.values())
    return DatasetListing(
        files=files,
        rejected=sorted(rejected, key=lambda each: each.path),
        records=records,
        failures=failures,
        champions=champions,
        projects=frozenset({ref.project for ref in (*files, *records)} | set(champions)),
        state=[blob.name + blob.etag for blob in (*dropped, *shown)],
    )


def load_datasets(
    services: ApiServices, listing: DatasetListing, refs: Iterable[DatasetRef]
) -> list[ListedDataset]:
    """Read what is recorded of some datasets; those without a record read nothing."""
    wanted = list(refs)
    records = _load(services, listing.records, wanted, DatasetRecord.from_payload)
    failures = _load(services, listing.failures, wanted, FailedCollection.from_payload)
    return [
        ListedDataset(
            ref=ref,
            files=listing.files.get(ref, []),
            record=records.get(ref),
            failure=failures.get(ref),
        )
        for ref in wanted
    ]


def _load(
    services: ApiServices,
    blobs: Mapping[DatasetRef, BlobInfo],
    wanted: Iterable[DatasetRef],
    parse: Callable[[Payload], T],
) -> dict[DatasetRef, T | None]:
    there = [ref for ref in wanted if ref in blobs]
    found = services.documents.load(services.registry, (blobs[ref] for ref in there), parse)
    return dict(zip(there, found, strict=True))


def state_of(
    folder: Folder, record: DatasetRecord | None, failure: FailedCollection | None = None
) -> str:
    """Return what became of a dataset: waiting, settling, failed, seen or started."""
    if record is not None and (record.knows(folder) or not folder.relevant):
        return "seen" if record.state == "seen" else "started"
    if not folder.has_training_data:
        return "waiting"
    return "failed" if failure is not None and failure.holds_for(folder) else "settling"


def _recorded(project: str, rest: str) -> tuple[str, DatasetRef] | None:
    kind, _, file = rest.partition("/")
    version = file.removesuffix(".json")
    if kind not in (_RECORDS, _FAILURES) or not file.endswith(".json") or not is_name(version):
        return None
    return kind, DatasetRef(project=project, version=version)


def sort_blobs(
    blobs: Iterable[BlobInfo],
) -> tuple[dict[DatasetRef, list[DatasetFile]], list[Rejected]]:
    """Return the files of each dataset, and the paths that belong to none."""
    files: dict[DatasetRef, list[DatasetFile]] = defaultdict(list)
    rejected: dict[str, Rejected] = {}
    for blob in blobs:
        place = locate(blob.name, size_bytes=blob.size_bytes)
        if isinstance(place, DatasetRef):
            files[place].append(as_file(blob))
        elif place is not None:
            rejected[blob.name] = place
    return dict(files), list(rejected.values())


def as_file(blob: BlobInfo) -> DatasetFile:
    """Return a blob as a dataset's file."""
    return DatasetFile(
        name=blob.name, etag=blob.etag, size_bytes=blob.size_bytes, modified_at=blob.modified_at
    )

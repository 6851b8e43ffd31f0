"""Every dataset from one listing of the container: what lies there, what is recorded of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

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
from droptune.domain.registration import DatasetRecord
from droptune.domain.services import BlobInfo

_DATASETS = "datasets"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedDataset:
    """A dataset as it lies there, and what is recorded of it."""

    ref: DatasetRef
    files: list[DatasetFile]
    record: DatasetRecord | None

    @property
    def folder(self) -> Folder:
        """The files by their roles."""
        named = self.record.named_files if self.record else {}
        return sort_files(self.ref, self.files, named=named)

    @property
    def state(self) -> str:
        """What became of it."""
        return state_of(self.folder, self.record)


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetListing:
    """What a listing found; datasets by name, then paths that belong to none.

    Attributes:
        records: the blobs that hold what is recorded of each dataset.
        champions: the blob that holds each project's champion.
        projects: every project that has data or a record.
        state: what changes whenever any of this does.
    """

    files: dict[DatasetRef, list[DatasetFile]]
    rejected: list[Rejected]
    records: dict[DatasetRef, BlobInfo]
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
    records: dict[DatasetRef, BlobInfo] = {}
    champions: dict[str, BlobInfo] = {}
    for blob in registered:
        project, _, rest = blob.name.partition("/")
        if not is_name(project):
            continue
        if rest == "champion.json":
            champions[project] = blob
        elif ref := _recorded(project, rest):
            records[ref] = blob
    kept = (*champions.values(), *records.values())
    return DatasetListing(
        files=files,
        rejected=sorted(rejected, key=lambda each: each.path),
        records=records,
        champions=champions,
        projects=frozenset({ref.project for ref in (*files, *records)} | set(champions)),
        state=[blob.name + blob.etag for blob in (*dropped, *kept)],
    )


def load_datasets(
    services: ApiServices, listing: DatasetListing, refs: Iterable[DatasetRef]
) -> list[ListedDataset]:
    """Read what is recorded of some datasets; those without a record read nothing."""
    wanted = list(refs)
    recorded = [ref for ref in wanted if ref in listing.records]
    blobs = (listing.records[ref] for ref in recorded)
    found = services.documents.load(services.registry, blobs, DatasetRecord.from_payload)
    records = dict(zip(recorded, found, strict=True))
    return [
        ListedDataset(ref=ref, files=listing.files.get(ref, []), record=records.get(ref))
        for ref in wanted
    ]


def state_of(folder: Folder, record: DatasetRecord | None) -> str:
    """Return what became of a dataset: waiting, settling, seen or started."""
    if record is not None and (record.knows(folder) or not folder.relevant):
        return "seen" if record.state == "seen" else "started"
    return "settling" if folder.has_training_data else "waiting"


def _recorded(project: str, rest: str) -> DatasetRef | None:
    kind, _, file = rest.partition("/")
    version = file.removesuffix(".json")
    if kind != _DATASETS or not file.endswith(".json") or not is_name(version):
        return None
    return DatasetRef(project=project, version=version)


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

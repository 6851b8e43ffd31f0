"""What lies in the container that no run was registered for, found in few requests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from itertools import groupby

from activities.datasets import folder_of
from activities.run_records import load_document
from droptune.domain.dataset import BARE_VERSION, DatasetRef, is_name
from droptune.domain.errors import DroptuneError
from droptune.domain.registration import DatasetRecord, dataset_record_name
from droptune.domain.services import BlobInfo, BlobStore

Listed = tuple[DatasetRef, list[BlobInfo]]
MOST_KNOWN = 20_000


class KnownFolders:
    """What earlier sweeps found nothing new in, by what was listed: some bytes for each dataset.

    What is listed unchanged is neither read nor parsed again. Whoever forgets reads once more.
    """

    def __init__(self, most: int = MOST_KNOWN) -> None:
        """Remember at most so many datasets."""
        self._most = most
        self._seen: dict[DatasetRef, bytes] = {}

    def knows(self, dataset: DatasetRef, blobs: list[BlobInfo], record: str) -> bool:
        """Whether nothing was new in a folder that lists so, whose record has this ETag."""
        return self._seen.get(dataset) == _digest(blobs, record)

    def learn(self, dataset: DatasetRef, blobs: list[BlobInfo], record: str) -> None:
        """Remember that nothing is new in a folder that lists so."""
        self._seen.pop(dataset, None)
        self._seen[dataset] = _digest(blobs, record)
        while len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]


def _digest(blobs: list[BlobInfo], record: str) -> bytes:
    listed = [(blob.name, blob.etag, blob.size_bytes) for blob in blobs]
    return hashlib.sha256(repr((listed, record)).encode("utf-8", "surrogatepass")).digest()


def list_datasets(datasets: BlobStore) -> Iterator[Listed]:
    """Iterate over every dataset that lies in the container with its blobs, in one listing."""
    bare: dict[str, BlobInfo] = {}
    for head, group in groupby(datasets.list(), key=_head):
        project, version = head
        if version:
            dataset = DatasetRef(project=project, version=version)
            blobs = list(group)
            if dataset.bare_file and (found := bare.pop(project, None)):
                blobs.append(found)
            yield dataset, blobs
        elif project:
            bare[project] = next(iter(group))
    for project, blob in bare.items():
        yield DatasetRef(project=project, version=BARE_VERSION), [blob]


def _head(blob: BlobInfo) -> tuple[str, str]:
    """Return the project and the version that a blob's name begins with, or "" for either.

    A listing is in order of names, so that a folder's blobs follow each other, behind the bare file
    of their project's name ("." comes before "/").
    """
    project, slash, rest = blob.name.partition("/")
    if slash:
        version, inner, _ = rest.partition("/")
        return (project, version) if inner and is_name(project) and is_name(version) else ("", "")
    stem, dot, ending = project.rpartition(".")
    return (stem, "") if dot and ending == "jsonl" and is_name(stem) else ("", "")


def find_new(
    datasets: BlobStore,
    registry: BlobStore,
    known: KnownFolders | None = None,
    failed: Callable[[DatasetRef, DroptuneError], None] | None = None,
) -> list[DatasetRef]:
    """Return the datasets that hold something no run was registered for.

    `failed` is told of a dataset that could not be looked at, and the others are.
    """
    memory, found = known or KnownFolders(), []
    etags: dict[str, dict[str, str]] = {}
    for dataset, blobs in list_datasets(datasets):
        name = dataset_record_name(dataset)
        try:
            if dataset.project not in etags:  # in order of projects: one is kept at a time
                etags = {dataset.project: _record_etags(registry, dataset.project)}
            record = etags[dataset.project].get(name, "")
            if memory.knows(dataset, blobs, record):
                continue
            if _is_new(datasets, registry, dataset, blobs):
                found.append(dataset)
            else:
                memory.learn(dataset, blobs, record)
        except DroptuneError as error:
            if failed is None:
                raise
            failed(dataset, error)
    return found


def _record_etags(registry: BlobStore, project: str) -> dict[str, str]:
    return {info.name: info.etag for info in registry.list(f"{project}/datasets/")}


def _is_new(
    datasets: BlobStore, registry: BlobStore, dataset: DatasetRef, blobs: list[BlobInfo]
) -> bool:
    folder = folder_of(datasets, dataset, blobs)
    if not folder.has_training_data:
        return False
    known, _ = load_document(registry, dataset_record_name(dataset), DatasetRecord)
    return known is None or not known.knows(folder)

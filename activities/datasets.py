"""Looking at what was dropped."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from activities.run_records import dump, load_document
from droptune.domain.configuration import named_files
from droptune.domain.dataset import JOB_FILE, DatasetFile, DatasetRef, Folder, Role, sort_files
from droptune.domain.registration import (
    DatasetRecord,
    FailedCollection,
    dataset_record_name,
    failed_collection_name,
)
from droptune.domain.run import Pin
from droptune.domain.services import BlobInfo, BlobStore, Clock
from droptune.domain.steps import Collecting, CollectingFailed, Later, Look, Policy

LONGEST_JOB_FILE = 256 << 10  # a longer one is refused, with its reason, by the report
INSTALLED = "_installed.json"


def look_at_dataset(
    collecting: Collecting,
    *,
    datasets: BlobStore,
    registry: BlobStore,
    clock: Clock,
    policy: Policy,
) -> Look | Later:
    """Look once at a dataset's folder. Reads only, so it may run any number of times."""
    if registry.find(INSTALLED) is None:
        return Later(seconds=1, reason="what lay here at installation is still being listed")
    folder = read_folder(datasets, collecting.dataset)
    record, _ = load_document(registry, dataset_record_name(collecting.dataset), DatasetRecord)
    if not folder.has_training_data or (record is not None and record.knows(folder)):
        return Look(state="idle")
    agrees = folder.fingerprint == collecting.fingerprint
    if agrees or folder.complete:
        return Look(state="settled", fingerprint=folder.fingerprint)
    return Look(
        state="unsettled", fingerprint=folder.fingerprint, wait_seconds=policy.settle_seconds
    )


def note_failed_collection(failed: CollectingFailed, *, registry: BlobStore, clock: Clock) -> None:
    """Keep why a dataset was not taken up; the next failure overwrites it."""
    noted = FailedCollection(dataset=failed.dataset, problem=failed.problem, at=clock.now())
    registry.write(failed_collection_name(failed.dataset), dump(noted.to_payload()))


def read_folder(datasets: BlobStore, dataset: DatasetRef) -> Folder:
    """Return a dataset's files by their role, some of which the configuration may name."""
    blobs = list(datasets.list(dataset.prefix))
    if dataset.bare_file and (info := datasets.find_info(dataset.bare_file)):
        blobs.append(info)
    return folder_of(datasets, dataset, blobs)


def folder_of(datasets: BlobStore, dataset: DatasetRef, blobs: Iterable[BlobInfo]) -> Folder:
    """Return a dataset's files by their role as they are listed."""
    files = [_file(info) for info in blobs]
    folder = sort_files(dataset, files)
    named = _read_named(datasets, folder.job_file) if folder.job_file else {}
    return sort_files(dataset, files, named=named) if named else folder


def _read_named(datasets: BlobStore, file: DatasetFile) -> dict[Role, str]:
    if not 0 < file.size_bytes <= LONGEST_JOB_FILE:
        return {}
    blob = datasets.find(file.name)
    return dict(_NAMED.of(blob.data)) if blob else {}


class NamedFiles:
    """The files that job files name, by content: YAML is parsed once, and only where a name may
    stand; 1,000 datasets with job files of their own would cost seconds at each look."""

    def __init__(self, parse: Callable[[bytes], dict[Role, str]], most: int = 4096) -> None:
        """Remember at most so many contents, by their SHA-256."""
        self._parse, self._most = parse, most
        self._kept: dict[bytes, dict[Role, str]] = {}

    def of(self, data: bytes) -> dict[Role, str]:
        """Return which file each role has by name."""
        if not any(sign in data for sign in (b"_file", b"\\", b"\0")):  # an escape may hide it
            return {}
        key = hashlib.sha256(data).digest()
        found = self._kept.get(key)
        if found is None:
            self._kept[key] = found = self._parse(data)
            for oldest in list(self._kept)[: max(len(self._kept) - self._most, 0)]:
                self._kept.pop(oldest, None)
        return found


def _parse_named(data: bytes) -> dict[Role, str]:
    from droptune.validation.job_file import parse_job_file  # takes a while

    job_file = parse_job_file(data, file=JOB_FILE)[0]
    return named_files(job_file) if job_file else {}


_NAMED = NamedFiles(_parse_named)


def pin_files(datasets: BlobStore, folder: Folder) -> tuple[tuple[Pin, ...], dict[str, str]]:
    """Hash every relevant blob as it is now; return the pins and each role's joined content hash.

    Raises ConflictError when a blob changes meanwhile, BlobNotFoundError when it goes.
    """
    pins: list[Pin] = []
    content: dict[str, str] = {}
    for role, files in folder.files.items():
        joined = hashlib.sha256()
        for position, file in enumerate(files):
            own = hashlib.sha256()
            for chunk in joined_chunks(datasets, file, is_last=position == len(files) - 1, own=own):
                joined.update(chunk)
            pins.append(_pin(role.value, file, own.hexdigest()))
        content[role.value] = joined.hexdigest()
    single = [("unclear", file) for file in folder.unclear]
    single += [("configuration", folder.job_file)] if folder.job_file else []
    for name, file in single:
        own = hashlib.sha256()
        for chunk in joined_chunks(datasets, file, is_last=True):
            own.update(chunk)
        pins.append(_pin(name, file, own.hexdigest()))
    return tuple(pins), content


def joined_chunks(
    datasets: BlobStore, file: DatasetFile | Pin, *, is_last: bool, own: object = None
) -> Iterator[bytes]:
    """Iterate over a part's bytes, ended by a newline unless it is the last part."""
    last = b""
    for chunk in datasets.open(file.name, if_match=file.etag) if file.size_bytes else ():
        if own is not None:
            own.update(chunk)  # type: ignore[attr-defined]  # a hashlib object, which has no public type
        last = chunk[-1:] or last
        yield chunk
    if not is_last and last not in (b"", b"\n"):
        yield b"\n"


def check_pins(datasets: BlobStore, pins: tuple[Pin, ...], folder: Folder) -> tuple[Pin, ...] | str:
    """Compare what was pinned with what is there now.

    Return the pins, with new ETags where the same content was written again, or a sentence that
    says what changed. Raises ConflictError or BlobNotFoundError when a blob changes meanwhile.
    """
    present = {file.name: file for file in folder.relevant}
    pinned = {pin.name: pin for pin in pins}
    if came := sorted(present.keys() - pinned.keys()):
        return f"{came[0]} came after the dataset had settled."
    if went := sorted(pinned.keys() - present.keys()):
        return f"{went[0]} was removed after the dataset had settled."
    checked = [_check_pin(datasets, pin, present[pin.name]) for pin in pins]
    if changed := next((pin for pin, now in zip(pins, checked, strict=True) if now is None), None):
        return f"{changed.name} was overwritten with other content after the dataset had settled."
    return tuple(pin for pin in checked if pin is not None)


def _check_pin(datasets: BlobStore, pin: Pin, file: DatasetFile) -> Pin | None:
    if pin.etag == file.etag:
        return pin
    own = hashlib.sha256()
    for chunk in datasets.open(file.name, if_match=file.etag) if file.size_bytes else ():
        own.update(chunk)
    return _pin(pin.role, file, pin.sha256) if own.hexdigest() == pin.sha256 else None


def settled_long_enough(folder: Folder, policy: Policy) -> timedelta:
    """Return how long after its last change a dataset may be trained on."""
    return timedelta(0 if folder.complete else policy.submit_after_seconds / 86_400)


def _pin(role: str, file: DatasetFile, sha256: str) -> Pin:
    return Pin(role=role, name=file.name, etag=file.etag, size_bytes=file.size_bytes, sha256=sha256)


def _file(info: BlobInfo) -> DatasetFile:
    return DatasetFile(
        name=info.name, etag=info.etag, size_bytes=info.size_bytes, modified_at=info.modified_at
    )

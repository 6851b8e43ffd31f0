"""Routes of datasets: what was dropped, and what became of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from droptune.api.bodies import dataset_of, no_such_dataset
from droptune.api.messages import ApiRequest, ApiResponse, json_response
from droptune.api.records import find_document, find_record, read_control
from droptune.api.services import ApiServices
from droptune.api.status import run_row
from droptune.domain.dataset import (
    DatasetFile,
    DatasetRef,
    Folder,
    Rejected,
    is_name,
    locate,
    sort_files,
)
from droptune.domain.payload import Payload, format_time
from droptune.domain.registration import DatasetRecord, dataset_record_name
from droptune.domain.run import RunRef
from droptune.domain.services import BlobInfo, BlobStore

MOST_RUNS = 20
_REJECTED = "_rejected/"


def list_datasets(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/datasets: every dataset that lies there or was recorded, and every rejected path."""
    return json_response({"datasets": all_datasets(services, services.base(request.url))})


def get_dataset(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/datasets/{project}/{version}: one dataset, with what its folder says in detail."""
    ref = dataset_of(request)
    files = _files_of(services.datasets, ref)
    record = _find_record(services.registry, ref)
    if not files and record is None:
        raise no_such_dataset(str(ref))
    folder = sort_files(ref, files)
    base = services.base(request.url)
    shown = _show(ref, files, record, services, base) | {
        "complete": folder.complete,
        "others": list(folder.others),
        "look_alikes": list(folder.look_alikes),
        "findings": [finding.to_payload() for finding in folder.findings],
        "changed_at": format_time(folder.changed_at) if folder.changed_at else None,
        "settled_at": format_time(record.settled_at) if record and record.settled_at else None,
    }
    return json_response(shown)


def all_datasets(services: ApiServices, base: str) -> list[Payload]:
    """Return every dataset by name, then the paths that belong to none."""
    files, rejected = _sort_blobs(services.datasets.list())
    refs = sorted({*files, *_recorded(services.registry)}, key=str)
    shown = [
        _show(ref, files.get(ref, []), _find_record(services.registry, ref), services, base)
        for ref in refs
    ]
    noticed = _noticed(services.registry) if rejected else {}
    return shown + [_show_rejected(each, noticed.get(each.path)) for each in rejected]


def _sort_blobs(
    blobs: Iterable[BlobInfo],
) -> tuple[dict[DatasetRef, list[DatasetFile]], list[Rejected]]:
    files: dict[DatasetRef, list[DatasetFile]] = defaultdict(list)
    rejected: dict[str, Rejected] = {}
    for blob in blobs:
        place = locate(blob.name)
        if isinstance(place, DatasetRef):
            files[place].append(_file(blob))
        elif place is not None:
            rejected[blob.name] = place
    folders = {str(ref) for ref in files}  # a folder's marker (ADLS Gen2) looks like a file
    return files, [each for path, each in rejected.items() if path not in folders]


def _file(blob: BlobInfo) -> DatasetFile:
    return DatasetFile(
        name=blob.name, etag=blob.etag, size_bytes=blob.size_bytes, modified_at=blob.modified_at
    )


def _files_of(datasets: BlobStore, ref: DatasetRef) -> list[DatasetFile]:
    files = [_file(blob) for blob in datasets.list(ref.prefix)]
    bare = datasets.find_info(ref.bare_file) if ref.bare_file else None
    return [*files, _file(bare)] if bare else files


def _recorded(registry: BlobStore) -> Iterator[DatasetRef]:
    for folder in registry.list_folders():
        project = folder.rstrip("/")
        if not is_name(project):
            continue
        prefix = f"{project}/datasets/"
        for blob in registry.list(prefix):
            version = blob.name.removeprefix(prefix).removesuffix(".json")
            if is_name(version):
                yield DatasetRef(project=project, version=version)


def _find_record(registry: BlobStore, ref: DatasetRef) -> DatasetRecord | None:
    document = find_document(registry, dataset_record_name(ref))
    return DatasetRecord.from_payload(document) if document else None


def _show(
    ref: DatasetRef,
    files: list[DatasetFile],
    record: DatasetRecord | None,
    services: ApiServices,
    base: str,
) -> Payload:
    folder = sort_files(ref, files)
    runs = _runs(ref, record, services, base)
    state = state_of(folder, record)
    urls = {
        "self": f"{base}/api/datasets/{ref}",
        "project": f"{base}/api/projects/{ref.project}",
        "start": f"{base}/api/runs",
    }
    return {
        "project": ref.project,
        "version": ref.version,
        "state": state,
        "message": _message(state, folder, record, runs),
        "waiting_for": folder.waiting_for() if state == "waiting" else None,
        "files": _show_files(ref, files, folder),
        "runs": runs,
        "links": urls,
    }


def state_of(folder: Folder, record: DatasetRecord | None) -> str:
    """Return what became of a dataset: waiting, settling, seen or started."""
    if record is not None and (record.knows(folder) or not folder.relevant):
        return "seen" if record.state == "seen" else "started"
    return "settling" if folder.has_training_data else "waiting"


def _message(state: str, folder: Folder, record: DatasetRecord | None, runs: list[Payload]) -> str:
    if state == "waiting":
        return folder.waiting_for()
    if state == "settling":
        return "The files are new or changed; a run starts once they stop changing."
    if state == "seen":
        return "Seen, not started: it lay here when Droptune was installed. Start it if you want."
    if runs:
        return str(runs[0]["message"])
    return record.message if record and record.message else "Settled."


def _show_files(ref: DatasetRef, files: list[DatasetFile], folder: Folder) -> list[Payload]:
    roles = {file.name: role.value for role, found in folder.files.items() for file in found}
    if folder.job_file:
        roles[folder.job_file.name] = "configuration"
    return [
        {
            "name": file.name.removeprefix(ref.prefix),
            "role": roles.get(file.name),
            "size_bytes": file.size_bytes,
            "etag": file.etag,
        }
        for file in files
    ]


def _runs(
    ref: DatasetRef, record: DatasetRecord | None, services: ApiServices, base: str
) -> list[Payload]:
    ids = reversed(record.runs[-MOST_RUNS:]) if record else ()
    found = (find_record(services.runs, RunRef(project=ref.project, id=each)) for each in ids)
    now = services.clock.now()
    rows = [run_row(run, read_control(services.runs, run.ref), base, now) for run in found if run]
    keys = ("id", "phase", "outcome", "message", "links")
    return [{key: row[key] for key in keys} for row in rows]


def _noticed(registry: BlobStore) -> dict[str, Payload]:
    """Return what was recorded of rejected paths; one that was removed since is settled."""
    documents = (find_document(registry, blob.name) for blob in registry.list(_REJECTED))
    return {str(document.get("path")): document for document in documents if document}


def _show_rejected(rejected: Rejected, noticed: Payload | None) -> Payload:
    return {
        "project": None,
        "version": None,
        "path": rejected.path,
        "state": "rejected",
        "message": rejected.message,
        "remedy": rejected.remedy,
        "at": noticed.get("at") if noticed else None,
        "waiting_for": None,
        "files": [],
        "runs": [],
        "links": {},
    }

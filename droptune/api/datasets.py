"""Routes of datasets: what was dropped, and what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from droptune.api.bodies import dataset_of, no_such_dataset, read_limit
from droptune.api.dataset_listing import (
    DatasetListing,
    ListedDataset,
    as_file,
    list_everything_dropped,
    load_datasets,
)
from droptune.api.messages import ApiRequest, ApiResponse, etag_of, json_response, unless_known
from droptune.api.problems import bad_request
from droptune.api.records import find_document, find_record, read_control
from droptune.api.services import ApiServices
from droptune.api.status import run_row
from droptune.domain.dataset import DatasetFile, DatasetRef, Folder, Rejected
from droptune.domain.payload import Payload, format_time
from droptune.domain.registration import (
    DatasetRecord,
    FailedCollection,
    dataset_record_name,
    failed_collection_name,
)
from droptune.domain.run import RunRef
from droptune.domain.services import BlobStore

MOST_RUNS = 20
MOST_DATASETS = 1_000
_PAGE = 200
_LONGEST_PATH = 1_100
_REJECTED = "_rejected/"
_PATHS = "//"  # begins the cursor behind a rejected path; no dataset's name does


def list_datasets(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/datasets: `{"datasets": [...], "next": ...}`: datasets by name, then rejected paths.

    `next` is the `after` of the next page: a name, so that a page stays where it is when others
    come and go.
    """
    limit = read_limit(request.query.get("limit", str(_PAGE)), MOST_DATASETS)
    after = request.query.get("after", "")
    if len(after) > _LONGEST_PATH:
        raise bad_request("bad-after", "after: too long.", "Use the `next` of the page before.")
    base, listing = services.base(request.url), list_everything_dropped(services)
    refs, rejected = list(islice(_behind(listing, after), limit + 1)), []
    if len(refs) <= limit:
        rejected = list(islice(_rejected_behind(listing, after), limit + 1 - len(refs)))
    page = load_datasets(services, listing, refs[:limit])
    shown = [show_dataset(each, services, base) for each in page]
    paths = rejected[: limit - len(shown)]
    noticed = find_noticed(services.registry) if paths else {}
    shown += [show_rejected(each, noticed.get(each.path)) for each in paths]
    has_more = len(refs) + len(rejected) > limit
    last = f"{_PATHS}{paths[-1].path}" if paths else str(page[-1].ref) if page else ""
    document = {"datasets": shown, "next": last if has_more else None}
    return unless_known(request, json_response(document), etag_of(document))


def _behind(listing: DatasetListing, after: str) -> Iterator[DatasetRef]:
    if not after.startswith(_PATHS):
        yield from (ref for ref in listing.refs if str(ref) > after)


def _rejected_behind(listing: DatasetListing, after: str) -> Iterator[Rejected]:
    path = after.removeprefix(_PATHS) if after.startswith(_PATHS) else ""
    return (each for each in listing.rejected if each.path > path)


def get_dataset(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/datasets/{project}/{version}: one dataset, with what its folder says in detail."""
    ref = dataset_of(request)
    files = _files_of(services.datasets, ref)
    record = _find_record(services.registry, ref)
    if not files and record is None:
        raise no_such_dataset(str(ref))
    dataset = ListedDataset(ref=ref, files=files, record=record)
    if dataset.state == "settling":  # only then a failure would change what is said
        dataset = replace(dataset, failure=_find_failure(services.registry, ref))
    folder = dataset.folder
    shown = show_dataset(dataset, services, services.base(request.url)) | {
        "complete": folder.complete,
        "others": list(folder.others),
        "look_alikes": list(folder.look_alikes),
        "findings": [finding.to_payload() for finding in folder.findings],
        "changed_at": format_time(folder.changed_at) if folder.changed_at else None,
        "settled_at": format_time(record.settled_at) if record and record.settled_at else None,
    }
    return unless_known(request, json_response(shown), etag_of(shown))


def _files_of(datasets: BlobStore, ref: DatasetRef) -> list[DatasetFile]:
    files = [as_file(blob) for blob in datasets.list(ref.prefix)]
    bare = datasets.find_info(ref.bare_file) if ref.bare_file else None
    return [*files, as_file(bare)] if bare else files


def _find_record(registry: BlobStore, ref: DatasetRef) -> DatasetRecord | None:
    document = find_document(registry, dataset_record_name(ref))
    return DatasetRecord.from_payload(document) if document else None


def _find_failure(registry: BlobStore, ref: DatasetRef) -> FailedCollection | None:
    document = find_document(registry, failed_collection_name(ref))
    return FailedCollection.from_payload(document) if document else None


def show_dataset(dataset: ListedDataset, services: ApiServices, base: str) -> Payload:
    """Return a dataset as lists show it."""
    ref, folder, record = dataset.ref, dataset.folder, dataset.record
    runs = _runs(ref, record, services, base)
    urls = {
        "self": f"{base}/api/datasets/{ref}",
        "project": f"{base}/api/projects/{ref.project}",
        "start": f"{base}/api/runs",
    }
    return {
        "project": ref.project,
        "version": ref.version,
        "state": dataset.state,
        "message": str(runs[0]["message"]) if runs and dataset.state == "started" else say(dataset),
        "waiting_for": folder.waiting_for() if dataset.state == "waiting" else None,
        "files": _show_files(ref, dataset.files, folder),
        "runs": runs,
        "links": urls,
    } | ({"remedy": remedy} if (remedy := remedy_of(dataset)) else {})


def say(dataset: ListedDataset) -> str:
    """Return a sentence about what became of a dataset, without looking at its runs."""
    if dataset.state == "waiting":
        return dataset.folder.waiting_for()
    if dataset.state == "settling":
        return "The files are new or changed; a run starts once they stop changing."
    if dataset.state == "failed" and dataset.failure is not None:
        why = dataset.failure.problem.message.rstrip(".")
        return f"It could not be taken up: {why}. It is tried again every few minutes."
    if dataset.state == "seen":
        return "Seen, not started: it lay here when Droptune was installed. Start it if you want."
    record = dataset.record
    return record.message if record and record.message else "Settled."


def remedy_of(dataset: ListedDataset) -> str:
    """Return what helps a dataset that could not be taken up, or ""."""
    if dataset.failure is None or dataset.state != "failed":
        return ""
    return dataset.failure.problem.remedy


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


def find_noticed(registry: BlobStore) -> dict[str, Payload]:
    """Return what was recorded of rejected paths; one that was removed since is settled."""
    documents = (find_document(registry, blob.name) for blob in registry.list(_REJECTED))
    return {str(document.get("path")): document for document in documents if document}


def show_rejected(rejected: Rejected, noticed: Payload | None) -> Payload:
    """Return a path that belongs to no dataset as lists show it."""
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

"""Finding a run by its id, and the documents that it wrote."""

from __future__ import annotations

import json
from typing import Any

from droptune.api.bodies import checked_run_id, no_such_run
from droptune.api.services import ApiServices
from droptune.domain.dataset import is_name
from droptune.domain.payload import Payload, read_document
from droptune.domain.run import Control, RunRecord, RunRef
from droptune.domain.services import BlobStore


def find_document(store: BlobStore, name: str) -> Payload | None:
    """Return a stored JSON object, or None."""
    blob = store.find(name)
    document: Any = json.loads(blob.data) if blob else None
    return document if isinstance(document, dict) else None


def find_record(runs: BlobStore, ref: RunRef) -> RunRecord | None:
    """Return a run's record, or None."""
    document = find_document(runs, ref.record)
    return RunRecord.from_payload(document) if document else None


def find_run(services: ApiServices, run_id: str) -> RunRecord | None:
    """Return the record of the run with an id, or None."""
    ref = _ref_of(services, run_id)
    return find_record(services.runs, ref) if ref else None


def _ref_of(services: ApiServices, run_id: str) -> RunRef | None:
    """Return whose run it is, which never changes: each process asks once."""
    name = f"_ids/{run_id}"
    known = services.documents.recall(services.runs, name)
    if isinstance(known, RunRef):
        return known
    pointer = find_document(services.runs, name)
    project = pointer.get("project") if pointer else None
    if not isinstance(project, str) or not is_name(project):
        return None
    ref = RunRef(project=project, id=run_id)
    services.documents.keep(services.runs, name, ref)
    return ref


def get_run(services: ApiServices, run_id: str) -> RunRecord:
    """Return the record of the run with an id; raises a 404."""
    record = find_run(services, checked_run_id(run_id))
    if record is None:
        raise no_such_run(run_id)
    return record


def read_control(runs: BlobStore, ref: RunRef) -> Control:
    """Return what people said of a run."""
    return load_control(runs, ref)[0]


def load_control(runs: BlobStore, ref: RunRef) -> tuple[Control, str | None]:
    """Return what people said of a run, and its ETag or None when nobody said anything."""
    blob = runs.find(ref.control)
    return (read_document(Control, blob.data), blob.etag) if blob else (Control(), None)

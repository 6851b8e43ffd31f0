"""What a run stored, as its page and its downloads read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from droptune.api.messages import ApiRequest, ApiResponse, unless_known
from droptune.api.problems import not_found
from droptune.api.services import ApiServices
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore

_ROW_KEYS = ("metrics", "steps", "points", "rows", "data")
# What people may load from the page, and as what.
KINDS = {
    "report.html": "text/html; charset=utf-8",
    "report.json": "application/json",
    "events.jsonl": "application/jsonl",
    "metrics.json": "application/json",
    "checkpoints.json": "application/json",
    "answers.json": "application/json",
    "results.csv": "text/csv; charset=utf-8",
}
# The report brings its own style; nothing in it runs or loads.
_REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; sandbox allow-popups"
)


def stored_document(
    request: ApiRequest, services: ApiServices, record: RunRecord, name: str
) -> ApiResponse:
    """Answer with a document of a run, unchanged; raises a 404."""
    blob = services.runs.find(record.ref.folder + name) if name in KINDS else None
    if blob is None:
        raise not_found(
            "no-document",
            f"The run {record.id} has no {name[:40]!r}.",
            "Its page lists the documents that it has.",
        )
    headers = {"Content-Type": KINDS[name], "Cache-Control": "private, no-cache"}
    if name == "report.html":
        headers["Content-Security-Policy"] = _REPORT_POLICY
    else:
        headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        headers["Content-Disposition"] = f'attachment; filename="{record.id}-{name}"'
    response = ApiResponse(status=200, headers=headers, body=blob.data)
    return unless_known(request, response, f'"{blob.etag.strip(chr(34))}"')


def read_rows(runs: BlobStore, name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a JSON array, or of the array in an object; [] of anything else."""
    found = read_json(runs, name)
    if isinstance(found, Mapping):
        found = next((found[key] for key in _ROW_KEYS if key in found), ())
    return objects(found)


def read_lines(runs: BlobStore, name: str) -> list[Mapping[str, Any]]:
    """Return the objects of a file of JSON lines, oldest first; what is damaged is left out."""
    blob = runs.find(name)
    lines = blob.data.decode("utf-8", "replace").splitlines() if blob else []
    return objects([_parse(line) for line in lines])


def read_json(runs: BlobStore, name: str) -> object:
    """Return a JSON document, None where there is none that can be read."""
    blob = runs.find(name)
    return _parse(blob.data.decode("utf-8", "replace")) if blob else None


def objects(values: object) -> list[Mapping[str, Any]]:
    """Return the objects among some values."""
    if not isinstance(values, list | tuple):
        return []
    return [value for value in values if isinstance(value, Mapping)]


def _parse(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return parsed

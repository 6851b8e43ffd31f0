"""The list of runs: newest first, paged by the names of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from droptune.api.bodies import read_limit
from droptune.api.messages import ApiRequest, ApiResponse, etag_of, json_response, unless_known
from droptune.api.problems import bad_request
from droptune.api.records import find_document, find_record, read_control
from droptune.api.services import ApiServices
from droptune.api.status import run_row
from droptune.domain.dataset import is_name
from droptune.domain.identity import slug
from droptune.domain.payload import Payload
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord, RunRef
from droptune.domain.services import BlobStore

INDEX = "_index/"
MOST_ROWS = 200
MOST_ROWS_READ = 1_000
ROW_NAME = re.compile("[0-9]{14}-[a-z0-9-]{1,100}")
_TIME_LENGTH = 15


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """Which runs a list shows; None shows all. `after` is a row's name."""

    project: str | None = None
    phase: str | None = None
    limit: int = 50
    after: str = ""


def list_runs(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/runs: `{"runs": [...], "next": ...}`; `next` is the `after` of the next page."""
    wanted = read_filter(request)
    rows, following = page_of_runs(services, wanted, services.base(request.url))
    document = {"runs": rows, "next": following}
    return unless_known(request, json_response(document), etag_of(document))


def page_of_runs(
    services: ApiServices, wanted: Filter, base_url: str
) -> tuple[list[Payload], str | None]:
    """Return a page of runs, and where the next one begins or None after the last.

    A page may hold fewer than asked for: no more than MOST_ROWS_READ rows are read for it.
    """
    shown: list[Payload] = []
    now = services.clock.now()
    last = ""
    for read, (row, record) in enumerate(_records(services.runs, wanted)):
        if len(shown) == wanted.limit or read == MOST_ROWS_READ:
            return shown, last
        last = row
        if record is not None and wanted.phase in (None, record.phase.value):
            control = read_control(services.runs, record.ref)
            shown.append(run_row(record, control, base_url, now))
    return shown, None


def _records(runs: BlobStore, wanted: Filter) -> Iterator[tuple[str, RunRecord | None]]:
    start = f"{slug(wanted.project, 40)}-" if wanted.project else ""
    behind = INDEX + wanted.after if wanted.after else ""
    for blob in runs.list(INDEX, after=behind):
        row = blob.name.removeprefix(INDEX)
        if row[_TIME_LENGTH:].startswith(start):
            yield row, _record_of(runs, blob.name, wanted)


def _record_of(runs: BlobStore, name: str, wanted: Filter) -> RunRecord | None:
    row = find_document(runs, name) or {}
    project, run_id = row.get("project"), row.get("id")
    if not isinstance(project, str) or not isinstance(run_id, str):
        return None
    if wanted.project not in (None, project):
        return None
    return find_record(runs, RunRef(project=project, id=run_id))


def read_filter(request: ApiRequest) -> Filter:
    """Return what the query asks for; raises a 400."""
    query = request.query
    project, phase, after = (query.get(key) or None for key in ("project", "phase", "after"))
    if project is not None and not is_name(project):
        raise bad_request(
            "bad-project", f"project: {project[:80]!r} cannot name one.", "See GET /api/projects."
        )
    if phase is not None and phase not in list(Phase):
        known = ", ".join(phase.value for phase in Phase if phase is not Phase.UNRECOGNISED)
        raise bad_request("bad-phase", f"phase: {phase[:40]!r} is not one.", f"Use: {known}.")
    if after is not None and not ROW_NAME.fullmatch(after):
        raise bad_request(
            "bad-after", "after: not the name of a row.", "Use the `next` of the page before."
        )
    limit = read_limit(query.get("limit", "50"), MOST_ROWS)
    return Filter(project=project, phase=phase, limit=limit, after=after or "")

"""The list of runs: newest first, paged by the names of its rows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from droptune.api.bodies import read_limit
from droptune.api.messages import ApiRequest, ApiResponse, etag_of, json_response, unless_known
from droptune.api.problems import bad_request
from droptune.api.run_listing import INDEX, ListedRun, load_runs
from droptune.api.services import ApiServices
from droptune.api.status import run_row
from droptune.domain.dataset import is_name
from droptune.domain.identity import slug
from droptune.domain.payload import Payload
from droptune.domain.phases import Phase
from droptune.domain.services import BlobStore

MOST_ROWS = 200
MOST_ROWS_READ = 1_000
ROW_NAME = re.compile("[0-9]{14}-[a-z0-9-]{1,100}")
_TIME_LENGTH = 15
_FIRST_LISTING = MOST_ROWS + 1


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
    rows, read, last = _rows(services.runs, wanted), 0, ""
    while len(shown) < wanted.limit and read < MOST_ROWS_READ:
        batch = dict(islice(rows, min(wanted.limit - len(shown), MOST_ROWS_READ - read)))
        if not batch:
            return shown, None
        found = (run for run in load_runs(services, batch) if run and _is_wanted(run, wanted))
        shown += [run_row(run.record, run.control, base_url, now) for run in found]
        read, last = read + len(batch), list(batch)[-1]
    return shown, last if next(rows, None) else None


def _rows(runs: BlobStore, wanted: Filter) -> Iterator[tuple[str, str]]:
    """Iterate over the rows that may be of the project, each with its ETag.

    The first listing is short, since most pages need no other.
    """
    start = f"{slug(wanted.project, 40)}-" if wanted.project else ""
    behind = INDEX + wanted.after if wanted.after else ""
    first = list(runs.list(INDEX, after=behind, limit=_FIRST_LISTING))
    rest = runs.list(INDEX, after=first[-1].name) if len(first) == _FIRST_LISTING else ()
    for blob in chain(first, rest):
        row = blob.name.removeprefix(INDEX)
        if row[_TIME_LENGTH:].startswith(start):
            yield row, blob.etag


def _is_wanted(run: ListedRun, wanted: Filter) -> bool:
    record = run.record
    is_of_project = wanted.project in (None, record.project)
    return is_of_project and wanted.phase in (None, record.phase.value)


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

"""All runs, newest first: one listing, and no document of a run that has ended is read twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from droptune.api.documents import in_parallel
from droptune.api.services import ApiServices
from droptune.domain.payload import read_document
from droptune.domain.run import Control, RunRecord, RunRef

INDEX = "_index/"
MOST_RUNS = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedRun:
    """A run; `row` is its name in the list, the cursor of paging.

    Attributes:
        state: changes whenever the run does.
    """

    row: str
    record: RunRecord
    control: Control
    state: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunListing:
    """The newest runs.

    Attributes:
        unreadable: how many records are damaged.
        is_cut: whether there are more than MOST_RUNS, which are left out.
    """

    runs: tuple[ListedRun, ...]
    unreadable: int
    is_cut: bool

    @property
    def state(self) -> list[str]:
        """What changes whenever a run does, or comes."""
        return [run.row + run.state for run in self.runs]


def list_runs(services: ApiServices) -> RunListing:
    """List the runs."""
    blobs = services.runs.list(INDEX, limit=MOST_RUNS + 1)
    rows = {blob.name.removeprefix(INDEX): blob.etag for blob in blobs}
    shown = dict(islice(rows.items(), MOST_RUNS))
    runs = tuple(run for run in load_runs(services, shown) if run is not None)
    return RunListing(runs=runs, unreadable=len(shown) - len(runs), is_cut=len(rows) > len(shown))


def load_runs(services: ApiServices, rows: Mapping[str, str]) -> list[ListedRun | None]:
    """Return the run of each row, given with its ETag; None for what is gone or damaged.

    The record of a run that has ended is remembered while its row in the index stays as it is:
    whoever changes such a record writes the row again.
    """
    known = {row: _recall(services, row, etag) for row, etag in rows.items()}
    missing = [row for row in rows if known[row] is None]
    found = in_parallel(lambda row: _read(services, row, rows[row]), missing)
    read = dict(zip(missing, found, strict=True))
    return [known[row] or read[row] for row in rows]


def _recall(services: ApiServices, row: str, etag: str) -> ListedRun | None:
    kept = services.documents.recall(services.runs, f"ended/{row}")
    return kept[1] if kept is not None and kept[0] == etag else None


def _read(services: ApiServices, row: str, etag: str) -> ListedRun | None:
    try:
        ref = _ref_of(services, row)
        blob = services.runs.find(ref.record) if ref else None
        if ref is None or blob is None:
            return None
        record = read_document(RunRecord, blob.data)
        if record.phase.is_terminal and not record.is_being_promoted:
            ended = ListedRun(row=row, record=record, control=Control(), state=blob.etag)
            services.documents.keep(services.runs, f"ended/{row}", (etag, ended))
            return ended
        said = services.runs.find(ref.control)
        control = read_document(Control, said.data) if said else Control()
    except (ValueError, TypeError, KeyError):
        return None
    state = blob.etag + (said.etag if said else "")
    return ListedRun(row=row, record=record, control=control, state=state)


def _ref_of(services: ApiServices, row: str) -> RunRef | None:
    """Return whose row it is; a row never changes."""
    name = INDEX + row
    known = services.documents.recall(services.runs, name)
    if isinstance(known, RunRef):
        return known
    blob = services.runs.find(name)
    if blob is None:
        return None
    document = json.loads(blob.data)
    ref = RunRef(project=str(document["project"]), id=str(document["id"]))
    services.documents.keep(services.runs, name, ref)
    return ref

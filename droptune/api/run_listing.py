"""All runs from one listing of their container: newest first, with what people said of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from droptune.api.run_list import INDEX
from droptune.api.services import ApiServices
from droptune.domain.run import Control, RunRecord
from droptune.domain.services import BlobInfo

MOST_RUNS = 1_000
_TIME_LENGTH = 15
_RECORD, _CONTROL = "/run.json", "/control.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedRun:
    """A run; `row` is its name in the list, the cursor of paging."""

    row: str
    record: RunRecord
    control: Control


@dataclass(frozen=True, kw_only=True, slots=True)
class RunListing:
    """What a listing found: rows newest first, and the blobs that each run's state is in.

    Attributes:
        is_cut: whether there are more than MOST_RUNS, which are left out.
    """

    rows: tuple[str, ...]
    records: dict[str, BlobInfo]
    controls: dict[str, BlobInfo]
    is_cut: bool

    @property
    def state(self) -> list[str]:
        """What changes whenever a run does."""
        blobs = (*self.records.values(), *self.controls.values())
        return [*self.rows, *(blob.etag for blob in blobs)]


def list_runs(services: ApiServices) -> RunListing:
    """List the container of runs; reads no document."""
    rows: list[str] = []
    records, controls = {}, {}
    for blob in services.runs.list():
        if blob.name.startswith(INDEX):
            rows.append(blob.name.removeprefix(INDEX))
        elif blob.name.endswith(_RECORD):
            records[_id_of(blob.name, _RECORD)] = blob
        elif blob.name.endswith(_CONTROL):
            controls[_id_of(blob.name, _CONTROL)] = blob
    shown = tuple(rows[:MOST_RUNS])
    return RunListing(rows=shown, records=records, controls=controls, is_cut=len(rows) > MOST_RUNS)


def load_runs(services: ApiServices, listing: RunListing) -> list[ListedRun]:
    """Read the records of a listing; one that is damaged is left out."""
    found = [(row, listing.records.get(row[_TIME_LENGTH:])) for row in listing.rows]
    present = [(row, blob) for row, blob in found if blob is not None]
    documents, runs = services.documents, services.runs
    records = documents.load(runs, (blob for _, blob in present), RunRecord.from_payload)
    said = dict(_controls(services, listing))
    return [
        ListedRun(row=row, record=record, control=said.get(record.id, Control()))
        for (row, _), record in zip(present, records, strict=True)
        if record is not None
    ]


def _controls(services: ApiServices, listing: RunListing) -> Iterator[tuple[str, Control]]:
    blobs = listing.controls.values()
    controls = services.documents.load(services.runs, blobs, Control.from_payload)
    for run_id, control in zip(listing.controls, controls, strict=True):
        if control is not None:
            yield run_id, control


def _id_of(name: str, ending: str) -> str:
    return name.removesuffix(ending).rpartition("/")[2]

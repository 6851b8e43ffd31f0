"""Holding a dataset as it settled: pins, and what a change means for the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from activities.datasets import check_pins, read_folder
from activities.run_records import RunRecords
from droptune.domain.errors import (
    BlobNotFoundError,
    ConflictError,
    RunEndedError,
    TransientError,
)
from droptune.domain.phases import Phase
from droptune.domain.run import Pin, RunRecord
from droptune.domain.services import BlobStore


def hold_pins(record: RunRecord, *, datasets: BlobStore, records: RunRecords) -> RunRecord:
    """Return the record with ETags that hold now; raises RunEndedError when the dataset changed.

    Once the job exists a change is no longer this run's: it gets a run of its own.
    """
    if record.job is not None:
        return record
    with reading_pinned():
        checked = _check(record, datasets)
    if isinstance(checked, str):
        raise RunEndedError(
            checked,
            phase=Phase.SUPERSEDED,
            code="superseded",
            remedy="Nothing to do: what lies there now gets a run of its own.",
        )
    return records.update(record.ref, lambda r: replace(r, pins=checked), known=record)


def _check(record: RunRecord, datasets: BlobStore) -> tuple[Pin, ...] | str:
    return check_pins(datasets, record.pins, read_folder(datasets, record.dataset))


@contextmanager
def reading_pinned() -> Iterator[None]:
    """Turn a blob that changes while it is read into a later look, which finds out what it
    means."""
    try:
        yield
    except (ConflictError, BlobNotFoundError) as changed:
        raise TransientError(f"a blob changed while it was read: {changed}", retry_after=1) from (
            changed
        )

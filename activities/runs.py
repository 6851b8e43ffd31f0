"""Registering a run: one record for one settled dataset, however often it is asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from activities.configurations import ReadConfiguration, read_configuration
from activities.datasets import pin_files, read_folder, settled_long_enough
from activities.pins import reading_pinned
from activities.run_records import (
    RunRecords,
    change_document,
    dump,
    load_document,
    row_of,
)
from droptune.domain.configuration import Ceilings
from droptune.domain.dataset import Folder
from droptune.domain.errors import ConflictError, TransientError
from droptune.domain.identity import run_digest, run_id, training_digest
from droptune.domain.phases import Phase
from droptune.domain.registration import (
    Cause,
    DatasetRecord,
    Registration,
    RunRequest,
    dataset_record_name,
)
from droptune.domain.run import Pin, RunRecord, RunRef, index_name
from droptune.domain.services import BlobStore, Clock, Orchestrations
from droptune.domain.steps import Collecting, Policy

ORCHESTRATOR = "fine_tune_model"
_MOST_ATTEMPTS = 1000


async def start_run(
    collecting: Collecting,
    *,
    register: Callable[[RunRequest], Registration],
    records: RunRecords,
    orchestrations: Orchestrations,
) -> Registration:
    """Register a run for a settled dataset and start its orchestration.

    The record is the gate, the run id the instance id: a repetition finds both and changes nothing.
    """
    wish = RunRequest(dataset=collecting.dataset, fingerprint=collecting.fingerprint)
    registration = await asyncio.to_thread(register, wish)
    if registration.run is not None and not await asyncio.to_thread(
        _has_ended, records, registration.run
    ):
        run = registration.run
        await orchestrations.ensure_started(ORCHESTRATOR, run.id, run.to_payload())
    return registration


def _has_ended(records: RunRecords, run: RunRef) -> bool:
    record = records.find(run)
    return record is None or record.phase.is_terminal


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """A dataset as it lies there now."""

    folder: Folder
    pins: tuple[Pin, ...]
    content: dict[str, str]
    read: ReadConfiguration


class Register:
    """Finds or creates the run that a wish leads to; repeating a wish is safe."""

    def __init__(
        self,
        *,
        datasets: BlobStore,
        registry: BlobStore,
        records: RunRecords,
        clock: Clock,
        policy: Policy,
        ceilings: Ceilings,
    ) -> None:
        """Register runs of `datasets` in `records` and `registry`."""
        self._datasets, self._registry, self._records = datasets, registry, records
        self._clock, self._policy, self._ceilings = clock, policy, ceilings

    def __call__(self, wish: RunRequest) -> Registration:
        """Answer a wish.

        Raises TransientError when the dataset is not any more what had settled: ask again.
        """
        folder = read_folder(self._datasets, wish.dataset)
        if wish.fingerprint and folder.fingerprint != wish.fingerprint:
            raise TransientError(f"{wish.dataset} has changed since it settled", retry_after=1)
        known, _ = load_document(self._registry, dataset_record_name(wish.dataset), DatasetRecord)
        if not folder.has_training_data:
            code = "waiting" if folder.relevant or folder.others else "not-found"
            return _refusal(code, folder.waiting_for())
        if wish.cause is Cause.DROP and known is not None and known.knows(folder):
            return self._nothing_new(known)
        repeated = self._repeated(wish)
        if isinstance(repeated, Registration):
            return repeated
        with reading_pinned():
            found = self._examine(wish, folder)
        registration = self._register(wish, found, known, repeated)
        self._note(wish, found.folder, registration)
        return registration

    def _nothing_new(self, known: DatasetRecord) -> Registration:
        run = RunRef(project=known.project, id=known.runs[-1]) if known.runs else None
        return Registration(
            run=run,
            started=False,
            code="nothing-new",
            message="Nothing is new: this dataset is known as it lies there.",
        )

    def _repeated(self, wish: RunRequest) -> RunRecord | Registration | None:
        """Return the run that is repeated, None for a first wish, or why it is not repeated."""
        if wish.repeats is None:
            return None
        record = self._records.get(RunRef(project=wish.dataset.project, id=wish.repeats))
        if not record.phase.is_terminal:
            return _refusal("not-ended", f"The run {record.id} is still {record.phase.value}.")
        if wish.cause is Cause.RETRY and record.phase is Phase.SUCCEEDED:
            return _existing(record)
        return record

    def _examine(self, wish: RunRequest, folder: Folder) -> _Found:
        pins, content = pin_files(self._datasets, folder)
        read = read_configuration(wish.dataset, folder, self._datasets, self._ceilings)
        return _Found(folder=folder, pins=pins, content=content, read=read)

    def _register(
        self,
        wish: RunRequest,
        found: _Found,
        known: DatasetRecord | None,
        repeated: RunRecord | None,
    ) -> Registration:
        again = (repeated.again if repeated else 1) + (wish.cause is Cause.AGAIN)
        first = repeated.attempt + 1 if repeated else 1
        for attempt in range(first, first + _MOST_ATTEMPTS):
            record = _as_old_as(repeated, self._record(wish, found, attempt, again))
            present = self._records.find(record.ref)
            if present is None and self._create(self._with_reasons(record, known)):
                return _started(record)
            present = present or self._records.get(record.ref)
            repeatable = present.phase.is_terminal and present.phase is not Phase.SUCCEEDED
            if repeated is not None or not repeatable:
                self._list(present)
                return _existing(present)
        return _refusal("too-many-attempts", f"There were {_MOST_ATTEMPTS} attempts already.")

    def _record(self, wish: RunRequest, found: _Found, attempt: int, again: int) -> RunRecord:
        now = self._clock.now()
        training = training_digest(
            project=wish.dataset.project,
            content=found.content,
            training_as_written=found.read.training_as_written,
            again=again,
        )
        run = run_digest(
            training=training,
            version=wish.dataset.version,
            test=found.content.get("test"),
            rest_as_written=found.read.rest_as_written,
            attempt=attempt,
        )
        configuration = found.read.configuration
        return RunRecord(
            id=run_id(wish.dataset.project, wish.dataset.version, run),
            project=wish.dataset.project,
            version=wish.dataset.version,
            training_digest=training,
            run_digest=run,
            created_at=now,
            updated_at=now,
            settled_at=now,
            submit_after=self._submit_after(wish, found.folder, now),
            attempt=attempt,
            again=again,
            repeats=wish.repeats,
            phase=Phase.SETTLING,
            message="The dataset has settled.",
            dropped_by=wish.by,
            pins=found.pins,
            content=found.content,
            configuration=configuration.to_payload() if configuration else None,
            configuration_findings=(*found.folder.findings, *found.read.findings),
        )

    def _submit_after(self, wish: RunRequest, folder: Folder, now: datetime) -> datetime:
        if wish.cause is not Cause.DROP or folder.changed_at is None:
            return now
        return max(now, folder.changed_at + settled_long_enough(folder, self._policy))

    def _with_reasons(self, record: RunRecord, known: DatasetRecord | None) -> RunRecord:
        return replace(record, approval_reasons=tuple(self._reasons(record, known)))

    def _reasons(self, record: RunRecord, known: DatasetRecord | None) -> list[str]:
        reasons = []
        for earlier in known.runs[-20:] if known else ():
            other = self._records.find(RunRef(project=record.project, id=earlier))
            if other and other.job and not other.phase.is_terminal:
                reasons.append(f"This version is already training as {earlier}; train again?")
        if self._runs_today() >= self._policy.runs_per_day:
            reasons.append(f"More than {self._policy.runs_per_day} new runs today.")
        return reasons

    def _runs_today(self) -> int:
        midnight = self._clock.now().astimezone(UTC).replace(hour=0, minute=0, second=0)
        oldest = index_name(midnight - timedelta(seconds=1), "")
        rows = self._records.store.list("_index/", limit=self._policy.runs_per_day)
        return sum(row.name < oldest for row in rows)

    def _create(self, record: RunRecord) -> bool:
        """Write the record unless there is one; whoever writes it has registered the run.

        Its id and its mark come before it, so that a crash leaves no run that cannot be found.
        """
        self._keep_id(record)
        self._records.mark(record.ref)
        try:
            self._records.store.write(record.ref.record, dump(record.to_payload()), if_absent=True)
        except ConflictError:
            return False
        self._write_row(record)
        return True

    def list_lost(self) -> None:
        """List the runs that a crash left without a row, so that the sweep takes them to an end."""
        store, kept = self._records.store, "_ids/"
        rows = {info.name.partition("-")[2] for info in store.list("_index/")}
        ids = (info.name.removeprefix(kept) for info in store.list(kept))
        for id in [id for id in ids if id not in rows]:
            blob = store.find(kept + id)
            project = json.loads(blob.data)["project"] if blob else ""
            record = self._records.find(RunRef(project=project, id=id))
            if record is not None:
                self._write_row(record)

    def _list(self, record: RunRecord) -> None:
        """Make the run findable by its id and in the list; repeating it writes the same."""
        self._keep_id(record)
        self._write_row(record)

    def _keep_id(self, record: RunRecord) -> None:
        self._records.store.write(f"_ids/{record.id}", dump({"project": record.project}))

    def _write_row(self, record: RunRecord) -> None:
        row = index_name(record.created_at, record.id)
        self._records.store.write(row, dump(row_of(record)))

    def _note(self, wish: RunRequest, folder: Folder, registration: Registration) -> None:
        """Record in the dataset's document that what lies there now has its run."""
        run = registration.run
        if run is None:
            return
        now, dataset = self._clock.now(), wish.dataset

        def change(known: DatasetRecord | None) -> DatasetRecord:
            record = known or DatasetRecord(
                project=dataset.project, version=dataset.version, state="settled"
            )
            return record.with_run(run.id, folder, at=now, message=registration.message)

        change_document(self._registry, dataset_record_name(dataset), DatasetRecord, change)


def _as_old_as(repeated: RunRecord | None, record: RunRecord) -> RunRecord:
    """Return a repetition of the same data with the time at which that data settled: trained again,
    old data does not replace a champion that knows newer data."""
    same = repeated is not None and repeated.content == record.content
    return replace(record, settled_at=repeated.settled_at) if repeated and same else record


def _refusal(code: str, message: str) -> Registration:
    return Registration(run=None, started=False, code=code, message=message)


def _started(record: RunRecord) -> Registration:
    return Registration(
        run=record.ref, started=True, code="started", message=f"The run {record.id} has started."
    )


def _existing(record: RunRecord) -> Registration:
    if record.phase is Phase.SUCCEEDED:
        code, what = "already-succeeded", "has succeeded already; nothing is bought"
    elif record.phase.is_terminal:
        code, what = "already-ended", f"has ended {record.phase.value}; repeat that one"
    else:
        code, what = "already-running", "is under way already"
    return Registration(
        run=record.ref, started=False, code=code, message=f"The run {record.id} {what}."
    )

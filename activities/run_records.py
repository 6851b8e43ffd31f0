"""The record of a run: read by every step, changed in conditional writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from droptune.domain.errors import (
    ConflictError,
    DroptuneError,
    RunEndedError,
    StepFailedError,
    TransientError,
)
from droptune.domain.payload import Model, Payload, format_time, read_document
from droptune.domain.phases import Phase
from droptune.domain.run import FILE_MARKS, MARKS, Control, RunRecord, RunRef, index_name
from droptune.domain.services import BlobInfo, BlobStore, Clock

M = TypeVar("M", bound=Model)
NEWEST_RUNS = 500
UNKNOWN_ANSWER = "unknown-answer.json"
_TRIES = 8
_MARKED = "_marked-files.json"
_SETTLED = timedelta(hours=1)  # a mark that young may belong to a run that is about to be live


class PausedError(TransientError):
    """A person has paused the run; the step is asked again until it is resumed."""

    code = "paused"


class RunRecords:
    """Run records and control documents in the container `runs`."""

    def __init__(
        self,
        runs: BlobStore,
        clock: Clock,
        moved: Callable[[RunRecord], None] = lambda record: None,
    ) -> None:
        """Keep the records in `runs`; `moved` is called after a record entered a phase."""
        self.store = runs
        self.clock = clock
        self._moved = moved

    def find(self, ref: RunRef) -> RunRecord | None:
        """Return a run's record, or None."""
        return load_document(self.store, ref.record, RunRecord)[0]

    def get(self, ref: RunRef) -> RunRecord:
        """Return a run's record; raises StepFailedError when there is none."""
        record = self.find(ref)
        if record is None:
            raise StepFailedError(f"the run {ref.id} has no record", code="record-missing")
        return record

    def control(self, ref: RunRef) -> Control:
        """Return what was said of a run."""
        return load_document(self.store, ref.control, Control)[0] or Control()

    def begin(self, ref: RunRef, phase: Phase, message: str = "") -> RunRecord:
        """Return the record in the phase that a step belongs to.

        Raises:
            RunEndedError: the run has ended already, or a person has cancelled it.
            PausedError: a person has paused it.
        """
        record = self.get(ref)
        if record.phase.is_terminal:
            raise RunEndedError(
                "The run has ended already.",
                phase=record.phase,
                code="already-ended",
                outcome=record.outcome,
            )
        control = self.control(ref)
        if control.cancelled:
            raise cancelled(control)
        if control.paused is not None:
            self.update(ref, lambda r: replace(r, paused=control.paused), known=record)
            raise PausedError(f"a person, {control.paused.by}, has paused it", retry_after=3600)

        def change(known: RunRecord) -> RunRecord:
            resumed = replace(known, paused=None) if known.paused else known
            return resumed.entered(phase, at=self.clock.now(), message=message)

        return self.update(ref, change, known=record)

    def update(
        self,
        ref: RunRef,
        change: Callable[[RunRecord], RunRecord],
        *,
        known: RunRecord | None = None,
    ) -> RunRecord:
        """Change a record in one conditional write, again on the newer one when another was faster.

        Nothing is written when the change changes nothing.
        """
        if known is not None and change(known) == known:
            return known
        for _ in range(_TRIES):
            record, etag = load_document(self.store, ref.record, RunRecord)
            if record is None:
                raise StepFailedError(f"the run {ref.id} has no record", code="record-missing")
            changed = change(record)
            if changed == record:
                return record
            if changed.is_live and not record.is_live:
                self.mark(ref)  # before it is live, so that none is ever without
            try:
                self.store.write(ref.record, dump(changed.to_payload()), if_match=etag)
            except ConflictError:
                continue
            if changed.is_live is not record.is_live:
                self._mark_as_it_is(ref)
            if (changed.history, changed.promotion) != (record.history, record.promotion):
                self._moved(changed)
            return changed
        raise TransientError(f"the record of {ref.id} is being changed by others")

    def note(self, record: RunRecord, change: Callable[[RunRecord], RunRecord]) -> RunRecord:
        """Change a record by what a step saw, unless the run has left the phase meanwhile in which
        the step began: what a repetition saw before that is no news any more."""

        def unless_left(known: RunRecord) -> RunRecord:
            return change(known) if known.phase is record.phase else known

        return self.update(record.ref, unless_left, known=record)

    def list_newest(self, *, limit: int | None = NEWEST_RUNS) -> Iterator[RunRecord]:
        """Iterate over the newest runs, newest first; None: over all."""
        for row in self.store.list("_index/", limit=limit):
            blob = self.store.find(row.name)
            document = json.loads(blob.data) if blob else {}
            if "project" in document:
                record = self.find(RunRef(project=document["project"], id=document["id"]))
                if record is not None:
                    yield record

    def list_live(self, project: str = "") -> Iterator[RunRecord]:
        """Iterate over all runs, or a project's, that have not ended or are being promoted.

        Each has a mark, so that the ended ones are not read. A mark that a crash left is removed.
        """
        self._mark_earlier()
        for mark in self.store.list(f"{MARKS}{project}/" if project else MARKS):
            whose, _, run_id = mark.name.removeprefix(MARKS).partition("/")
            record = self.find(RunRef(project=whose, id=run_id))
            if record is not None and record.is_live:
                yield record
            elif self.clock.now() - mark.modified_at > _SETTLED:
                self._forget(mark)

    def list_open(self) -> Iterator[RunRecord]:
        """Iterate over all runs whose record has not ended."""
        return (record for record in self.list_live() if not record.phase.is_terminal)

    def mark(self, ref: RunRef) -> None:
        """Let lists of live runs show a run; repeating it is safe."""
        self.store.write(ref.mark, b"{}")

    def mark_file(self, ref: RunRef, file_id: str) -> None:
        """Let whoever would delete a file see that a run names it; repeating it is safe."""
        self.store.write(ref.file_mark(file_id), b"{}")

    def forget_file(self, ref: RunRef, file_id: str) -> None:
        """Say that a run needs a file no more."""
        self.store.delete(ref.file_mark(file_id))

    def shared_files(self, record: RunRecord) -> set[str]:
        """Return those files of a run that others name, too, which have not ended.

        Each has a mark there, so that no other run is read, however many are live.
        """
        self._mark_earlier()
        return {file_id for file_id in record.files.values() if self._is_shared(file_id, record)}

    def _is_shared(self, file_id: str, record: RunRecord) -> bool:
        folder = f"{FILE_MARKS}{file_id}/"
        for mark in self.store.list(folder):
            project, _, run_id = mark.name.removeprefix(folder).partition("/")
            if run_id == record.id:
                continue
            other = self.find(RunRef(project=project, id=run_id))
            if other and not other.phase.is_terminal and file_id in other.files.values():
                return True
        return False

    def _mark_as_it_is(self, ref: RunRef) -> None:
        """Mark a run, or remove its mark, and look whether another has changed it meanwhile."""
        for _ in range(2):
            record = self.find(ref)
            if record is not None and record.is_live:
                self.mark(ref)
                return
            self.store.delete(ref.mark)

    def _forget(self, mark: BlobInfo) -> None:
        with suppress(ConflictError):  # it was written again: the run is live again
            self.store.delete(mark.name, if_match=mark.etag)

    def _mark_earlier(self) -> None:
        """Mark, once, what was live before marks were kept, and the files that it named."""
        if self.store.find(_MARKED) is None:
            for record in self.list_newest(limit=None):
                if record.is_live:
                    self.mark(record.ref)
                    for file_id in record.files.values():
                        self.mark_file(record.ref, file_id)
            self.store.write(_MARKED, b"{}")

    def list_again(self, record: RunRecord) -> None:
        """Make lists read a record again that had ended and has changed since: they take it for
        final while its row stays as it is."""
        self.store.write(index_name(record.created_at, record.id), dump(row_of(record)))

    def refuse(self, record: RunRecord, ended: RunEndedError) -> RunEndedError:
        """Keep in the record why a run ends, and return an end that says it without a word of data.

        What a rule or the service says of training data may quote it; the answer of an activity
        travels through Durable, the record does not.
        """
        self.update(record.ref, lambda r: replace(r, error=ended.problem()))
        return RunEndedError(
            "The run's record says why.", phase=ended.phase, code=ended.code, outcome=ended.outcome
        )

    def keep_unknown(self, ref: RunRef, step: str, error: DroptuneError) -> None:
        """Keep the answer of a service that nobody knows, the newest alone; it becomes the evidence
        of the error that ends the run."""
        answer = {
            "at": format_time(self.clock.now()),
            "step": step,
            "message": str(error),
            "answer": error.evidence,
        }
        self.store.write(ref.folder + UNKNOWN_ANSWER, dump(answer))

    def unknown_answer(self, ref: RunRef) -> str:
        """Return the newest answer that nobody knows, with time and step, or ""."""
        blob = self.store.find(ref.folder + UNKNOWN_ANSWER)
        kept = json.loads(blob.data) if blob else None
        return f"{kept['at']}, {kept['step']}: {kept['answer']}" if kept else ""

    def keep(self, ref: RunRef, name: str, data: bytes, content_type: str) -> None:
        """Write one of the run's documents."""
        self.store.write(ref.folder + name, data, content_type=content_type)

    def read(self, ref: RunRef, name: str) -> bytes | None:
        """Return one of the run's documents, or None."""
        blob = self.store.find(ref.folder + name)
        return blob.data if blob else None


def cancelled(control: Control) -> RunEndedError:
    """Return the end that a person's cancellation means."""
    word = control.cancelled
    who = f" by {word.by}" if word else ""
    why = f": {word.reason}" if word and word.reason else ""
    return RunEndedError(
        f"Cancelled{who}{why}.",
        phase=Phase.CANCELLED,
        code="cancelled",
        remedy="Start it again with `droptune retry`, or drop the dataset again.",
    )


def row_of(record: RunRecord) -> Payload:
    """Return a run's row in the list of runs."""
    payload = record.to_payload()
    return {
        "id": record.id,
        "project": record.project,
        "version": record.version,
        "created_at": payload["created_at"],
        "updated_at": payload["updated_at"],
    }


def dump(document: Payload) -> bytes:
    """Return a document as it is stored: UTF-8 JSON, each field on a line of its own.

    Lines for the fields alone, as `json.dumps` takes ten times as long to indent what is in them.
    """
    fields = (f" {_as_json(name)}: {_as_json(value)}" for name, value in document.items())
    return ("{\n" + ",\n".join(fields) + "\n}").encode()


_as_json = json.JSONEncoder(ensure_ascii=False).encode


def load_document(store: BlobStore, name: str, kind: type[M]) -> tuple[M | None, str | None]:
    """Return a stored document and its ETag, or None twice."""
    blob = store.find(name)
    return (read_document(kind, blob.data), blob.etag) if blob else (None, None)


def change_document(
    store: BlobStore, name: str, kind: type[M], change: Callable[[M | None], M | None]
) -> M | None:
    """Change a stored document in one conditional write; None from `change` writes nothing."""
    for _ in range(_TRIES):
        present, etag = load_document(store, name, kind)
        changed = change(present)
        if changed is None or changed == present:
            return present
        try:
            store.write(name, dump(changed.to_payload()), if_match=etag, if_absent=etag is None)
        except ConflictError:
            continue
        return changed
    raise TransientError(f"{name} is being changed by others")

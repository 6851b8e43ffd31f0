"""Turns: a run waits for its turn at the service instead of being refused by it."""

from __future__ import annotations

from collections.abc import Callable

from activities.marked_jobs import Kept
from activities.run_records import change_document, load_document
from droptune.domain import admission
from droptune.domain.admission import QUEUE, Answer, Place, Queue
from droptune.domain.configuration import Configuration
from droptune.domain.errors import RunEndedError
from droptune.domain.identity import file_name
from droptune.domain.phases import Phase
from droptune.domain.run import Pin, RunRecord
from droptune.domain.service_limits import ServiceLimits, observe, pool_of
from droptune.domain.services import BlobStore, Clock

UPLOADED = ("training", "validation")


def take_turn(
    record: RunRecord,
    configuration: Configuration,
    *,
    registry: BlobStore,
    kept: Kept,
    service_limits: ServiceLimits,
    clock: Clock,
) -> Place:
    """Ask whether it is a run's turn, given what the service keeps; to be asked again until it is.

    A run whose turn has come gets the same yes again. Raises RunEndedError where no place can come.
    """
    seen = observe(kept.jobs, kept.files)
    pins = _missing(record, {file.name for file in kept.files})
    answers: list[Answer] = []

    def change(present: Queue | None) -> Queue:
        answer = admission.ask(
            present or Queue(),
            run=record.id,
            project=record.project,
            pool=pool_of(configuration.training_type),
            files=len({pin.role for pin in pins}),
            size_bytes=sum(pin.size_bytes for pin in pins),
            asked_at=record.entered_at,
            observed=seen,
            limits=service_limits,
            now=clock.now(),
        )
        answers.append(answer)
        return answer.queue

    change_document(registry, QUEUE, Queue, change)
    refusal = answers[-1].refusal
    if refusal is not None:
        raise RunEndedError(
            refusal.message, phase=Phase.REJECTED, code=refusal.code, remedy=refusal.remedy
        )
    return answers[-1].place


def _missing(record: RunRecord, present: set[str]) -> list[Pin]:
    """Return the blobs whose content is not at the service yet: only these need a place."""
    roles = [role for role in UPLOADED if role in record.content]
    missing = {role for role in roles if file_name(role, record.content[role]) not in present}
    return [pin for pin in record.pins if pin.role in missing]


def note_job(run: str, job: str, *, registry: BlobStore) -> None:
    """Let a run's job take its place, until the job has ended."""
    _change(registry, lambda queue: admission.submitted(queue, run=run, job=job), run)


def leave_line(run: str, *, registry: BlobStore) -> None:
    """Take a run out of the line; repeating it is safe."""
    _change(registry, lambda queue: admission.leave(queue, run=run), run)


def keep_in_line(live: set[str], *, registry: BlobStore) -> None:
    """Take everybody out of the line who is not alive, for the sweep."""
    queue, _ = load_document(registry, QUEUE, Queue)
    if queue is not None:
        change_document(
            registry, QUEUE, Queue, lambda now: admission.keep_only(now or Queue(), live=live)
        )


def _change(registry: BlobStore, change: Callable[[Queue], Queue], run: str) -> None:
    queue, _ = load_document(registry, QUEUE, Queue)
    if queue is None or queue.find(run) is None:
        return
    change_document(registry, QUEUE, Queue, lambda present: change(present or Queue()))

"""The record that a step begins with: of a run on its way, or of one that is promoted later."""

from __future__ import annotations

from dataclasses import replace

from activities.run_records import RunRecords
from droptune.domain.errors import RunEndedError
from droptune.domain.phases import Phase
from droptune.domain.promotion import Promotion
from droptune.domain.run import RunRecord, Word
from droptune.domain.steps import StepRequest


def begin_step(
    records: RunRecords, request: StepRequest, phase: Phase, message: str = ""
) -> RunRecord:
    """Return the record as a step begins: in its phase, or, for a promotion after the run's end,
    with what that promotion is doing. Raises as `RunRecords.begin` does."""
    if not request.promotion:
        return records.begin(request.run, phase, message)
    record = records.get(request.run)
    promotion = record.promotion
    if promotion is None or promotion.attempt != request.promotion or not promotion.is_under_way:
        raise _end("This promotion has ended already.", "already-ended", record)
    said = records.control(record.ref).cancelled_promotion(promotion)
    if said is not None:
        raise _end(_cancelled(said), "cancelled", record)

    def change(known: RunRecord) -> RunRecord:
        if known.promotion is None or known.promotion.attempt != request.promotion:
            return known
        return replace(known, promotion=_doing(known.promotion, message))

    return records.update(record.ref, change, known=record)


def _doing(promotion: Promotion, message: str) -> Promotion:
    return replace(promotion, message=message) if promotion.is_under_way else promotion


def _cancelled(said: Word) -> str:
    why = f": {said.reason}" if said.reason else "."
    return f"The promotion was cancelled by {said.by}{why}"


def _end(message: str, code: str, record: RunRecord) -> RunEndedError:
    return RunEndedError(message, phase=record.phase, code=code, outcome=record.outcome)

"""The line of a run as a picture: what it went through, where it is, what lies ahead."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from droptune.domain.payload import Payload, format_time
from droptune.domain.phases import LINE, Outcome, Phase
from droptune.domain.run import RunRecord

_ONLY_WHEN_ENTERED = frozenset(
    {
        Phase.RECEIVED,
        Phase.AWAITING_APPROVAL,
        Phase.EVALUATING,
        Phase.AWAITING_PROMOTION,
        Phase.BAKING,
    }
)
_ENDS = {
    Phase.SUCCEEDED: "good",
    Phase.REJECTED: "bad",
    Phase.FAILED: "bad",
    Phase.CANCELLED: "quiet",
    Phase.SUPERSEDED: "quiet",
}


def phase_line(record: RunRecord, now: datetime) -> list[Payload]:
    """Return the phases in order.

    Each has `name`, `state` (past, current, waiting, ahead, stopped, good, bad, quiet), `seconds`
    that it took, or has taken by now, and `since` while it is the current one.
    """
    entries = _entries(record)
    line = list(_spans(entries, record, now))
    if record.phase.is_terminal:
        return line
    return [*line, *(_ahead(phase) for phase in _coming(record))]


def _entries(record: RunRecord) -> list[tuple[Phase, datetime]]:
    """Return when each phase began; a run is created settling, before its history begins."""
    entries = [(change.phase, change.at) for change in record.history]
    if not entries:
        return [(record.phase, record.created_at)]
    first = entries[0]
    began_before = (first[1] - record.created_at).total_seconds() > 0
    if first[0] is not Phase.SETTLING and began_before:
        return [(Phase.SETTLING, record.created_at), *entries]
    return entries


def _spans(
    entries: list[tuple[Phase, datetime]], record: RunRecord, now: datetime
) -> Iterator[Payload]:
    ends = [at for _, at in entries[1:]] + [record.ended_at or now]
    for position, ((phase, at), end) in enumerate(zip(entries, ends, strict=True)):
        last = position == len(entries) - 1
        if last and phase.is_terminal:
            seconds = (at - record.created_at).total_seconds()
            yield _shown(phase, _ENDS.get(phase, "quiet"), seconds, None)
            return
        stopped = position == len(entries) - 2 and record.phase in (Phase.FAILED, Phase.REJECTED)
        state = _current(phase) if last else "stopped" if stopped else "past"
        since = format_time(at) if last else None
        yield _shown(phase, state, (end - at).total_seconds(), since)


def _current(phase: Phase) -> str:
    waits = phase in (Phase.AWAITING_APPROVAL, Phase.AWAITING_PROMOTION)
    return "waiting" if waits else "current"


def _coming(record: RunRecord) -> Iterator[Phase]:
    for phase in LINE:
        if phase.position <= record.phase.position or phase in _ONLY_WHEN_ENTERED:
            continue
        if phase is Phase.PROMOTING and not _may_promote(record):
            continue
        yield phase
    yield Phase.SUCCEEDED


def _may_promote(record: RunRecord) -> bool:
    pipeline = (record.configuration or {}).get("pipeline") or {}
    return bool((pipeline.get("deploy") or {}).get("production"))


def _ahead(phase: Phase) -> Payload:
    return _shown(phase, "ahead", None, None)


def _shown(phase: Phase, state: str, seconds: float | None, since: str | None) -> Payload:
    is_current = state in ("current", "waiting")
    return {
        "name": phase.value,
        "state": state,
        "seconds": seconds,
        "since": since,
        "is_current": is_current or (phase.is_terminal and state != "ahead"),
    }


def tone(record: RunRecord, *, is_paused: bool = False) -> str:
    """Return how a run's chip looks: good, bad, quiet, waiting or busy."""
    if record.phase is Phase.SUCCEEDED:
        return "good" if record.outcome is not Outcome.NOT_PROMOTED else "quiet"
    if record.phase.is_terminal:
        return _ENDS.get(record.phase, "quiet")
    return "waiting" if is_paused or _current(record.phase) == "waiting" else "busy"

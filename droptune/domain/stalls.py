"""Whether a run stands still: nothing was heard of it for longer than its phase may take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from droptune.domain.payload import Payload, parse_time
from droptune.domain.phases import Phase
from droptune.domain.run import Control, RunRecord

_QUICK, _LONG = timedelta(hours=1), timedelta(hours=6)
_BOUNDS = {
    Phase.RECEIVED: _QUICK,
    Phase.SETTLING: _QUICK,
    Phase.VALIDATING: _QUICK,
    Phase.ESTIMATING: _QUICK,
    Phase.CHECKING: _QUICK,
    Phase.UPLOADING: _LONG,
    Phase.DEPLOYING: _LONG,
    Phase.TESTING: _LONG,
    Phase.EVALUATING: _LONG,
    Phase.PROMOTING: _LONG,
}
_WAITS_FOR_THE_SERVICE = (Phase.QUEUED, Phase.TRAINING)
_STALLED_AFTER_HOURS = 24


@dataclass(frozen=True, kw_only=True, slots=True)
class Stall:
    """A run that stands still.

    Attributes:
        since: when it moved last; with the phase it names the stall.
        at: when it became one.
    """

    phase: Phase
    since: datetime
    at: datetime


def stall_of(
    record: RunRecord, control: Control, *, now: datetime, time_scale: float = 1
) -> Stall | None:
    """Return the stall that a run is in, or None.

    A run moves when it enters a phase, when its job says something, and when a person says a word
    of it. One that waits for a person, or is paused, does not stall: the person was told.

    Args:
        time_scale: how many times faster than real the service is.
    """
    bound = bound_of(record, time_scale=time_scale)
    if bound is None or control.is_paused:
        return None
    moved = max((record.entered_at, *_heard(record), *(word.at for word in control.words)))
    at = moved + bound
    return Stall(phase=record.phase, since=moved, at=at) if at <= now else None


def bound_of(record: RunRecord, *, time_scale: float = 1) -> timedelta | None:
    """Return how long a run may stand in its phase, or None where that is no stall.

    What takes seconds has an hour, what takes minutes six; what waits for the service has the
    configuration's `stalled_after_hours`, which passes faster where the service is faster.
    """
    if record.phase not in _WAITS_FOR_THE_SERVICE:
        return _BOUNDS.get(record.phase)
    pipeline: Mapping[str, Any] = (record.configuration or {}).get("pipeline") or {}
    polling: Payload = pipeline.get("polling") or {}
    hours = polling.get("stalled_after_hours") or _STALLED_AFTER_HOURS
    return timedelta(hours=hours) / time_scale


def _heard(record: RunRecord) -> tuple[datetime, ...]:
    heard = (record.job or {}).get("heard_at") if record.phase is Phase.TRAINING else None
    return (parse_time(heard),) if heard else ()

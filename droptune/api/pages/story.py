"""What happened in a run, newest first: phases, people's words and the job's own events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from droptune.api.pages.wording import as_time
from droptune.domain.payload import Payload
from droptune.domain.phases import Phase
from droptune.domain.run import Control, RunRecord

MOST_EVENTS = 60
_SAID = {
    "cancel": "cancelled the {about}",
    "pause": "paused the run",
    "resume": "resumed the run",
    "approve": "approved the {about}",
    "reject": "rejected the {about}",
}


def story(
    record: RunRecord, control: Control, events: Sequence[Mapping[str, Any]], now: datetime
) -> list[Payload]:
    """Return `at`, `kind` (phase, person, job), `level` and `text` of what happened last.

    The service's clock may be ahead of ours: what it says of the job happened by the time at which
    the training was over, or by now.
    """
    over_at = _training_over_at(record, now)
    told = [(entry, over_at) for entry in _job(events)]
    told += [(entry, now) for entry in (*_phases(record), *_people(control), *_later(record))]
    timed = [(at, latest, entry) for entry, latest in told if (at := as_time(entry["at"]))]
    newest = sorted(timed, key=_order, reverse=True)
    return [entry | {"at": min(at, latest)} for at, latest, entry in newest[:MOST_EVENTS]]


def _order(timed: tuple[datetime, datetime, Payload]) -> tuple[datetime, bool, datetime]:
    at, latest, entry = timed
    return min(at, latest), entry["kind"] != "job", at


def _training_over_at(record: RunRecord, now: datetime) -> datetime:
    later = (c.at for c in record.history if c.phase.position > Phase.TRAINING.position)
    return next(later, now)


def failures(events: Sequence[Mapping[str, Any]], most: int = 5) -> list[Payload]:
    """Return the job's last events that are errors, newest first."""
    return [entry for entry in _job(events) if entry["level"] == "error"][::-1][:most]


def _phases(record: RunRecord) -> Iterator[Payload]:
    who = f" by {record.dropped_by}" if record.dropped_by else ""
    yield _entry(record.created_at, "phase", "info", f"The dataset settled and was taken up{who}")
    for change in record.history:
        text = change.phase.value.replace("_", " ")
        yield _entry(change.at, "phase", "info", text[:1].upper() + text[1:])


def _people(control: Control) -> Iterator[Payload]:
    for word in control.words:
        did = _SAID.get(word.word, word.word).format(about=word.about or "run")
        reason = f": {word.reason}" if word.reason else ""
        figures = "".join(f", {name} {figure:.6g}" for name, figure in word.metrics.items())
        yield _entry(word.at, "person", "info", f"{word.by} {did}{reason}{figures}")


def _later(record: RunRecord) -> Iterator[Payload]:
    """Iterate over what became of the newest promotion that was asked for after the end."""
    promotion = record.promotion
    if promotion is None:
        return
    reason = f": {promotion.reason}" if promotion.reason else ""
    asked = f"{promotion.by} asked for the promotion{reason}"
    yield _entry(promotion.asked_at, "person", "info", asked)
    if promotion.ended_at is not None:
        level = "error" if promotion.error else "info"
        yield _entry(promotion.ended_at, "phase", level, promotion.message)


def _job(events: Sequence[Mapping[str, Any]]) -> Iterator[Payload]:
    for event in events:
        if event.get("type") != "metrics":
            level = str(event.get("level") or "info")
            yield _entry(event.get("created_at"), "job", level, str(event.get("message") or ""))


def _entry(at: object, kind: str, level: str, text: str) -> Payload:
    return {"at": at, "kind": kind, "level": level, "text": text}

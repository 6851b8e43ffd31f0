"""What others are told of a run: CloudEvents that follow from its record.

Which events a record warrants is a function of the record alone, and each has a fixed id. So an
event that was lost is found by looking again, and one that is found twice is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from droptune.domain.payload import Model, Payload, format_time
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import PromotionState
from droptune.domain.run import RunRecord
from droptune.domain.stalls import Stall

SPEC_VERSION = "1.0"
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
_PREFIX, _SUFFIX = "droptune.", ".v1"
_ENDS = {
    Phase.REJECTED: "rejected",
    Phase.FAILED: "failed",
    Phase.CANCELLED: "cancelled",
    Phase.SUPERSEDED: "superseded",
}
_SUCCESSES = {
    Outcome.PROMOTED: "promoted",
    Outcome.NOT_PROMOTED: "not_promoted",
    Outcome.PLANNED: "planned",
}
_SENTENCES = {
    "validated": "The data of {run} is in order.",
    "submitted": "{run} is training.",
    "trained": "The model of {run} is trained.",
    "approval_requested": "{run} waits for your approval.",
    "promoted": "The model of {run} is the champion of {project}.",
    "not_promoted": "The model of {run} was not promoted; it is kept.",
    "completed": "{run} is complete: trained and tried, not promoted.",
    "planned": "{run} is planned: the report says what training would cost.",
    "rejected": "{run} was rejected.",
    "failed": "{run} failed.",
    "cancelled": "{run} was cancelled.",
    "superseded": "{run} gave way to newer data.",
    "stalled": "{run} has not moved for a long time: it is still {phase}.",
}

EVENT_NAMES = tuple(_SENTENCES)
NEEDS_A_PERSON = ("run.approval_requested", "run.rejected", "run.failed", "run.stalled")


@dataclass(frozen=True, kw_only=True, slots=True)
class Event(Model):
    """One event, whose fields are the attributes of CloudEvents 1.0.

    Source: cloudevents/spec v1.0.2 spec.md: id, source, specversion and type are required, source
    is a URI-reference, source and id together are unique; JSON: application/cloudevents+json.
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    specversion: str = SPEC_VERSION
    datacontenttype: str = "application/json"

    @property
    def name(self) -> str:
        """The event as configurations name it: `run.trained`."""
        return self.type.removeprefix(_PREFIX).removesuffix(_SUFFIX)

    @property
    def sentence(self) -> str:
        """The event as a person reads it."""
        said = _SENTENCES[self.name.removeprefix("run.")]
        phase = str(self.data["phase"]).replace("_", " ")
        return said.format(run=self.subject, project=self.data["project"], phase=phase)


def events_of(record: RunRecord, *, app_url: str) -> tuple[Event, ...]:
    """Return every event that a record warrants, oldest first.

    An event's id names the phase; where a run entered one again, because it asks anew, the number.
    """
    entered: Counter[str] = Counter()
    found = []
    for name, phase, at in _told(record):
        entered[phase] += 1
        key = phase if entered[phase] == 1 else f"{phase}-{entered[phase]}"
        found.append(_event(record, name, phase, at, key=key, app_url=app_url))
    return (*found, *_later_promotion(record, app_url))


def stalled(record: RunRecord, stall: Stall, *, app_url: str) -> Event:
    """Return the event that a run stands still; its id is the stall's, however often it is seen."""
    key = f"stalled-{stall.phase}-{int(stall.since.timestamp())}"
    return _event(record, "stalled", stall.phase, stall.at, key=key, app_url=app_url)


def wants(patterns: Sequence[str], event: Event) -> bool:
    """Whether a subscription asks for an event: `run.*`, `run.failed`, or a whole type."""
    return any(_matches(pattern, text) for pattern in patterns for text in (event.name, event.type))


def _matches(pattern: str, text: str) -> bool:
    return text.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern


def _told(record: RunRecord) -> Iterator[tuple[str, str, datetime]]:
    """Yield name, phase and time of each event."""
    job = record.job or {}
    for change in record.history:
        match change.phase:
            case Phase.ESTIMATING:
                yield "validated", change.phase, change.at
            case Phase.AWAITING_APPROVAL | Phase.AWAITING_PROMOTION:
                yield "approval_requested", change.phase, change.at
            case Phase.TRAINING if job.get("id"):
                yield "submitted", change.phase, change.at
            case Phase.DEPLOYING if job.get("fine_tuned_model"):
                yield "trained", change.phase, change.at
            case Phase.SUCCEEDED:
                yield _SUCCESSES.get(_own_outcome(record), "completed"), change.phase, change.at
            case phase if phase in _ENDS:
                yield _ENDS[phase], phase, change.at


def _own_outcome(record: RunRecord) -> Outcome:
    """Return the outcome with which the run ended, whatever was asked for after its end."""
    later = record.promotion
    if later is not None and later.state is PromotionState.PROMOTED:
        return later.outcome_before
    return record.outcome


def _later_promotion(record: RunRecord, app_url: str) -> Iterator[Event]:
    """Yield how a promotion ended that was asked for after the run's end."""
    promotion = record.promotion
    if promotion is not None and promotion.ended_at is not None:
        name = "not_promoted" if promotion.error else "promoted"
        key = f"promotion-{promotion.attempt}"
        event = _event(record, name, record.phase, promotion.ended_at, key=key, app_url=app_url)
        error = promotion.error.code if promotion.error else None
        yield replace(event, data={**event.data, "error": error})


def _event(
    record: RunRecord, name: str, phase: str, at: datetime, *, key: str, app_url: str
) -> Event:
    """Return an event. Its id has no full stop, which signed content is delimited by.

    Source: standard-webhooks spec 1.0.0, "Signature scheme".
    """
    base = app_url.rstrip("/")
    return Event(
        id=f"{record.id}:{record.attempt}:{key}",
        type=f"{_PREFIX}run.{name}{_SUFFIX}",
        source=f"{base}/projects/{quote(record.project)}",
        subject=record.id,
        time=at,
        data=_data(record, phase, base),
    )


def _data(record: RunRecord, phase: str, base: str) -> Payload:
    """Return what may be told: names, figures and codes.

    No sentence of the record enters: one may quote training data, an answer or a person's words.
    The page behind the link has them, for those who may read it.
    """
    configuration, job = record.configuration or {}, record.job or {}
    cost = record.cost
    run = f"{base}/api/runs/{quote(record.id)}"
    return {
        "project": record.project,
        "version": record.version,
        "run": record.id,
        "attempt": record.attempt,
        "phase": phase,
        "outcome": record.outcome.value,
        "base_model": configuration.get("model"),
        "fine_tuned_model": job.get("fine_tuned_model"),
        "job": job.get("id"),
        "adopted_from": record.adopted_from,
        "deployment": (record.production or record.deployment or {}).get("name"),
        "examples": record.examples,
        "tokens": record.tokens,
        "findings": {key: int(value) for key, value in record.findings.items()},
        "cost": {key: cost.get(key) for key in ("currency", "low", "high", "spent")},
        "error": record.error.code if record.error else None,
        "created_at": format_time(record.created_at),
        "links": {
            "status": run,
            "report": f"{run}/report",
            "page": f"{base}/api/dashboard/runs/{quote(record.id)}",
        },
    }

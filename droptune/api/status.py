"""The status document of a run (DESIGN 5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from droptune.api import sentences
from droptune.domain.payload import Payload, format_time
from droptune.domain.phases import PHASE_COUNT, Outcome, Phase
from droptune.domain.promotable import why_not_promotable
from droptune.domain.run import Control, Pin, RunRecord, Word

_COST = ("currency", "estimate", "low", "high", "hosting_month", "spent", "as_of")
_JOB = (
    "id", "status", "model", "fine_tuned_model", "adopted_from", "trained_tokens", "step",
    "train_loss", "valid_loss", "estimated_finish",
)  # fmt: skip
_DEPLOYMENT = ("name", "sku", "state", "endpoint", "expires_at")
_TEST = ("prompt", "answer", "latency_ms")
AWAITING = {Phase.AWAITING_APPROVAL: "training", Phase.AWAITING_PROMOTION: "promotion"}


def status_document(record: RunRecord, control: Control, base_url: str, now: datetime) -> Payload:
    """Return what `GET /api/runs/{id}` shows; only `message` depends on `now`."""
    return {
        "schema_version": record.schema_version,
        "id": record.id,
        "project": record.project,
        "version": record.version,
        "attempt": record.attempt,
        "phase": record.phase.value,
        "phase_index": record.phase.position,
        "phase_count": PHASE_COUNT,
        "outcome": record.outcome.value,
        "message": sentences.message(record, control, now),
        "waiting_for": sentences.waiting_for(record, control),
        "next": sentences.next_step(record, control),
        "dropped_by": record.dropped_by,
        "dataset": _dataset(record),
        "configuration": record.configuration,
        "cost": _cost(record),
        "job": _job(record),
        "deployment": _select(_DEPLOYMENT, record.deployment) if record.deployment else None,
        "test": dict.fromkeys(_TEST) | dict(record.test) if record.test else None,
        "champion": record.champion,
        "decisions": [_decision(word) for word in control.decisions],
        "paused": _paused(record, control),
        "promotion": record.promotion.to_payload() if record.promotion else None,
        "error": record.error.to_payload() if record.error else None,
        "links": links(record, control, base_url),
        "created_at": format_time(record.created_at),
        "updated_at": format_time(record.updated_at),
        "ended_at": format_time(record.ended_at) if record.ended_at else None,
    }


def _paused(record: RunRecord, control: Control) -> Payload | None:
    said = control.paused if not record.phase.is_terminal else None
    return {"by": said.by, "at": format_time(said.at), "reason": said.reason} if said else None


def run_row(record: RunRecord, control: Control, base_url: str, now: datetime) -> Payload:
    """Return a run as lists show it."""
    urls = links(record, control, base_url)
    return {
        "id": record.id,
        "project": record.project,
        "version": record.version,
        "phase": record.phase.value,
        "outcome": record.outcome.value,
        "message": sentences.message(record, control, now),
        "created_at": format_time(record.created_at),
        "updated_at": format_time(record.updated_at),
        "ended_at": format_time(record.ended_at) if record.ended_at else None,
        "links": {"self": urls["self"], "page": urls["page"]},
    }


def links(record: RunRecord, control: Control, base_url: str) -> dict[str, str]:
    """Return where a run's documents are, and what may be said of it now."""
    own = f"{base_url}/api/runs/{record.id}"
    return {
        "self": own,
        "report": f"{own}/report",
        "events": f"{own}/events",
        "metrics": f"{own}/metrics",
        "answers": f"{own}/answers",
        "page": page_url(base_url, record.id),
        "dataset": f"{base_url}/api/datasets/{record.project}/{record.version}",
        "project": f"{base_url}/api/projects/{record.project}",
    } | {word: f"{own}/{word}" for word in actions(record, control)}


def page_url(base_url: str, run_id: str) -> str:
    """Return the address of a run's page for people."""
    return f"{base_url}/api/dashboard/runs/{run_id}"


def actions(record: RunRecord, control: Control) -> tuple[str, ...]:
    """Return the words that a person may say of a run now."""
    if record.phase.is_terminal:
        return _later_actions(record, control)
    if control.cancelled:
        return ()
    about = AWAITING.get(record.phase)
    decided = about and control.decision(about, since=record.asked_since)
    decide = ("approve", "reject") if about and not decided else ()
    return (*decide, "resume" if control.is_paused else "pause", "cancel")


def _decision(word: Word) -> Payload:
    return {
        "about": word.about,
        "approved": word.word == "approve",
        "by": word.by,
        "at": format_time(word.at),
        "reason": word.reason,
        "metrics": dict(word.metrics),
    }


def _later_actions(record: RunRecord, control: Control) -> tuple[str, ...]:
    if record.promotion is not None and record.promotion.is_under_way:
        return () if control.cancelled_promotion(record.promotion) else ("cancel",)
    return () if why_not_promotable(record) else ("promote",)


def _select(keys: tuple[str, ...], stored: Mapping[str, Any]) -> Payload:
    shown = {key: stored.get(key) for key in keys}
    if shown.get("currency", "") is None:
        del shown["currency"]
    return shown


def _cost(record: RunRecord) -> Payload:
    """Return what a run costs; one that ended with nothing will host nothing."""
    shown = {"currency": "USD"} | _select(_COST, record.cost)
    hosts = not record.phase.is_terminal or record.outcome is not Outcome.NONE
    return shown if hosts else shown | {"hosting_month": None}


def _job(record: RunRecord) -> Payload | None:
    if not record.job:
        return None
    shown = _select(_JOB, record.job)
    return shown | {"adopted_from": shown["adopted_from"] or record.adopted_from}


def _dataset(record: RunRecord) -> Payload:
    return {
        "digest": record.training_digest,
        "files": [_file(pin, record.dataset.prefix) for pin in record.pins],
        "examples": record.examples,
        "tokens": record.tokens,
        "findings": {key: record.findings.get(key, 0) for key in ("error", "warning")},
    }


def _file(pin: Pin, prefix: str) -> Payload:
    return {
        "role": pin.role,
        "name": pin.name.removeprefix(prefix),
        "bytes": pin.size_bytes,
        "sha256": pin.sha256,
    }

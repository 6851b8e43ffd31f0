"""What a look at a job leaves behind: events, metrics, checkpoints, and the run's own figures."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from activities.run_records import RunRecords, dump
from droptune.domain.job import FineTuningJob, JobEvent, JobStatus
from droptune.domain.payload import Payload, format_time
from droptune.domain.run import RunRecord
from droptune.domain.services import FineTuningService

EVENTS = "events.jsonl"
_FIGURES = ("step", "train_loss", "valid_loss")


def follow(
    record: RunRecord,
    job: FineTuningJob,
    *,
    records: RunRecords,
    azure_openai: FineTuningService,
    stalled: datetime | None = None,
) -> RunRecord:
    """Keep the job's events, metrics and checkpoints, and update the run's record.

    The service gives only the newest events; what was kept before stays. A job whose last event is
    older than `stalled` is announced in the record.
    """
    events = _merged(records.read(record.ref, EVENTS), azure_openai.list_events(job.id))
    metrics = metrics_of(events)
    lines = "".join(json.dumps(event.to_payload(), ensure_ascii=False) + "\n" for event in events)
    records.keep(record.ref, EVENTS, lines.encode(), "application/jsonl")
    records.keep(record.ref, "metrics.json", dump({"steps": metrics}), "application/json")
    if job.status.is_terminal:
        found = [point.to_payload() for point in azure_openai.list_checkpoints(job.id)]
        records.keep(record.ref, "checkpoints.json", dump({"data": found}), "application/json")
    latest = metrics[-1] if metrics else {}
    news = max((event.created_at for event in events), default=job.created_at)
    silent = _silence(news) if stalled is not None and news < stalled else None
    waits = None if job.status.is_terminal else silent

    def change(known: RunRecord) -> RunRecord:
        if (known.job or {}).get("id") != job.id:
            return known  # another job has taken its place meanwhile
        return replace(record_job(known, job, latest, news), waiting_for=waits)

    return records.note(record, change)


def _silence(news: datetime) -> str:
    return f"The job has said nothing since {format_time(news)}; look at it, or cancel the run."


def _merged(kept: bytes | None, newest: Sequence[JobEvent]) -> list[JobEvent]:
    """Return what was kept and what is new, each event once, oldest first."""
    lines = (kept or b"").splitlines()
    known = [JobEvent.from_payload(json.loads(line)) for line in lines if line.strip()]
    events = {event.id: event for event in (*known, *newest)}
    return sorted(events.values(), key=lambda event: event.created_at)


def metrics_of(events: Sequence[JobEvent]) -> list[Payload]:
    """Return the metrics of each step, in order of steps."""
    found = {
        event.data["step"]: dict(event.data)
        for event in events
        if event.type == "metrics" and isinstance(event.data.get("step"), int)
    }
    return [found[step] for step in sorted(found)]


def record_job(
    record: RunRecord,
    job: FineTuningJob,
    latest: Mapping[str, Any] | None = None,
    heard_at: datetime | None = None,
) -> RunRecord:
    """Return the record with what the job says; figures stay until newer ones come.

    A look may have taken long, and others looked meanwhile: a job that has ended is never said to
    be on its way again.
    """
    if _has_ended(record, job.id) and not job.status.is_terminal:
        return record
    figures = {key: (latest or {}).get(key, (record.job or {}).get(key)) for key in _FIGURES}
    finish = job.estimated_finish
    shown = {
        "id": job.id,
        "status": job.raw_status,
        "model": job.model,
        "fine_tuned_model": job.fine_tuned_model,
        "trained_tokens": job.trained_tokens,
        "training_type": job.training_type,
        "hyperparameters": dict(job.hyperparameters),
        "seed": job.seed,
        "created_at": format_time(job.created_at),
        "finished_at": format_time(job.finished_at) if job.finished_at else None,
        "estimated_finish": format_time(finish) if finish else None,
        "heard_at": format_time(heard_at) if heard_at else (record.job or {}).get("heard_at"),
        **figures,
    }
    return replace(record, job=shown, waiting_for=None)


def _has_ended(record: RunRecord, job_id: str) -> bool:
    shown = record.job or {}
    return shown.get("id") == job_id and JobStatus(str(shown.get("status"))).is_terminal

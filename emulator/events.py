"""What a job tells of itself: events, checkpoints, the metrics file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import pairwise

from emulator.learner import Figures, Learned
from emulator.records import Job, Json

_COLUMNS = {
    "train_loss": "train_loss",
    "train_accuracy": "train_mean_token_accuracy",
    "valid_loss": "valid_loss",
    "valid_accuracy": "valid_mean_token_accuracy",
    "full_valid_loss": "full_valid_loss",
    "full_valid_accuracy": "full_valid_mean_token_accuracy",
}
Event = tuple[float | None, str, str, Json]  # when, level, message, metrics


def events_of(job: Job, learned: Learned | None, now: float) -> list[Json]:
    """Return the events up to now, newest first.

    Source: texts and order of a real job (NB-DPO, facts 1.5). Unverified: the texts around
    pausing, cancelling and failing.
    """
    told = [*_queued(job), *_trained(job, learned), *_paused(job), *_ended(job)]
    happened = [event for event in told if event[0] is not None and event[0] <= now]
    happened.sort(key=lambda event: event[0] or 0)
    return [_event(job, number, event) for number, event in enumerate(happened)][::-1]


def _event(job: Job, number: int, event: Event) -> Json:
    at, level, message, metrics = event
    digest = hashlib.sha256(f"{job.id} {number}".encode()).hexdigest()[:32]
    return {
        "id": f"ftevent-{digest}",
        "created_at": int(at or 0),
        "level": level,
        "message": message,
        "object": "fine_tuning.job.event",
        "type": "metrics" if metrics else "message",
    } | ({"data": metrics} if metrics else {})


def _info(at: float | None, message: str) -> Event:
    return at, "info", message, {}


def _queued(job: Job) -> Iterator[Event]:
    waited = job.queue_until - job.created_at
    texts = [
        (0.0, "Job enqueued. Waiting for jobs ahead to complete."),
        (0.3, "Preprocessing running for file training file."),
        (0.6, "Preprocessing completed for file training file."),
    ]
    if job.validation_file:
        texts.append((0.8, "Preprocessing completed for file validation file."))
    for share, text in texts:
        at = job.created_at + share * waited
        if job.finished_at is None or at <= job.finished_at:
            yield _info(at, text)


def _trained(job: Job, learned: Learned | None) -> Iterator[Event]:
    for share, text in (
        (0.0, "Job started."),
        (0.2, "Data Import started."),
        (0.4, "Finetuning started."),
        (0.6, "Job queued, waiting for GPUs."),
        (0.8, "Training started."),
        (1.0, f"Created results file: {job.result_file}"),
    ):
        if job.started_at is not None:
            yield _info(job.time_of(share * job.setup_seconds), text)
    for figures in learned.figures if learned else ():
        at = job.time_of(job.step_progress(figures.step))
        text = f"Step {figures.step}: training loss={figures.train_loss}"
        yield at, "info", text, {"step": figures.step} | metrics_of(figures)


def _paused(job: Job) -> Iterator[Event]:
    for (_, paused), (resumed, _) in pairwise(job.spans):
        yield _info(paused, "Job paused.")
        yield _info(resumed, "Job resumed.")
    last = job.spans[-1][1] if job.spans else None
    if last is not None and last != job.finished_at:
        yield _info(last, "Job paused.")


def _ended(job: Job) -> Iterator[Event]:
    if job.status == "failed":
        yield job.finished_at, "error", job.error_message, {}
    elif job.status == "cancelled":
        yield _info(job.finished_at, "Job cancelled.")
    elif job.status == "succeeded":
        yield _info(job.finished_at, "Job succeeded.")
        yield _info(job.finished_at, "Model Evaluation Passed.")
        yield _info(job.finished_at, f"Completed results file: {job.result_file}")
        yield _info(job.finished_at, f"Training tokens billed: {job.trained_tokens}")


def metrics_of(figures: Figures) -> Json:
    """Return the figures under their names on the wire, without what was not measured."""
    named = {column: getattr(figures, name) for name, column in _COLUMNS.items()}
    return {column: value for column, value in named.items() if value is not None}


def checkpoints_of(job: Job, learned: Learned, now: float) -> list[Json]:
    """Return the checkpoints that exist, newest first. Source: facts 1.6 (FT-TUT)."""
    done = job.steps_done(now)
    ready = [s for s in job.epoch_steps if s <= done and (s < job.steps or job.is_terminal)]
    return [_checkpoint(job, learned, step) for step in reversed(ready)]


def _checkpoint(job: Job, learned: Learned, step: int) -> Json:
    known = [figures for figures in learned.figures if figures.step <= step]
    return {
        "id": job.checkpoint_id(step),
        "created_at": int(job.time_of(job.step_progress(step)) or 0),
        "fine_tuned_model_checkpoint": job.checkpoint_model(step),
        "fine_tuning_job_id": job.id,
        "metrics": {"step": float(step)} | metrics_of(known[-1]),
        "object": "fine_tuning.job.checkpoint",
        "step_number": step,
    }


def results_csv(learned: Learned) -> str:
    """Return the metrics file: a row for each logged step, an empty cell for what is not known.

    Source: the names that Microsoft's readers of real files use (NB-CHART, SK-CURVE, facts 1.7).
    """
    rows = [",".join(["step", *_COLUMNS.values()])]
    for figures in learned.figures:
        metrics = metrics_of(figures)
        cells = [str(metrics.get(column, "")) for column in _COLUMNS.values()]
        rows.append(",".join([str(figures.step), *cells]))
    return "\n".join(rows) + "\n"

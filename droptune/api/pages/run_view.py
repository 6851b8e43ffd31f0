"""What the page of a run shows, from its status document and what it stored."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from droptune.api.records import find_document
from droptune.api.status import AWAITING, actions, status_document
from droptune.domain.payload import Payload
from droptune.domain.phases import LINE, Phase
from droptune.domain.run import Control, RunRecord
from droptune.domain.services import BlobStore, Clock

MOST_EVENTS = 50
MOST_ROWS = 50
_COLUMNS = ("step", "train_loss", "valid_loss", "full_valid_loss", "train_mean_token_accuracy")
_ROW_KEYS = ("metrics", "steps", "points", "rows")
_REFRESH_SECONDS = 5


def run_view(
    record: RunRecord, control: Control, runs: BlobStore, base: str, clock: Clock
) -> Payload:
    """Return the context of `run.html`; a page with a decision on it does not reload."""
    folder = record.ref.folder
    report = find_document(runs, f"{folder}report.json")
    about = AWAITING.get(record.phase)
    still = record.phase.is_terminal or about is not None
    return {
        "title": record.id,
        "refresh_seconds": None if still else _REFRESH_SECONDS,
        "run": status_document(record, control, base, clock.now()),
        "phases": phase_line(record),
        "words": [word for word in actions(record, control) if word != "promote"],
        "about": about,
        "has_report": report is not None,
        "findings": _findings(record, report),
        "losses": losses(_read_json(runs, f"{folder}metrics.json")),
        "events": _events(runs, f"{folder}events.jsonl"),
    }


def phase_line(record: RunRecord) -> list[Payload]:
    """Return the phases in order, which are past, and which is the current one."""
    entered = {change.phase for change in record.history}
    line: tuple[Phase, ...] = LINE
    if record.phase.is_terminal:
        line = (*(phase for phase in LINE if phase in entered), record.phase)
    return [_phase(phase, record) for phase in line]


def _phase(phase: Phase, record: RunRecord) -> Payload:
    current = phase is record.phase
    past = phase.position < record.phase.position
    state = f"current {phase.value}" if current else "past" if past else "ahead"
    return {"name": phase.value, "state": state, "is_current": current}


def _findings(record: RunRecord, report: Mapping[str, Any] | None) -> list[Any]:
    own = [finding.to_payload() for finding in record.configuration_findings]
    found = report.get("findings") if report else None
    return [*own, *(each for each in _objects(found) if each not in own)]


def losses(metrics: object) -> Payload:
    """Return columns, at most MOST_ROWS rows and the curve of the training loss."""
    if isinstance(metrics, Mapping):
        metrics = next((metrics[key] for key in _ROW_KEYS if key in metrics), ())
    steps = _objects(metrics)
    columns = [name for name in _COLUMNS if any(step.get(name) is not None for step in steps)]
    thinned = steps[:: max(1, -(-len(steps) // MOST_ROWS))]
    return {
        "columns": columns,
        "rows": [[_figure(step.get(name)) for name in columns] for step in thinned],
        "curve": _curve([step.get("train_loss") for step in steps]),
    }


def _figure(value: object) -> object:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else value


def _curve(values: Sequence[object]) -> str:
    """Return the points of a polyline in a box of 100 by 100, its top the largest value."""
    figures = [float(value) for value in values if isinstance(value, int | float)]
    if len(figures) < 2 or max(figures) <= 0:
        return ""
    step, top = 100 / (len(figures) - 1), max(figures)
    return " ".join(f"{i * step:.2f},{100 - 95 * v / top:.2f}" for i, v in enumerate(figures))


def _events(runs: BlobStore, name: str) -> list[Any]:
    blob = runs.find(name)
    lines = blob.data.decode("utf-8", "replace").splitlines() if blob else []
    return _objects([_parse(line) for line in lines[-MOST_EVENTS:]])[::-1]


def _read_json(runs: BlobStore, name: str) -> object:
    blob = runs.find(name)
    return _parse(blob.data.decode("utf-8", "replace")) if blob else None


def _parse(text: str) -> object:
    try:
        parsed: object = json.loads(text)
    except ValueError:
        return None
    return parsed


def _objects(values: object) -> list[Mapping[str, Any]]:
    if not isinstance(values, list | tuple):
        return []
    return [value for value in values if isinstance(value, Mapping)]

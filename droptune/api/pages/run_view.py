"""What the page of a run shows, from its record and from what it stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from droptune.api import sentences
from droptune.api.pages.configuration_view import configuration_rows
from droptune.api.pages.loss_chart import loss_chart
from droptune.api.pages.offers import offers
from droptune.api.pages.phase_line import phase_line, tone
from droptune.api.pages.project_view import spent_of
from droptune.api.pages.run_documents import KINDS, objects, read_json, read_lines, read_rows
from droptune.api.pages.story import failures, story
from droptune.api.services import ApiServices
from droptune.api.status import AWAITING, actions, status_document
from droptune.domain.comparison import ANSWERS
from droptune.domain.payload import Payload
from droptune.domain.phases import Phase
from droptune.domain.run import Control, RunRecord

MOST_ROWS = 40
MOST_EVIDENCE = 5
_COLUMNS = ("step", "train_loss", "valid_loss", "full_valid_loss", "train_mean_token_accuracy")
_SECONDS_TO_NEXT_LOOK = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownRun:
    """A run and what its page is made of.

    Attributes:
        documents: names of the documents that the run has stored.
        champion: of the run's project, as published, or None.
    """

    record: RunRecord
    control: Control
    documents: frozenset[str]
    champion: Mapping[str, Any] | None


def run_view(shown: ShownRun, services: ApiServices, base: str) -> Payload:
    """Return the context of `run.html`."""
    record, control, now = shown.record, shown.control, services.clock.now()
    status = status_document(record, control, base, now)
    about = AWAITING.get(record.phase)
    moves = record.is_being_promoted or not record.phase.is_terminal
    decides = about is not None and "approve" in actions(record, control)
    return {
        "title": record.id,
        "now": now,
        "poll_seconds": _SECONDS_TO_NEXT_LOOK if moves else None,
        "refresh_seconds": 10 if moves and not decides else None,
        "run": status,
        "tone": tone(record, is_paused=control.is_paused),
        "is_paused": control.is_paused and not record.phase.is_terminal,
        "phases": phase_line(record, now),
        "about": about if decides else None,
        "offers": offers(record, control, shown.champion),
        "reasons": record.approval_reasons,
        "decisions": control.decisions,
        "budget": sentences.budget(record),
        "spent": spent_of(record),
        "cost": record.cost,
        "job": _job(record),
        "is_champion": bool(shown.champion and shown.champion["run_id"] == record.id),
        "champion": shown.champion,
        "configuration": configuration_rows(record.configuration),
        "files": [name for name in KINDS if name in shown.documents],
        **_stored(shown, services),
    }


def _stored(shown: ShownRun, services: ApiServices) -> Payload:
    record, runs = shown.record, services.runs
    folder, there = record.ref.folder, shown.documents
    report = read_json(runs, f"{folder}report.json") if "report.json" in there else None
    report = report if isinstance(report, Mapping) else None
    events = read_lines(runs, f"{folder}events.jsonl") if "events.jsonl" in there else []
    steps = read_rows(runs, f"{folder}metrics.json") if "metrics.json" in there else []
    points = read_rows(runs, f"{folder}checkpoints.json") if "checkpoints.json" in there else []
    answers = read_json(runs, folder + ANSWERS) if ANSWERS in there else None
    found = _findings(record, report)
    return {
        "report": report,
        "test": _test(record, answers),
        "findings": found,
        "evidence": _evidence(record, found, events),
        "chart": loss_chart(steps, points, last_step(record)),
        "figures": figures(steps),
        "last_step": last_step(record),
        "story": story(record, shown.control, events, services.clock.now()),
    }


def _job(record: RunRecord) -> Payload | None:
    if not record.job:
        return None
    hidden = ("step", "train_loss", "valid_loss", "hyperparameters")
    shown = {key: value for key, value in record.job.items() if key not in hidden}
    chosen = record.job.get("hyperparameters")
    parameters = dict(chosen) if isinstance(chosen, Mapping) else {}
    return shown | {"adopted_from": record.adopted_from} | parameters


def _test(record: RunRecord, answers: object) -> Payload | None:
    """Return the smoke test with the answers side by side, where there are any."""
    exchanges = objects(answers.get("exchanges")) if isinstance(answers, Mapping) else []
    if not record.test and not exchanges:
        return None
    return dict(record.test or {}) | {"answers": [_side_by_side(each) for each in exchanges]}


def _side_by_side(exchange: Mapping[str, Any]) -> Payload:
    said, missing = exchange.get("answers") or {}, exchange.get("missing") or {}
    return {
        "prompt": exchange.get("prompt"),
        "expected": exchange.get("expected"),
        "answer": said.get("candidate"),
        "champion": said.get("champion"),
        "base": said.get("base"),
        "missing": missing,
    }


def _findings(record: RunRecord, report: Mapping[str, Any] | None) -> list[Any]:
    own = [finding.to_payload() for finding in record.configuration_findings]
    found = objects(report.get("findings")) if report else []
    order = {"error": 0, "warning": 1}
    everything = [*own, *(each for each in found if each not in own)]
    return sorted(everything, key=lambda finding: order.get(str(finding.get("severity")), 2))


def _evidence(
    record: RunRecord, found: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]
) -> Payload | None:
    """Return what a bad end rests on: the findings that reject, or the job's last errors."""
    if record.phase not in (Phase.FAILED, Phase.REJECTED):
        return None
    errors = [finding for finding in found if finding.get("severity") == "error"]
    return {"findings": errors[:MOST_EVIDENCE], "events": failures(events, MOST_EVIDENCE)}


def last_step(record: RunRecord) -> int | None:
    """Return the step at which the training ends, once the service has resolved what decides it."""
    chosen = (record.job or {}).get("hyperparameters")
    parameters = chosen if isinstance(chosen, Mapping) else {}
    epochs, batch = _whole(parameters.get("n_epochs")), _whole(parameters.get("batch_size"))
    return -(-record.examples // batch) * epochs if epochs and batch and record.examples else None


def _whole(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def figures(steps: Sequence[Mapping[str, Any]]) -> Payload:
    """Return the columns that there are, and at most MOST_ROWS rows, the last one among them."""
    columns = [name for name in _COLUMNS if any(step.get(name) is not None for step in steps)]
    stride = max(1, -(-len(steps) // MOST_ROWS))
    thinned = list(steps[::-1][::stride])[::-1]
    return {
        "columns": columns,
        "rows": [[_figure(step.get(name)) for name in columns] for step in thinned],
    }


def _figure(value: object) -> object:
    return "" if value is None else f"{value:.4g}" if isinstance(value, float) else value


def state_of(shown: ShownRun, etags: Sequence[str], now: datetime) -> list[Any]:
    """Return what changes whenever the page would: what is stored, and the ages that it shows."""
    entered = [change.at for change in shown.record.history] or [shown.record.created_at]
    age = (now - entered[-1]).total_seconds()
    is_still = shown.record.phase.is_terminal
    tick = 0 if is_still else int(age // 60) if age >= 60 else f"{int(age // 5)} x 5 s"
    champion = (shown.champion or {}).get("deployment")
    return [*etags, champion, tick]

"""What pages show of a project: champion, latest runs, spend against budget, retirement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from droptune.api import sentences
from droptune.api.pages.phase_line import tone
from droptune.api.projects import spend
from droptune.api.run_listing import ListedRun
from droptune.api.services import ApiServices
from droptune.domain.payload import Payload
from droptune.domain.run import RunRecord

LATEST_RUNS = 8


def project_card(
    name: str,
    champion: Mapping[str, Any] | None,
    runs: Sequence[ListedRun],
    services: ApiServices,
) -> Payload:
    """Return a project as cards show it; runs are newest first."""
    spent = spend([run.record for run in runs])
    return {
        "name": name,
        "champion": champion,
        "retires_at": _retires_at(champion, runs, services),
        "base_model": _base_model(champion, runs),
        "runs": [_dot(run) for run in runs[:LATEST_RUNS]],
        "count": len(runs),
        "spent": spent["spent"],
        "reserved": _reserved(runs),
        "budget": next((b for run in runs if (b := sentences.budget(run.record))), None),
    }


def _dot(run: ListedRun) -> Payload:
    record = run.record
    return {
        "id": record.id,
        "phase": record.phase.value,
        "tone": tone(record, is_paused=run.control.is_paused),
        "version": record.version,
    }


def spent_of(record: RunRecord) -> object:
    """Return what a run has cost, None while that is not known; without a job it is nothing."""
    return 0.0 if record.job is None and record.phase.is_terminal else record.cost.get("spent")


def _reserved(runs: Sequence[ListedRun]) -> float:
    """Return what runs under way may cost at most, of those that did not adopt a job."""
    highs = [
        run.record.cost.get("high")
        for run in runs
        if not run.record.phase.is_terminal and not run.record.adopted_from
    ]
    return sum(high for high in highs if isinstance(high, int | float))


def _base_model(champion: Mapping[str, Any] | None, runs: Sequence[ListedRun]) -> str:
    if champion and champion.get("base_model"):
        return str(champion["base_model"])
    models = ((run.record.configuration or {}).get("model") for run in runs)
    return next((str(model) for model in models if model), "")


def _retires_at(
    champion: Mapping[str, Any] | None, runs: Sequence[ListedRun], services: ApiServices
) -> object:
    if champion and champion.get("retires_at"):
        return champion["retires_at"]
    model = _base_model(champion, runs)
    return services.retires_at(model) if model else None

"""Which runs can be promoted after their end, and why others cannot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from droptune.domain.findings import Problem
from droptune.domain.phases import Outcome
from droptune.domain.run import RunRecord

PROMOTABLE = (Outcome.TRAINED, Outcome.NOT_PROMOTED)


def why_not_promotable(record: RunRecord) -> Problem | None:
    """Return why a run is of no kind that can be promoted later, or None. The model itself and
    other promotions are not looked at."""
    if not record.phase.is_terminal:
        return Problem(
            code="not-ended",
            message=f"The run is {record.phase.value}.",
            remedy="Wait for its end.",
        )
    if record.outcome not in PROMOTABLE:
        return Problem(
            code="nothing-to-promote",
            message=f"The run's outcome is {record.outcome.value}.",
            remedy="Only a run that trained and did not promote can be promoted later.",
        )
    if not record.fine_tuned_model:
        return Problem(
            code="no-model",
            message="The run's record names no fine-tuned model.",
            remedy="Train anew: droptune again RUN.",
        )
    if not _production(record):
        return Problem(
            code="no-production",
            message="The run's configuration says no SKU for production: "
            "pipeline.deploy.production is not set.",
            remedy="Set it and drop the dataset again: the job that is paid for is adopted.",
        )
    return None


def _production(record: RunRecord) -> Any:
    value: Any = record.configuration
    for key in ("pipeline", "deploy", "production"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value

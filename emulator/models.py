"""The models that the emulated account offers, and what they cost; the table is `models.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Model:
    """A base model. `train_per_million` is USD for global training; None: not known."""

    name: str
    version: str
    methods: list[str]
    training_types: list[str]
    skus: list[str]
    example_tokens: int
    train_per_million: float | None
    created: int
    fine_tune_until: str | None
    inference_until: str | None

    @property
    def id(self) -> str:
        """The name by which the data plane knows it: `gpt-4.1-2025-04-14`."""
        return self.name if self.version == "1" else f"{self.name}-{self.version}"


@cache
def price_list() -> dict[str, Any]:
    """Return the whole table, with its date and source."""
    table: dict[str, Any] = json.loads(Path(__file__).with_name("models.json").read_text())
    return table


@cache
def base_models() -> tuple[Model, ...]:
    """Return every base model."""
    return tuple(Model(**row) for row in price_list()["models"])


def find_base_model(name: str) -> Model | None:
    """Return the base model with that alias or full name, or of that fine-tuned model, or None.

    Source: an alias is resolved and echoed in full (NB-CHART, facts 1.4).
    """
    base = name.split(".ft-")[0].lower()
    return next((m for m in base_models() if base in (m.name.lower(), m.id.lower())), None)


def training_cost(model: Model | None, training_type: str, tokens: int) -> float:
    """Return what `tokens` billed tokens would cost, in USD; 0 where no price is known."""
    if model is None or model.train_per_million is None:
        return 0.0
    factor: float = price_list()["training_factor"].get(training_type.lower(), 1.0)
    return round(tokens / 1_000_000 * model.train_per_million * factor, 6)


def hosting_cost(sku: str, hours: float) -> float:
    """Return what hosting one fine-tuned deployment for `hours` would cost, in USD."""
    per_hour: float = price_list()["hosting_per_hour"].get(sku, 0.0)
    return round(per_hour * hours, 6)

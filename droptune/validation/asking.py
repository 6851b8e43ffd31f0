"""From a resolved configuration to what is asked of a validation: the command's and the app's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from droptune.domain.configuration import Configuration
from droptune.validation.report import ValidationRequest

_AUTO = "auto"


def request_for(
    configuration: Configuration | None, *, as_of: date | None, model: str | None = None
) -> ValidationRequest:
    """Return how a dataset shall be read; a model that is named goes before the configured one."""
    if configuration is None:
        return ValidationRequest(as_of=as_of, model=model)
    pipeline = configuration.pipeline
    production = pipeline.deploy.production
    return ValidationRequest(
        as_of=as_of,
        model=model or configuration.model,
        method=configuration.method_type,
        training_type=configuration.training_type,
        n_epochs=configuration.n_epochs,
        batch_size=_number(configuration, "batch_size"),
        learning_rate_multiplier=_number(configuration, "learning_rate_multiplier"),
        min_examples=pipeline.validation.min_examples,
        ignore=pipeline.validation.ignore,
        raised=pipeline.validation.raised,
        allowed=pipeline.validation.allow,
        production_sku=production.sku if production else None,
        candidate_sku=pipeline.deploy.candidate.sku,
        budget_usd=pipeline.budget.run_usd,
        hosting_budget_usd_month=pipeline.budget.hosting_usd_month,
    )


def _number(configuration: Configuration, name: str) -> Any:
    """Return a hyperparameter as it is configured, `auto` where it is none."""
    chosen: Mapping[str, Any] = (configuration.method or {}).get(configuration.method_type) or {}
    found = (chosen.get("hyperparameters") or {}).get(name, _AUTO)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool) and found > 0
    return found if is_number else _AUTO

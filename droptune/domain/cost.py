"""What a training costs: tokens, epochs, prices with a date and a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from droptune.domain.models import find_model, load
from droptune.domain.payload import Model

HOURS_A_MONTH = 24 * 30
_TARGET_EPOCHS, _LEAST_EXAMPLES, _MOST_EXAMPLES, _MOST_EPOCHS = 3, 100, 25_000, 25


@dataclass(frozen=True, kw_only=True, slots=True)
class CostEstimate(Model):
    """An estimate in US dollars; None where no price is known.

    Attributes:
        estimate: the likeliest figure; `low` and `high` bound it.
        epochs_low, epochs_high: what `auto` may be resolved to.
        hosting_month: 30 days of the production deployment, or None without one.
        as_of, source: of the price list.
    """

    currency: str
    estimate: float | None
    low: float | None
    high: float | None
    epochs_low: int
    epochs_high: int
    training_tokens: int
    training_usd_per_million: float | None
    hosting_month: float | None
    candidate_month: float | None
    as_of: str
    source: str
    message: str


def likely_epochs(examples: int) -> int:
    """Return the published heuristic for the number of epochs.

    Source: OpenAI cookbook, data preparation for chat fine-tuning. Unverified: what Azure chooses
    (its pages state 2 once, a recorded run resolved to 3).
    """
    if examples <= 0:
        return _TARGET_EPOCHS
    if examples * _TARGET_EPOCHS < _LEAST_EXAMPLES:
        return min(_MOST_EPOCHS, max(_TARGET_EPOCHS, _LEAST_EXAMPLES // examples))
    if examples * _TARGET_EPOCHS > _MOST_EXAMPLES:
        return max(1, _MOST_EXAMPLES // examples)
    return _TARGET_EPOCHS


def estimate(
    *,
    model: str | None,
    tokens: int,
    examples: int,
    n_epochs: int | str = "auto",
    training_type: str = "GlobalStandard",
    production_sku: str | None = None,
    candidate_sku: str | None = None,
) -> CostEstimate:
    """Estimate a training on `tokens` tokens an epoch, and 30 days of hosting.

    Validation tokens are not billed. Source: facts 3.2 (tokens of the training file x epochs x
    rate).
    """
    prices = load("prices.json")
    facts = find_model(model) if model else None
    rate = prices["training_usd_per_million_tokens"].get(facts.name) if facts else None
    factors = _find(prices["training_type_factor"], training_type)
    low, likely, high = _epochs(n_epochs, examples)
    known = rate is not None and factors is not None
    factor_low, factor_high = factors or (1.0, 1.0)

    def cost(epochs: int, factor: float) -> float | None:
        return (
            None if rate is None or not known else round(tokens * epochs * rate * factor / 1e6, 4)
        )

    return CostEstimate(
        currency=prices["currency"],
        low=cost(low, factor_low),
        estimate=cost(likely, (factor_low + factor_high) / 2),
        high=cost(high, factor_high),
        epochs_low=low,
        epochs_high=high,
        training_tokens=tokens,
        training_usd_per_million=cost_of_a_million(rate, factors),
        hosting_month=_month(production_sku),
        candidate_month=_month(candidate_sku),
        as_of=prices["as_of"],
        source=prices["source"],
        message=_message(model, known, training_type),
    )


def cost_of_a_million(rate: float | None, factors: list[float] | None) -> float | None:
    """Return the likeliest price of a million tokens, or None where one of the two is not known."""
    return None if rate is None or factors is None else rate * sum(factors) / 2


def _epochs(n_epochs: int | str, examples: int) -> tuple[int, int, int]:
    if isinstance(n_epochs, int):
        return n_epochs, n_epochs, n_epochs
    likely = likely_epochs(examples)
    return min(2, likely), likely, max(_TARGET_EPOCHS, likely)


def _find(table: Mapping[str, Any], name: str) -> Any:
    """Return a row by its name, case ignored as Azure does, or None."""
    return next((row for key, row in table.items() if key.casefold() == name.casefold()), None)


def _month(sku: str | None) -> float | None:
    hourly = _find(load("prices.json")["hosting_usd_per_hour"], sku) if sku else None
    return None if hourly is None else round(hourly * HOURS_A_MONTH, 2)


def _message(model: str | None, known: bool, training_type: str) -> str:
    if known:
        return ""
    if model is None:
        return "No model is named, so there is no price: name one in fine-tune-job.yaml."
    return f"No price is known for training {model} as {training_type}."

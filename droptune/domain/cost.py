"""What a training costs: tokens, epochs, prices with a date and a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from droptune.domain.models import find_model, load
from droptune.domain.payload import Model

HOURS_A_MONTH = 24 * 30
PRICES_ARE_OLD_AFTER_DAYS = 90
_TARGET_EPOCHS, _LEAST_EXAMPLES, _MOST_EXAMPLES, _MOST_EPOCHS = 3, 100, 25_000, 25


@dataclass(frozen=True, kw_only=True, slots=True)
class CostEstimate(Model):
    """An estimate in US dollars; None where no price is known.

    Attributes:
        estimate: the likeliest figure; `low` and `high` bound it.
        epochs_low, epochs_high: what `auto` may be resolved to.
        tokens_cut: tokens beyond the model's limit for an example, which are not trained on.
        hosting_month, hosting_day: 30 days, and one, of the production deployment that is asked
            for; None without one, and where no price is known.
        candidate_month, candidate_day: the same of the candidate's, which lives for hours.
        as_of, source: of the price list; `price_age_days` on the day of the estimate.
        budget: within, over, unknown (there is a budget and no price) or none; of the high figure.
        hosting_budget: the same for 30 days of the production deployment.
        notes: sentences that belong beside the figures.
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
    training_type: str = ""
    tokens_cut: int = 0
    hosting_day: float | None = None
    candidate_day: float | None = None
    production_sku: str | None = None
    candidate_sku: str | None = None
    price_age_days: int | None = None
    budget_usd: float | None = None
    budget: str = "none"
    hosting_budget_usd_month: float | None = None
    hosting_budget: str = "none"
    notes: tuple[str, ...] = ()


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
    tokens_cut: int = 0,
    today: date | None = None,
    budget_usd: float | None = None,
    hosting_budget_usd_month: float | None = None,
) -> CostEstimate:
    """Estimate a training on `tokens` tokens an epoch, and 30 days of hosting.

    Validation tokens are not billed. Source: facts 3.2 (tokens of the training file x epochs x
    rate). `tokens_cut` are not among `tokens`; `today` tells how old the prices are.
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

    month, age = _month(production_sku), _age_days(prices["as_of"], today)
    return CostEstimate(
        currency=prices["currency"],
        low=cost(low, factor_low),
        estimate=cost(likely, (factor_low + factor_high) / 2),
        high=cost(high, factor_high),
        epochs_low=low,
        epochs_high=high,
        training_tokens=tokens,
        tokens_cut=tokens_cut,
        training_type=training_type,
        training_usd_per_million=cost_of_a_million(rate, factors),
        hosting_month=month,
        hosting_day=_day(month),
        production_sku=production_sku,
        candidate_month=_month(candidate_sku),
        candidate_day=_day(_month(candidate_sku)),
        candidate_sku=candidate_sku,
        as_of=prices["as_of"],
        source=prices["source"],
        price_age_days=age,
        budget_usd=budget_usd,
        budget=_verdict(cost(high, factor_high), budget_usd),
        hosting_budget_usd_month=hosting_budget_usd_month,
        hosting_budget=_verdict(month, hosting_budget_usd_month) if production_sku else "none",
        message=_message(model, known, training_type),
        notes=tuple(_notes(n_epochs, tokens_cut, production_sku, month, age)),
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


def _day(month: float | None) -> float | None:
    return None if month is None else round(month / 30, 2)


def _age_days(as_of: str, today: date | None) -> int | None:
    return None if today is None else max(0, (today - date.fromisoformat(as_of)).days)


def _verdict(figure: float | None, budget: float | None) -> str:
    if budget is None:
        return "none"
    if figure is None:
        return "unknown"
    return "within" if figure <= budget else "over"


def _notes(
    n_epochs: int | str,
    tokens_cut: int,
    production_sku: str | None,
    hosting_month: float | None,
    age_days: int | None,
) -> Iterator[str]:
    yield "Validation tokens are not billed."
    if not isinstance(n_epochs, int):
        yield (
            "The number of epochs is chosen by the service; the figures bound what it is expected "
            "to choose."
        )
    if tokens_cut:
        yield (
            f"{tokens_cut:,} tokens beyond the model's limit for an example are neither trained on "
            "nor billed."
        )
    if production_sku and hosting_month is None:
        yield f"No price is known for hosting as {production_sku}."
    if age_days is not None and age_days > PRICES_ARE_OLD_AFTER_DAYS:
        yield f"The prices are {age_days} days old: check them before relying on these figures."


def _message(model: str | None, known: bool, training_type: str) -> str:
    if known:
        return ""
    if model is None:
        return "No model is named, so there is no price: name one in fine-tune-job.yaml."
    return f"No price is known for training {model} as {training_type}."

"""What a training costs: tokens, epochs, a dated price list, and honest ignorance."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.domain.cost import CostEstimate, estimate, likely_epochs


def an_estimate(**changed: Any) -> CostEstimate:
    asked: dict[str, Any] = {"model": "gpt-4.1-mini", "tokens": 1_000_000, "examples": 1000}
    return estimate(**(asked | changed))


@pytest.mark.parametrize(
    ("changed", "low", "likely", "high"),
    [
        ({"n_epochs": 1}, 5, 5, 5),
        ({"n_epochs": 3}, 15, 15, 15),
        ({"n_epochs": 3, "tokens": 0}, 0, 0, 0),
        ({}, 10, 15, 15),
        ({"n_epochs": 2, "model": "gpt-4o-2024-08-06"}, 50, 50, 50),
        ({"n_epochs": 1, "training_type": "DeveloperTier"}, 2.5, 2.5, 2.5),
        ({"n_epochs": 1, "training_type": "developerTier"}, 2.5, 2.5, 2.5),
        ({"n_epochs": 1, "training_type": "DataZoneStandard"}, 5, 6.075, 7.15),
        ({"n_epochs": 1, "training_type": "Standard"}, 5.55, 6.35, 7.15),
        ({"training_type": "Standard"}, 11.1, 19.05, 21.45),
    ],
)
def test_training_costs_tokens_times_epochs_times_price(
    changed: Any, low: float, likely: float, high: float
) -> None:
    """Low and high bound what `auto` and the training type leave open."""
    found = an_estimate(**changed)

    assert (found.low, found.estimate, found.high) == (low, likely, high)
    assert found.message == ""


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model": None}, "No model is named"),
        ({"model": "gpt-6"}, "training gpt-6 as GlobalStandard"),
        ({"model": "o4-mini"}, "training o4-mini"),
        ({"training_type": "Fast"}, "gpt-4.1-mini as Fast"),
    ],
)
def test_unknown_price_is_said_and_is_no_number(changed: Any, said: str) -> None:
    """What is not known never looks like nothing."""
    found = an_estimate(**changed)

    assert (found.low, found.estimate, found.high) == (None, None, None)
    assert found.training_usd_per_million is None
    assert said in found.message


@pytest.mark.parametrize(
    ("examples", "epochs"),
    [(0, 3), (1, 25), (10, 10), (33, 3), (34, 3), (1000, 3), (8333, 3), (8334, 2), (30_000, 1)],
)
def test_auto_follows_the_published_heuristic(examples: int, epochs: int) -> None:
    """Three epochs, more for few examples, fewer for many."""
    assert likely_epochs(examples) == epochs


@given(
    st.integers(0, 10**6), st.integers(0, 10**9), st.sampled_from(["Standard", "GlobalStandard"])
)
def test_likeliest_lies_between_low_and_high(examples: int, tokens: int, kind: str) -> None:
    """A budget that holds for the high figure holds."""
    found = an_estimate(examples=examples, tokens=tokens, training_type=kind)

    assert found.low is not None
    assert found.estimate is not None
    assert found.high is not None
    assert 0 <= found.low <= found.estimate <= found.high
    assert 1 <= found.epochs_low <= found.epochs_high <= 25


@pytest.mark.parametrize(
    ("sku", "month"),
    [
        ("GlobalStandard", 1224.0),
        ("globalstandard", 1224.0),
        ("DeveloperTier", 0.0),
        ("ProvisionedManaged", None),
        (None, None),
    ],
)
def test_hosting_is_thirty_days_by_the_hour(sku: str | None, month: float | None) -> None:
    """A SKU without a known price is said to have none, not to be free."""
    found = an_estimate(production_sku=sku, candidate_sku=sku)

    assert (found.hosting_month, found.candidate_month) == (month, month)


def test_estimate_carries_its_date_and_source() -> None:
    """Nobody mistakes a price list for the truth."""
    found = an_estimate()

    assert found.as_of[:2] == "20"
    assert found.source
    assert found.currency == "USD"
    assert CostEstimate.from_payload(found.to_payload()) == found


@pytest.mark.parametrize(
    ("changed", "training", "hosting"),
    [
        ({}, "none", "none"),
        ({"budget_usd": 15.0}, "within", "none"),
        ({"budget_usd": 14.99}, "over", "none"),
        ({"budget_usd": 50.0, "model": "gpt-6"}, "unknown", "none"),
        ({"hosting_budget_usd_month": 0.0}, "none", "none"),
        ({"hosting_budget_usd_month": 0.0, "production_sku": "DeveloperTier"}, "none", "within"),
        ({"hosting_budget_usd_month": 0.0, "production_sku": "Standard"}, "none", "over"),
        ({"hosting_budget_usd_month": 1.0, "production_sku": "Provisioned"}, "none", "unknown"),
    ],
)
def test_budget_is_compared_with_the_high_figure(changed: Any, training: str, hosting: str) -> None:
    """What may be spent at most decides; what has no price is no yes."""
    found = an_estimate(**changed)

    assert (found.budget, found.hosting_budget) == (training, hosting)


def test_hosting_is_told_by_the_day_too() -> None:
    """A day is what a trial costs, a month what production does."""
    found = an_estimate(production_sku="Standard", candidate_sku="DeveloperTier")

    assert (found.hosting_day, found.candidate_day) == (40.8, 0.0)


@pytest.mark.parametrize(("days", "is_said"), [(0, False), (90, False), (91, True)])
def test_old_prices_are_said_to_be_old(days: int, is_said: bool) -> None:
    """After 90 days nobody should rely on the list."""
    listed = date.fromisoformat(an_estimate().as_of)

    found = an_estimate(today=date.fromordinal(listed.toordinal() + days))

    assert found.price_age_days == days
    assert any(f"{days} days old" in note for note in found.notes) is is_said


def test_notes_say_what_is_not_billed_and_what_is_open() -> None:
    """Validation tokens, what is cut, an open number of epochs, a SKU without a price."""
    said = " ".join(an_estimate(tokens_cut=1234, production_sku="Provisioned").notes)

    assert "Validation tokens are not billed." in said
    assert "1,234 tokens beyond" in said
    assert "chosen by the service" in said
    assert "hosting as Provisioned" in said
    assert an_estimate(n_epochs=2).notes == ("Validation tokens are not billed.",)

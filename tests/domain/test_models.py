"""Models and prices: data with a date and a source, complete or honestly open."""

from __future__ import annotations

from datetime import date

import pytest

from droptune.domain.configuration import TRAINING_TYPES
from droptune.domain.models import find_model, is_model, load, model_names
from droptune.validation.tokens.vocabulary import ENCODINGS

ROWS = load("models.json")["models"]


@pytest.mark.parametrize("file", ["models.json", "prices.json"])
def test_data_carries_its_date_and_source(file: str) -> None:
    """Whoever reads a figure can see how old it is and whose."""
    data = load(file)

    assert date.fromisoformat(data["as_of"]).year >= 2026
    assert len(data["source"]) > 20


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_each_model_has_an_encoding_or_says_that_it_has_none(row: dict[str, object]) -> None:
    """Every field is there; an unknown one is null."""
    assert set(row) == {"name", "version", "methods", "encoding", "example_tokens"}
    assert row["methods"]
    assert set(row["methods"]) <= {"supervised", "dpo", "reinforcement"}  # type: ignore[call-overload]
    assert row["example_tokens"] is None or 1000 < row["example_tokens"] < 2**20  # type: ignore[operator]


@pytest.mark.parametrize("encoding", sorted({row["encoding"] for row in ROWS if row["encoding"]}))
def test_each_encoding_can_be_counted_with(encoding: str) -> None:
    """No model names an encoding that the validator lacks."""
    assert encoding in ENCODINGS


def test_no_model_of_today_counts_with_the_encoding_of_yesterday() -> None:
    """gpt-4o and gpt-4.1 use o200k_base, not cl100k_base."""
    old = [row["name"] for row in ROWS if row["encoding"] == "cl100k_base"]

    assert old == ["gpt-35-turbo"]


def test_prices_are_of_known_models_and_types() -> None:
    """A price under a misspelt name would never be found."""
    prices = load("prices.json")

    assert set(prices["training_usd_per_million_tokens"]) <= set(model_names())
    assert all(price > 0 for price in prices["training_usd_per_million_tokens"].values())
    assert sorted(prices["training_type_factor"]) == sorted(TRAINING_TYPES)
    assert all(0 < low <= high < 2 for low, high in prices["training_type_factor"].values())
    assert prices["hosting_usd_per_hour"]["DeveloperTier"] == 0


def test_model_without_a_price_has_none() -> None:
    """Reinforcement is paid by the hour, and previews have no published price."""
    unpriced = set(model_names()) - set(load("prices.json")["training_usd_per_million_tokens"])

    assert {"o4-mini", "gpt-5"} <= unpriced


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("gpt-4.1-mini", "gpt-4.1-mini"),
        ("gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"),
        ("gpt-4.1-mini-2025-04-14.ft-8aad139b19084ebf968c1e58f2dc3326-x", "gpt-4.1-mini"),
        ("gpt-4.1-mini-2025-04-14.ft-8aad:ckpt-step-90", "gpt-4.1-mini"),
        ("ft:gpt-4o-2024-08-06:org:suffix:id", "gpt-4o"),
        ("ministral-3b", "Ministral-3B"),
        ("gpt-4o-2099-01-01", None),
        ("gpt-oss-20b", "gpt-oss-20b"),
        ("gpt-oss-20b-", None),
        ("gpt-4", None),
        ("", None),
    ],
)
def test_model_is_found_by_name_version_or_base(name: str, found: str | None) -> None:
    """A fine-tuned model has the encoding and the price of its base."""
    model = find_model(name)

    assert (model.name if model else None) == found


@pytest.mark.parametrize(
    ("name", "model", "same"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o-2024-11-20", "gpt-4o", True),
        ("GPT-4O", "gpt-4o", True),
        ("gpt-35-turbo-0125", "gpt-35-turbo", True),
        ("gpt-4o-mini", "gpt-4o", False),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o-2024-08-06", "gpt-4o-2024-08-06", True),
        ("gpt-4xo", "gpt-4.o", False),
    ],
)
def test_name_names_a_model_in_every_version(name: str, model: str, same: bool) -> None:
    """What an installation allows, it allows in every version."""
    assert is_model(name, model) is same

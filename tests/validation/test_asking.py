"""A configuration becomes the same request in the app and on the command line."""

from __future__ import annotations

from datetime import date

import pytest

from droptune.domain.configuration import Configuration
from droptune.domain.configuration.document import Pipeline, ValidationChoice
from droptune.validation import ValidationRequest
from droptune.validation.asking import request_for

DAY = date(2026, 2, 3)


def configured(**hyperparameters: object) -> Configuration:
    method = {"type": "dpo", "dpo": {"hyperparameters": hyperparameters}}
    return Configuration(model="gpt-4.1", method=method)


def test_no_configuration_asks_for_a_plan() -> None:
    """Without a configuration only the model that is named and the day are known."""
    request = request_for(None, as_of=DAY, model="gpt-4o")

    assert request == ValidationRequest(as_of=DAY, model="gpt-4o")


def test_model_that_is_named_goes_before_the_configured_one() -> None:
    """The command line decides what tokens are counted for."""
    assert request_for(configured(), as_of=DAY).model == "gpt-4.1"
    assert request_for(configured(), as_of=DAY, model="gpt-4o").model == "gpt-4o"


def test_hyperparameters_of_the_configured_method_are_asked() -> None:
    """All three are known to rules, as they are configured."""
    request = request_for(
        configured(n_epochs=4, batch_size=8, learning_rate_multiplier=0.5), as_of=DAY
    )

    assert request.method == "dpo"
    assert (request.n_epochs, request.batch_size) == (4, 8)
    assert request.learning_rate_multiplier == 0.5


@pytest.mark.parametrize("written", ["auto", -1, True, None])
def test_hyperparameter_that_is_no_number_is_auto(written: object) -> None:
    """What is not configured is the service's to choose."""
    request = request_for(configured(batch_size=written), as_of=DAY)

    assert request.batch_size == "auto"


def test_what_is_silenced_raised_and_allowed_is_asked() -> None:
    """Every word of `pipeline.validation` reaches the rules."""
    chosen = ValidationChoice(
        min_examples=20, ignore=("bom",), raised=("blank-line",), allow=("@contoso.com",)
    )
    configuration = Configuration(pipeline=Pipeline(validation=chosen))

    request = request_for(configuration, as_of=DAY)

    assert (request.min_examples, request.ignore) == (20, ("bom",))
    assert (request.raised, request.allowed) == (("blank-line",), ("@contoso.com",))

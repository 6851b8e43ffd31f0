"""No regular expression blows up: four times the text costs about four times the work."""

from __future__ import annotations

import math
import re
import time
from itertools import islice
from typing import Any

import pytest

from droptune.validation.samples import _LOOKED_AT
from tests.security.patterns import Expression, attacks, expressions

FEW = (*range(12, 40, 2), 48, 64, 80, 100, 130, 160, 200, 250)
SIZES = (1_000, 4_000, 16_000, 64_000)
MOST_GROWTH = 8  # for 4 times the text; 4 is linear, 16 quadratic
NOTICEABLE_SECONDS = 0.02  # below that growth costs nobody anything, and is not measurable
# What grows faster, and is asked of so many characters at most.
BOUNDED = {
    ("droptune.validation.rules.answer_ends", r"[^\W\d_]+\Z"): 40,  # the end of an answer
    ("droptune.validation.masking", "-----BEGIN"): _LOOKED_AT,  # what is shown of a line
}


def longest(expression: Expression) -> int:
    """Return how long a text an expression is ever asked of; the longest measured, if any."""
    for (where, begin), most in BOUNDED.items():
        if where == expression.where and str(expression.pattern.pattern).startswith(begin):
            return most
    return SIZES[-1]


def seconds(expression: Expression, text: str) -> float:
    """Return the processor's time for a search, the better of two."""
    asked: Any = text.encode("latin-1", "replace") if is_bytes(expression.pattern) else text

    def once() -> float:
        began = time.process_time()
        if expression.only_at_start:
            expression.pattern.match(asked)
        else:
            list(islice(expression.pattern.finditer(asked), 100))
        return time.process_time() - began

    first = once()
    return min(first, once()) if first > NOTICEABLE_SECONDS else first


def is_bytes(pattern: re.Pattern[Any]) -> bool:
    return isinstance(pattern.pattern, bytes)


def growth(expression: Expression, made: tuple[str, str, str]) -> float:
    """Return how much more work four times the text is, at worst; endless for a few characters that
    take noticeably long: that doubles with each."""
    begin, pump, end = made
    for few in FEW:
        if seconds(expression, begin + pump * max(1, few // len(pump)) + end) > NOTICEABLE_SECONDS:
            return math.inf
    worst, before = 0.0, 0.0
    for size in (size for size in SIZES if size <= longest(expression)):
        taken = seconds(expression, begin + pump * (size // len(pump)) + end)
        if before and taken > NOTICEABLE_SECONDS:
            worst = max(worst, taken / max(before, 1e-5))
        if worst > MOST_GROWTH or taken > 10 * NOTICEABLE_SECONDS:
            break
        before = taken
    return worst


@pytest.mark.parametrize("expression", expressions(), ids=str)
def test_expression_never_blows_up(expression: Expression) -> None:
    """Whatever text is made for it: each repetition pumped, then something that does not fit."""
    bad = [made for made in attacks(expression.pattern) if growth(expression, made) > MOST_GROWTH]

    assert bad == []


@pytest.mark.parametrize("pattern", [r"(a+)+\Z", r"(a|aa)+b", r"(\w+\s?)*!", r"\s+\Z", r"a+b"])
def test_expression_that_blows_up_is_found(pattern: str) -> None:
    """Else the test above could not fail."""
    expression = Expression("here", re.compile(pattern))

    found = any(growth(expression, made) > MOST_GROWTH for made in attacks(expression.pattern))

    assert found


def test_expressions_of_rules_and_configuration_are_all_found() -> None:
    """Those that modules hold, in tables too, and those that are written where they are used."""
    places = {expression.where for expression in expressions()}

    assert len(expressions()) >= 80
    assert {
        "droptune.domain.configuration.secrets",
        "droptune.validation.rules.secret_patterns",
        "droptune.validation.rules.email_patterns",
        "droptune.validation.yaml_scalars",
        "droptune.api.bodies",
        "droptune.adapters.failures",
    } <= places

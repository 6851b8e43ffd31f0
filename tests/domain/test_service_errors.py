"""Every recorded error of the service is recognised, and what is not is named so."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from droptune.domain.models import load
from droptune.domain.service_errors import (
    LONGEST_KEPT,
    UNKNOWN,
    Retry,
    explain,
    explain_error,
    kinds_that_fit,
)

KINDS = load("service_errors.json")["kinds"]
RECORDED = [
    pytest.param(kind, each, id=f"{kind['code']}-{number}")
    for kind in KINDS
    for number, each in enumerate(kind["recorded"])
]


@pytest.mark.parametrize(("kind", "recorded"), RECORDED)
def test_recorded_error_is_recognised(kind: Mapping[str, Any], recorded: Mapping[str, Any]) -> None:
    """Each answer on record leads to the row that was made from it, and to no other."""
    error = explain(recorded["status"], recorded["body"])

    assert error.code == kind["code"]
    assert error.is_known
    assert (error.cause, error.remedy) == (kind["cause"], kind["remedy"])
    assert error.kept == ""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["code"])
def test_every_row_says_cause_remedy_and_source(kind: Mapping[str, Any]) -> None:
    """A row is made from something that was seen, and tells a person what to do."""
    assert kind["cause"].endswith(".")
    assert kind["remedy"].endswith(".")
    assert kind["retry"] in list(Retry)
    assert kind.get("codes") or kind.get("says")
    assert kind["recorded"]
    for recorded in kind["recorded"]:
        assert recorded["source"]
        assert recorded["seen"] in ("body", "text", "code")


def test_table_is_made_from_at_least_45_recorded_answers() -> None:
    """Whole bodies as their sources show them, each counted once; not texts, not codes alone."""
    recorded = [each for kind in KINDS for each in kind["recorded"]]
    bodies = {json.dumps(each["body"], sort_keys=True) for each in recorded if is_whole(each)}

    assert len(bodies) >= 45
    assert len({kind["code"] for kind in KINDS}) == len(KINDS)


def is_whole(recorded: Mapping[str, Any]) -> bool:
    return bool(recorded["seen"] == "body")


@pytest.mark.parametrize(("kind", "recorded"), RECORDED)
def test_recorded_error_fits_one_row_alone(
    kind: Mapping[str, Any], recorded: Mapping[str, Any]
) -> None:
    """The order of the table decides nothing about what was seen: no row takes another's."""
    assert kinds_that_fit(recorded["status"], recorded["body"]) == [kind["code"]]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["code"])
def test_no_row_stands_in_the_shadow_of_an_earlier_one(kind: Mapping[str, Any]) -> None:
    """Whatever a row says that it takes, it gets: each of its codes with each of its texts."""
    codes = kind.get("codes") or ["Whatever"]
    texts = kind.get("says") or ["Whatever the service says."]
    statuses = kind.get("statuses") or [None]
    asked = [
        explain(status, {"code": code, "message": text.replace("*", " and then ")})
        for status in statuses
        for code in codes
        for text in texts
    ]

    assert {error.code for error in asked} == {kind["code"]}


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        (400, Retry.NO),
        (402, Retry.NO),
        (404, Retry.NO),
        (408, Retry.SOON),
        (409, Retry.SOON),
        (429, Retry.WAIT),
        (500, Retry.SOON),
        (599, Retry.SOON),
        (None, Retry.NO),
    ],
)
def test_unknown_error_is_treated_by_its_status_and_kept_whole(
    status: int | None, retry: Retry
) -> None:
    """What nobody has seen is named so, with everything that was said."""
    body = {"error": {"code": "Teapot", "message": "short and stout", "extra": [1, {"a": None}]}}

    error = explain(status, body)

    assert (error.code, error.retry) == (UNKNOWN, retry)
    assert not error.is_known
    assert "not known" in error.cause
    assert "Teapot" in error.cause
    assert json.loads(error.kept) == body
    assert (error.service_code, error.service_message) == ("Teapot", "short and stout")


@pytest.mark.parametrize(
    "body",
    [
        None,
        "",
        "<html>Bad gateway</html>",
        [],
        [1, "x", None],
        {},
        {"error": None},
        {"error": "a text"},
        {"error": {"code": 7, "message": {"a": 1}}},
        {"error": {"details": "text", "innererror": []}},
        17,
    ],
)
def test_answer_of_any_shape_is_read(body: object) -> None:
    """A gateway may answer anything; the worst is an unknown error."""
    assert explain(502, body).code == UNKNOWN


def test_first_row_that_fits_the_innermost_error_wins() -> None:
    """The reason often lies in the details of a wrapper."""
    inner = {"code": "Outer", "message": "", "details": [{"code": "RequestConflict"}]}
    wrapped = {"error": {"code": "DeploymentFailed", "message": "see details", "details": [inner]}}

    assert explain(409, wrapped).code == "account-busy"


def test_status_of_another_class_is_another_error() -> None:
    """The same words under another status are not the same error."""
    body = {"error": {"code": "429", "message": "Rate limit is exceeded. Try again in 2 seconds."}}

    assert explain(429, body).code == "rate-limit"
    assert explain(400, body).code == UNKNOWN


def test_error_of_a_job_is_recognised_without_a_status() -> None:
    """A job that failed tells its reason in the same words."""
    message = "The provided training data failed RAI checks for harm types: [violence]."

    assert explain_error("", message).code == "data-harmful"


def test_endless_answer_is_cut_and_costs_little() -> None:
    """Neither depth, width nor length of an answer makes it expensive to read."""
    deep: Any = {"code": "x"}
    for _ in range(10_000):
        deep = {"error": deep}
    wide = {"error": {"code": "x", "details": [{"code": "y"}] * 100_000}}
    long = {"error": {"code": "x", "message": "have exceeded " * 200_000}}

    started = time.process_time()
    errors = [explain(418, "x" * 1_000_000), explain(429, wide), explain(429, long)]
    errors.append(explain(418, deep))

    assert time.process_time() - started < 5
    assert {error.code for error in errors} == {UNKNOWN}
    assert all(0 < len(error.kept) <= LONGEST_KEPT for error in errors)

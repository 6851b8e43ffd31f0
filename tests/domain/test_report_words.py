"""A report in words: amounts, counts, verdicts, places."""

from __future__ import annotations

from typing import Any

import pytest

from droptune.domain.report.grouping import group
from droptune.domain.report.wording import dollars, figure, number_of, span, verdict


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (None, "not known"),
        (0, "$0.00"),
        (0.00001, "under $0.0001"),
        (0.0042, "$0.0042"),
        (1.5, "$1.50"),
        (1224, "$1,224.00"),
    ],
)
def test_amount_says_something_however_small(amount: float | None, text: str) -> None:
    """Not known never looks like nothing."""
    assert dollars(amount) == text


@pytest.mark.parametrize(
    ("low", "high", "text"), [(1, 2, "$1.00 to $2.00"), (1, 1.001, "$1.00"), (0, 0, "$0.00")]
)
def test_span_that_looks_the_same_is_one_amount(low: float, high: float, text: str) -> None:
    """Two equal figures would say nothing more."""
    assert span(low, high) == text


@pytest.mark.parametrize(
    ("value", "text"), [(15.0, "15"), (15.04, "15"), (1234.56, "1,234.6"), (0, "0")]
)
def test_figure_has_a_digit_only_where_it_needs_one(value: float, text: str) -> None:
    """Whole figures are whole."""
    assert figure(value) == text


def test_count_agrees_with_its_noun() -> None:
    """One is one."""
    assert (number_of(1, "error"), number_of(0, "error")) == ("1 error", "0 errors")


def a_finding(severity: str = "error", **more: Any) -> dict[str, Any]:
    said = {"rule": "a-rule", "severity": severity, "message": "It is bad.", "fix": "Mend it."}
    return said | {"file": None, "line": None, "count": 1} | more


def a_document(*findings: dict[str, Any], accepted: bool = False) -> dict[str, Any]:
    return {
        "verdict": "accept" if accepted else "reject",
        "files": [{"examples": 7}, {"examples": 3}],
        "findings": list(findings),
    }


@pytest.mark.parametrize(
    ("document", "text"),
    [
        (a_document(accepted=True), "Accepted: no error, no warning in 10 examples."),
        (
            a_document(a_finding("warning", count=4), accepted=True),
            "Accepted: 4 warnings in 10 examples.",
        ),
        (
            a_document(a_finding(count=3), a_finding("warning"), a_finding("info")),
            "Rejected: 3 errors and 1 warning in 10 examples.",
        ),
    ],
)
def test_verdict_is_a_sentence_with_its_reason(document: dict[str, Any], text: str) -> None:
    """Places are counted, not rules; notes are no reason."""
    assert verdict(document) == text


def test_findings_are_grouped_by_rule_and_remedy_worst_first() -> None:
    """One act of mending is one group."""
    other, note = a_finding(fix="Do otherwise."), a_finding("info", rule="b-rule")

    found = group(a_document(note, a_finding(), other, a_finding()))

    assert [(each.severity, each.fix, each.count) for each in found] == [
        ("error", "Mend it.", 2),
        ("error", "Do otherwise.", 1),
        ("info", "Mend it.", 1),
    ]


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([3], "line 3: x."),
        ([3, 4], "lines 3, 4: x."),
        ([3, 4, 5], "lines 3-5: x."),
        ([1, 3, 4, 5, 6, 9], "lines 1, 3-6, 9: x."),
        ([1200, 1201, 1202], "lines 1,200-1,202: x."),
    ],
)
def test_lines_in_a_row_are_a_span(lines: list[int], text: str) -> None:
    """Three or more; the same sentence stands once."""
    findings = [a_finding(message=f"line {line}: x.", line=line, file="f") for line in lines]

    [found] = group(a_document(*findings))

    assert [str(each) for each in found.places()] == [text]


def test_same_sentence_of_two_files_stands_twice() -> None:
    """A line belongs to its file."""
    findings = [a_finding(message="line 1: x.", line=1, file=name) for name in ("a", "b")]

    [found] = group(a_document(*findings))

    assert [each.file for each in found.places()] == ["a", "b"]

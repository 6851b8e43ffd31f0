"""No finding shows a secret or a person's data, wherever it stands in a line, in no format."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from droptune.api.pages.report_page import render_report
from droptune.domain.payload import Payload
from droptune.validation import render_text, validate
from droptune.validation.formats.github import job_summary, summary_line, workflow_commands
from droptune.validation.formats.sarif import to_sarif
from droptune.validation.masking import MASK
from droptune.validation.report import ValidationRequest
from droptune.validation.rules import RULES
from droptune.validation.rules.quoting import quoted, shown
from droptune.validation.rules.registry import Case, Rule
from droptune.validation.samples import read_samples
from tests.validation.rules.fixture_runs import sources_of
from tests.validation.rules.planting import planted

KEY = "ghp_x7Kq2mZ9vT4bWnR8sYd3LfHj6Pc1Ga5UeQ0o"
ADDRESS = "maria.lindqvist@nordhavn-bygg.se"
QUOTING = {  # rules that quote what stands in the data
    "unknown-role",
    "unknown-key",
    "duplicate-key",
    "unknown-tool",
    "answer-without-call",
    "bad-tool-name",
    "duplicate-tool",
    "tools-differ",
    "repeated-openings",
    "class-imbalance",
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


def document_on(given: Case) -> Payload:
    sources = sources_of(given)
    report = validate(sources, request=ValidationRequest(**given.request))
    return replace(report, samples=read_samples(sources, report.findings)).to_payload()


def in_all_formats(document: Payload) -> str:
    paths = {file["name"]: f"data/{file['name']}" for file in document["files"]}
    return "\n".join(
        [
            json.dumps(document, ensure_ascii=False),
            render_text(document, colour=False),
            json.dumps(to_sarif([(document, paths)], version="1"), ensure_ascii=False),
            workflow_commands(document, paths),
            summary_line(document),
            job_summary(document),
            render_report(document),
        ]
    )


def parts(secret: str) -> set[str]:
    """Return every stretch of ten characters: half a key is too much."""
    return {secret[at : at + 10] for at in range(len(secret) - 9)}


@every_rule
@pytest.mark.parametrize("secret", [KEY, ADDRESS], ids=["key", "address"])
def test_secret_in_any_value_or_key_is_in_no_output(rule: Rule, secret: str) -> None:
    """Whatever a rule's bad example holds, text, JSON, SARIF, GitHub and HTML leave it out."""
    fails, _ = rule.cases()

    documents = [document_on(given) for given in planted(fails, secret)]

    said = "\n".join(json.dumps(each, ensure_ascii=False) for each in documents)
    assert not [part for part in parts(secret) if part in said]
    speaking = [each for each in documents if says(each, rule.id)]
    for document in (*documents[:1], *speaking[:2]):
        assert not [part for part in parts(secret) if part in in_all_formats(document)]
    if rule.id in QUOTING:
        assert any(MASK in said for each in speaking for said in says(each, rule.id))


def test_secret_among_the_keys_of_json_answers_is_in_no_output() -> None:
    """The keys of an answer that is JSON are data, too."""
    fails, _ = RULES["odd-json-keys"].cases()
    *good, bad = fails.training
    told = json.loads(json.dumps(bad).replace("topics", KEY))

    document = document_on(replace(fails, training=(*good, told)))

    [said] = says(document, "odd-json-keys")
    assert MASK in said
    assert not [part for part in parts(KEY) if part in in_all_formats(document)]


def says(document: Payload, rule: str) -> list[str]:
    return [each["message"] for each in document["findings"] if each["rule"] == rule]


def test_quoted_text_is_masked_before_it_is_cut() -> None:
    """Half a secret cannot be told from text, so none is made."""
    assert shown(f"name {KEY}", 20) == f"name ghp_{MASK}"
    assert "ghp_" not in shown("y" * 3_990 + f" {KEY}", 4_000)
    assert shown("z " * 5_000, 8) == "z z z z "


def test_quoted_text_is_printable() -> None:
    """A terminal's escapes and line breaks of the data are escaped."""
    assert quoted("a\x1b[2J\nb") == r"'a\x1b[2J\nb'"

"""What holds for every rule there is."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from droptune.domain.findings import Severity
from droptune.validation.rule_page import rule_page
from droptune.validation.rules import FAMILIES, RULES
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Kind, Rule, case
from tests.validation.rules.fixture_runs import report_on

PAGE = Path(__file__).parents[3] / "docs" / "rules.md"
COOKBOOK = {
    "data_type",
    "missing_messages_list",
    "message_missing_key",
    "message_unrecognized_key",
    "unrecognized_role",
    "missing_content",
    "example_missing_assistant_message",
}
every_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())


@every_rule
def test_failing_fixture_makes_the_rule_speak(rule: Rule) -> None:
    """Each rule speaks of its failing fixture, with its severity, a sentence and a remedy."""
    fails, _ = rule.cases()

    found = [each for each in report_on(fails).findings if each.rule == rule.id]

    assert found
    assert {each.severity for each in found} == {rule.severity}
    assert all(each.message.endswith((".", "?", "!")) and each.fix for each in found)


@every_rule
def test_passing_fixture_leaves_the_rule_silent(rule: Rule) -> None:
    """Each rule has nothing to say of its passing fixture."""
    _, passes = rule.cases()

    assert rule.id not in [each.rule for each in report_on(passes).findings]


@every_rule
def test_rule_is_told_in_a_sentence(rule: Rule) -> None:
    """An id is kebab-case; what a rule says and what would be right are whole sentences."""
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
    assert rule.says.endswith(".")
    assert rule.fix
    assert rule.check.__doc__ or rule.kind in (Kind.LINE, Kind.EXAMPLE)


@every_rule
def test_rule_on_lines_is_asked_only_where_it_may_speak(rule: Rule) -> None:
    """A rule on lines' bytes names its signs or waits for faults: no line costs more."""
    assert rule.kind is not Kind.LINE or rule.faulty_only or rule.signs


def test_cookbook_error_classes_all_have_a_rule() -> None:
    """Whoever knows the cookbook's checks finds each of them again."""
    assert {rule.cookbook for rule in RULES.values() if rule.cookbook} == COOKBOOK


def test_families_hold_every_rule_once() -> None:
    """No rule is lost, none is there twice."""
    declared = [rule.id for family in FAMILIES for rule in family.rules]

    assert declared == list(RULES)


def test_page_of_rules_is_current() -> None:
    """docs/rules.md says what the registry says: `python -m droptune.validation.rule_page`."""
    assert PAGE.read_text("utf-8") == rule_page()


@pytest.mark.parametrize(
    "rule", [rule for rule in RULES.values() if rule.severity is Severity.INFO], ids=lambda r: r.id
)
def test_style_is_one_statistic_a_file(rule: Rule) -> None:
    """However often a file has a habit, it is told of once, and of the file as a whole."""
    fails, _ = rule.cases()
    often = replace(fails, training=fails.training * 3 if len(fails.training) > 1 else ())

    for given in (fails, often):
        found = [each for each in report_on(given).findings if each.rule == rule.id]
        assert len(found) <= 1
        assert all(each.line is None and each.path is None for each in found)


def test_blank_lines_are_counted_and_the_first_is_named() -> None:
    """One sentence says how many there are, and where to look."""
    good = chat(user(), assistant())

    report = report_on(case(good, b"", good, b" ", b"\t"))

    [found] = [each for each in report.findings if each.rule == "blank-line"]
    assert (found.message, found.count) == ("Blank lines: 3, the first is line 2.", 3)

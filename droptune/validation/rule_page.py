"""The page of rules, written from the registry: `python -m droptune.validation.rule_page`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.rules import RULES
from droptune.validation.rules.registry import Rule

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
MEASURED = PAGE.with_name("rules-measured.json")
_HEAD = """# Rules

What `droptune validate`, and every run before it spends anything, looks at. An *error* is what the
service would refuse, or what would make the spend void; heuristics are at most a *warning*; *info*
is style. `pipeline.validation.ignore` silences warnings and infos by id, and the report says so;
`pipeline.validation.raise` makes a rule one severity worse. Each rule lists up to twenty places and
counts all.

This page is written from the registry by `python -m droptune.validation.rule_page`.
"""
_HELD_OUT_HEAD = """## The same of lines that were held out

{lines:,} lines more, {hostile:,} of them with something wrong, were written after the rules, from
the sentences above, and marked before the first run; no rule is tuned to them. They measure
{measured} of {loud} errors and warnings. The first run showed two faults, which were mended: short
answers that differ to one question were called near duplicates besides the contradiction that they
are, and plain chats passed where preference pairs were configured. One mark was wrong: a name that
is a number is no text. The misses in the table are as they were.
"""
_MEASURED_HEAD = """## Precision and recall

Errors and warnings, measured by `python -m tests.validation.corpus` on a labelled corpus of our
own: {lines:,} different lines, {hostile:,} of them with something wrong, the others alike and
innocent. Precision is the share of findings that are right, recall the share of faults that are
found. The corpus is small and its authors knew the rules: read the figures as what the rules are
meant to tell apart, not as a promise for your data.
"""


def rule_page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_families(), *_measured()])


def _families() -> Iterator[str]:
    for family, rules in groupby(RULES.values(), key=lambda rule: rule.family):
        yield f"## {family.capitalize() if family != 'dpo' else 'Preference pairs'}\n"
        yield "| rule | severity | says | what would be right |"
        yield "| --- | --- | --- | --- |"
        yield from (_row(rule) for rule in rules)
        yield ""


def _row(rule: Rule) -> str:
    cookbook = f" (cookbook: `{rule.cookbook}`)" if rule.cookbook else ""
    only = f" Only {', '.join(rule.formats)}." if rule.formats else ""
    says = f"{rule.says}{only}{cookbook}"
    return f"| `{rule.id}` | {rule.severity.value} | {_cell(says)} | {_cell(rule.fix)} |"


def _measured() -> Iterator[str]:
    """Yield what the labelled corpus says of each rule, where it was measured."""
    if not MEASURED.is_file():
        return
    found = json.loads(MEASURED.read_text("utf-8"))
    yield _MEASURED_HEAD.format(**found)
    yield from _score_table(found)
    held_out = found["held_out"]
    loud = sum(rule.severity is not Severity.INFO for rule in RULES.values())
    yield _HELD_OUT_HEAD.format(**held_out, measured=len(held_out["rules"]), loud=loud)
    yield from _score_table(held_out)


def _score_table(found: Mapping[str, Any]) -> Iterator[str]:
    yield "| rule | right | false alarms | missed | precision | recall |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: |"
    for rule in RULES:
        if score := found["rules"].get(rule):
            yield _score_row(rule, score)
    yield ""


def _score_row(rule: str, score: Mapping[str, int]) -> str:
    hits, alarms, misses = score["hits"], score["alarms"], score["misses"]
    precision, recall = _share(hits, hits + alarms), _share(hits, hits + misses)
    return f"| `{rule}` | {hits} | {alarms} | {misses} | {precision} | {recall} |"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(rule_page(), encoding="utf-8")

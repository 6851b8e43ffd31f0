"""The page of rules, written from the registry: `python -m droptune.validation.rule_page`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from droptune.validation.rules import RULES
from droptune.validation.rules.registry import Rule

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
_HEAD = """# Rules

What `droptune validate`, and every run before it spends anything, looks at. An *error* is what the
service would refuse, or what would make the spend void; heuristics are at most a *warning*; *info*
is style. `pipeline.validation.ignore` silences warnings and infos by id, and the report says so;
`pipeline.validation.raise` makes a rule one severity worse. Each rule lists up to twenty places and
counts all.

This page is written from the registry by `python -m droptune.validation.rule_page`.
"""


def rule_page() -> str:
    """Return the page."""
    return "\n".join([_HEAD, *_families()])


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


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(rule_page(), encoding="utf-8")

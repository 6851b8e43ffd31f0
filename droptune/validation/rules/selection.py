"""Which rules are asked of what: sorted once, so that a line costs only what it needs."""

from __future__ import annotations

from typing import Any

from droptune.validation.rules.example import Asked
from droptune.validation.rules.registry import Kind, Rule


class Selection:
    """The rules that apply to a dataset, by what they are asked of.

    Attributes:
        asked: how the dataset shall be read.
        faulty: of lines that hold no valid object.
        line: of lines that hold one of their signs.
        plain: of every example.
        odd: of examples that hold more than plain text.
        sought: of examples whose line holds one of their signs.
        states: what has to be gathered over each file.
        gathered: those of them that are shown every example.
        found: those that are shown examples whose line holds one of their signs.
    """

    def __init__(self, rules: tuple[Rule, ...], asked: Asked) -> None:
        """Sort the rules that apply."""
        self.asked = asked
        families = asked.request.families
        self.rules = tuple(
            rule
            for rule in rules
            if rule.applies_to(asked.format) and (not families or rule.family in families)
        )
        self.start = self._of(Kind.START)
        lines, examples = self._of(Kind.LINE), self._of(Kind.EXAMPLE)
        self.faulty = tuple(rule for rule in lines if rule.faulty_only)
        self.line = tuple(rule for rule in lines if not rule.faulty_only)
        self.sought = tuple(rule for rule in examples if rule.signs)
        rest = [rule for rule in examples if not rule.signs]
        is_chat = asked.format == "supervised"  # of other formats no plain example is as it should
        self.plain = tuple(rule for rule in rest if not (rule.odd_only and is_chat))
        self.odd = tuple(rest)
        self.file, self.dataset = self._of(Kind.FILE), self._of(Kind.DATASET)
        wanted = [state for rule in (*self.file, *self.dataset) for state in rule.states]
        self.states: tuple[type[Any], ...] = tuple(dict.fromkeys(wanted))
        self.found = tuple(state for state in self.states if hasattr(state, "signs"))
        self.gathered = tuple(state for state in self.states if state not in self.found)

    def _of(self, kind: Kind) -> tuple[Rule, ...]:
        return tuple(rule for rule in self.rules if rule.kind is kind)

"""How the corpus is written: lines with marks, and the small datasets that they form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from droptune.validation.rules.fixtures import assistant, chat, system, user

Line = Mapping[str, Any] | bytes


@dataclass(frozen=True, slots=True)
class Marked:
    """A line and the rules, errors and warnings, that shall speak of it."""

    line: Line
    rules: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scene:
    """A small dataset with marks.

    Attributes:
        name: says what it is about.
        request: fields of ValidationRequest.
        whole: rules that shall speak of a file or the dataset, without a line.
    """

    name: str
    training: Sequence[Marked]
    validation: Sequence[Marked] = ()
    test: Sequence[Marked] = ()
    request: Mapping[str, Any] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()

    def lines(self) -> Sequence[Marked]:
        """Return the lines of all files."""
        return (*self.training, *self.validation, *self.test)


def good(line: Line) -> Marked:
    """Return a line of which no rule shall speak."""
    return Marked(line)


def bad(line: Line, *rules: str) -> Marked:
    """Return a line of which exactly these rules shall speak."""
    return Marked(line, frozenset(rules))


def qa(question: str, answer: str, prompt: str | None = None) -> dict[str, Any]:
    """Return a question and its answer, with a system prompt if one is given."""
    return chat(*([system(prompt)] if prompt else []), user(question), assistant(answer))

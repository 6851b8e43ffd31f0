"""Compares what the engine says of the corpus with the marks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.rules.registry import Case
from tests.validation.corpus.scene import Line, Marked, Scene
from tests.validation.rules.fixture_runs import report_on

Spot = tuple[str, str | None, int | None]


@dataclass(frozen=True, slots=True)
class Score:
    """How often a rule spoke where it should, where it should not, and was silent where it should.

    Attributes:
        hits, alarms, misses: true positives, false positives, false negatives.
    """

    hits: int
    alarms: int
    misses: int

    @property
    def precision(self) -> float | None:
        """The share of findings that are right; None if there is none."""
        said = self.hits + self.alarms
        return self.hits / said if said else None

    @property
    def recall(self) -> float | None:
        """The share of marks that are found; None if there is none."""
        meant = self.hits + self.misses
        return self.hits / meant if meant else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One scene: what was meant, and what was said; spots are (rule, file, line)."""

    name: str
    meant: frozenset[Spot]
    said: frozenset[Spot]


def compare(scene: Scene) -> Comparison:
    """Return what was meant and what the whole engine says."""
    given = Case(
        training=_lines(scene.training),
        validation=_lines(scene.validation),
        test=_lines(scene.test),
        request=scene.request,
    )
    loud = (Severity.ERROR, Severity.WARNING)
    findings = [each for each in report_on(given).findings if each.severity in loud]
    said = frozenset((each.rule, each.file if each.line else None, each.line) for each in findings)
    return Comparison(scene.name, frozenset(_meant(scene)), said)


def _lines(marked: Iterable[Marked]) -> tuple[Line, ...]:
    return tuple(each.line for each in marked)


def _meant(scene: Scene) -> Iterator[Spot]:
    for role, marked in (
        ("training", scene.training),
        ("validation", scene.validation),
        ("test", scene.test),
    ):
        for number, each in enumerate(marked, 1):
            for rule in each.rules:
                yield rule, f"{role}.jsonl", number
    for rule in scene.whole:
        yield rule, None, None


def scores(comparisons: Iterable[Comparison]) -> dict[str, Score]:
    """Return the score of each rule that was meant or said."""
    hits, alarms, misses = Counter[str](), Counter[str](), Counter[str]()
    for each in comparisons:
        hits.update(rule for rule, _, _ in each.meant & each.said)
        alarms.update(rule for rule, _, _ in each.said - each.meant)
        misses.update(rule for rule, _, _ in each.meant - each.said)
    rules = sorted({*hits, *alarms, *misses})
    return {rule: Score(hits[rule], alarms[rule], misses[rule]) for rule in rules}


def count_lines(scenes: Iterable[Scene]) -> tuple[int, int]:
    """Return how many different lines are marked, and how many of them are hostile."""
    marks: dict[str, bool] = {}
    for scene in scenes:
        for each in scene.lines():
            key = each.line.hex() if isinstance(each.line, bytes) else json.dumps(each.line)
            marks[key] = marks.get(key, False) or bool(each.rules)
    return len(marks), sum(marks.values())


def document(scenes: Iterable[Scene], held_out: Iterable[Scene]) -> dict[str, Any]:
    """Return what docs/rules-measured.json says: of the corpus, and of what is held out."""
    return _measured(tuple(scenes)) | {"held_out": _measured(tuple(held_out))}


def _measured(scenes: tuple[Scene, ...]) -> dict[str, Any]:
    lines, hostile = count_lines(scenes)
    measured = scores(map(compare, scenes))
    return {
        "lines": lines,
        "hostile": hostile,
        "rules": {
            rule: {"hits": each.hits, "alarms": each.alarms, "misses": each.misses}
            for rule, each in measured.items()
        },
    }

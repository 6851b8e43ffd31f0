"""Preference pairs in which the preferred answer is nearly always the longer one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from droptune.domain.findings import Severity
from droptune.validation.rules.example import OUTPUTS, Example, FileView
from droptune.validation.rules.fixtures import assistant, pair
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.turns import content_text

rules = Family("consistency")
_LEAST_PAIRS, _BIASED, _FACTOR = 30, 0.9, 1.5
LONGER = tuple(
    pair([assistant(f"Answer {at}, told at length, with all reasons.")], [assistant(f"No {at}.")])
    for at in range(40)
)


class PairLengths:
    """How long the two sides of preference pairs are, in characters."""

    def __init__(self) -> None:
        """Begin with none."""
        self.pairs = self.longer = self.shorter = self.preferred = self.other = 0

    def add(self, example: Example) -> None:
        """Take a pair in."""
        sides = [example.value.get(name) for name in OUTPUTS]
        if not all(type(side) is list and side for side in sides):
            return
        preferred, other = (
            sum(len(content_text(each)) for each in side or () if type(each) is dict)
            for side in sides
        )
        if preferred and other:
            self.pairs += 1
            self.longer += preferred > other
            self.shorter += preferred < other
            self.preferred += preferred
            self.other += other

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self.pairs += later.pairs
        self.longer += later.longer
        self.shorter += later.shorter
        self.preferred += later.preferred
        self.other += later.other


@rules.file(
    "length-bias",
    Severity.WARNING,
    says="Nearly all preferred answers are much longer, or much shorter, than the others: the "
    "model may learn the length alone.",
    fix="Add pairs in which the preferred answer is not the longer (or shorter) one.",
    formats=("dpo",),
    states=(PairLengths,),
    fails=case(*LONGER, method="dpo"),
    passes=case(*LONGER[:20], *(pair([assistant("Yes.")]) for _ in range(20)), method="dpo"),
)
def length_bias(file: FileView) -> Iterator[Place]:
    """Yield a place if nine in ten pairs lean to one side, by half as much again."""
    state = file.state(PairLengths)
    if state.pairs < _LEAST_PAIRS:
        return
    for way, count, ratio in (
        ("longer", state.longer, state.preferred / state.other),
        ("shorter", state.shorter, state.other / state.preferred),
    ):
        if count >= _BIASED * state.pairs and ratio >= _FACTOR:
            said = f"the preferred answer is {way} in {count:,} of {state.pairs:,} pairs"
            yield Place(message=f"{said}, {ratio:.1f} times on average")

"""Findings as they come: twenty places for each rule and file, then a count."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from droptune.validation.rules.quoting import shown
from droptune.validation.rules.registry import Place

LISTED = 20
_LONGEST_MESSAGE, _LONGEST_PATH = 600, 200


@dataclass(slots=True)
class RuleTally:
    """What one rule said of one file, or of a part of it."""

    count: int = 0
    places: list[Place] = field(default_factory=list)


class Tally:
    """What all rules said of a file; merging two gives what they say of both parts."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.rules: dict[str, RuleTally] = {}

    def add(self, rule: str, place: Place, line: int | None) -> None:
        """Take in what a rule said; `line` stands where the place names none."""
        found = self.rules.get(rule)
        if found is None:
            found = self.rules[rule] = RuleTally()
        found.count += place.count
        if len(found.places) < LISTED:
            found.places.append(_bounded(place, line))

    def add_many(self, rule: str, line: int, count: int, place: Place) -> None:
        """Take in the same of `count` lines, from `line` on."""
        for at in range(min(count, LISTED)):
            self.add(rule, place, line + at)
        if count > LISTED:
            self.rules[rule].count += count - LISTED

    def merge(self, later: Tally, lines: int) -> None:
        """Take in what was said of the part that follows after `lines` lines."""
        for rule, more in later.rules.items():
            found = self.rules.setdefault(rule, RuleTally())
            found.count += more.count
            room = LISTED - len(found.places)
            found.places += [_moved(place, lines) for place in more.places[:room]]


def _bounded(place: Place, line: int | None) -> Place:
    return replace(
        place,
        message=place.message[:_LONGEST_MESSAGE],
        path=shown(place.path, _LONGEST_PATH) if place.path else None,
        line=line if place.line is None else place.line,
    )


def _moved(place: Place, lines: int) -> Place:
    return place if place.line is None else replace(place, line=place.line + lines)

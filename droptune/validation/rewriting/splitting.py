"""Dividing training data: which lines become validation or test data, near duplicates together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from droptune.domain.dataset import Role
from droptune.validation.arrays import has_numpy
from droptune.validation.reading import Digest, InOneGo, Plan
from droptune.validation.report import ValidationRequest
from droptune.validation.rewriting.lines import BOM, read_lines
from droptune.validation.rules.duplicates import Digests
from droptune.validation.rules.example import Asked
from droptune.validation.rules.near import NearPairs
from droptune.validation.rules.sketches import Sketches
from droptune.validation.sources import Source
from droptune.validation.tokens.vocabulary import DEFAULT_ENCODING

_FAMILIES = ("duplicates", "similarity")


@dataclass(frozen=True, kw_only=True, slots=True)
class Division:
    """Which role each example gets, by its line from 1; other lines stay training data."""

    roles: Mapping[int, Role]
    examples: int
    groups: int

    def role_of(self, line: int) -> Role:
        """Return the role of a line."""
        return self.roles.get(line, Role.TRAINING)


def divide(source: Source, shares: Mapping[Role, float], *, seed: int = 0) -> Division:
    """Decide which examples leave the training data; the same file and seed decide the same.

    Examples that are the same or nearly so stay together, so that nothing is tested with what was
    learned. A role gets whole groups up to its share. Without numpy only exact duplicates are
    known.

    Args:
        shares: of all examples, for validation and test.
    """
    asked = Asked(request=ValidationRequest(families=_FAMILIES), format="supervised", model=None)
    scanned = InOneGo(Plan(asked=asked, encoding=DEFAULT_ENCODING)).scan(source, Digest())
    digests: Digests = scanned.states[Digests]
    groups = _Groups(digests)
    if has_numpy():
        groups.join_near(scanned.states[Sketches])
    return _assign(groups, shares, seed)


class _Groups:
    """Examples in groups, by a union of what belongs together."""

    def __init__(self, digests: Digests) -> None:
        self.digests = dict(zip(digests.lines, digests.digests, strict=True))
        self._above: dict[int, int] = {}
        first: dict[int, int] = {}
        for line, digest in self.digests.items():
            self._join(line, first.setdefault(digest, line))

    def join_near(self, sketches: Sketches) -> None:
        """Join near duplicates."""
        rows = sketches.rows()
        if rows is None:
            return
        lines = [int(line) for line in rows.meta[:, 0]]
        for row, before in NearPairs(rows):
            self._join(lines[row], lines[before])

    def _join(self, line: int, other: int) -> None:
        low, high = sorted((self._top(line), self._top(other)))
        self._above[high] = low

    def _top(self, line: int) -> int:
        while self._above.get(line, line) != line:
            line = self._above[line]
        return line

    def members(self) -> dict[int, list[int]]:
        """Return the lines of each group, by its first line."""
        found: dict[int, list[int]] = {}
        for line in sorted(self.digests):
            found.setdefault(self._top(line), []).append(line)
        return found


def _assign(groups: _Groups, shares: Mapping[Role, float], seed: int) -> Division:
    members = groups.members()

    def drawn(first: int) -> bytes:
        return hashlib.sha256(f"{seed} {groups.digests[first]} {first}".encode()).digest()

    waiting = sorted(members, key=drawn)
    total = len(groups.digests)
    roles: dict[int, Role] = {}
    for role, share in shares.items():
        for first in _drawn(waiting, members, max(1, round(total * share))):
            roles |= dict.fromkeys(members[first], role)
        waiting = [first for first in waiting if first not in roles]
    return Division(roles=roles, examples=total, groups=len(members))


def _drawn(waiting: list[int], members: Mapping[int, list[int]], wanted: int) -> set[int]:
    """Return groups with about as many lines as are wanted, passing over those that are too large.

    If every group is, the smallest is taken; the last group is never taken: it is trained on.
    """
    drawn: set[int] = set()
    left = wanted
    for first in waiting:
        if 0 < len(members[first]) <= left and len(drawn) < len(waiting) - 1:
            drawn.add(first)
            left -= len(members[first])
    if not drawn and len(waiting) > 1:
        drawn.add(min(waiting, key=lambda first: len(members[first])))
    return drawn


def lines_by_role(source: Source, division: Division) -> Iterator[tuple[Role, bytes]]:
    """Yield every line that is not blank with its role, as it is, ended by a line feed."""
    for number, raw, _ in read_lines(source):
        line = raw.removeprefix(BOM) if number == 1 else raw
        if line.strip():
            yield division.role_of(number), line.rstrip(b"\r") + b"\n"

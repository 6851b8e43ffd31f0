"""Examples that stand twice, in the data of one role or of two."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, compress
from typing import Self

from droptune.domain.dataset import Role
from droptune.domain.findings import Severity
from droptune.validation.rules.example import DatasetView, Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("duplicates")
LISTED = 20
LINES = tuple(chat(user(f"Question {at}"), assistant(f"Answer {at}")) for at in range(12))
FIX = "Keep one of them."
_A_PART = 400_000


class Digests:
    """Line and digest (64 bits of SHA-256) of every example: 12 bytes each."""

    def __init__(self) -> None:
        """Begin with none."""
        self.digests, self.lines = array("Q"), array("I")

    def add(self, example: Example) -> None:
        """Keep an example's line and digest."""
        self.digests.append(example.digest)
        self.lines.append(example.line)

    def merge(self, later: Self, lines: int) -> None:
        """Keep those of what follows."""
        self.digests += later.digests
        self.lines.extend(line + lines for line in later.lines)


class Joined:
    """The digests of several files, one after the other; a row is a place in all of them."""

    def __init__(self, files: Sequence[FileView]) -> None:
        """Join them."""
        self.files = files
        states = [file.state(Digests) for file in files]
        self._ends = list(accumulate(len(state.lines) for state in states))
        self.digests = states[0].digests if len(states) == 1 else array("Q")
        for state in states if len(states) > 1 else ():
            self.digests += state.digests

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.digests)

    def place(self, row: int) -> tuple[FileView, int]:
        """Return file and line of a row."""
        at = bisect_right(self._ends, row)
        file = self.files[at]
        return file, file.state(Digests).lines[row - (self._ends[at - 1] if at else 0)]

    def part(self, part: int, parts: int) -> Iterator[tuple[int, int]]:
        """Yield digest and row of those whose digest falls into a part."""
        rows = zip(self.digests, range(len(self.digests)), strict=True)
        if parts == 1:
            return rows
        return compress(rows, (digest % parts == part for digest in self.digests))


@dataclass(slots=True)
class Repeats:
    """How many rows stand again, and the first of them with the row that they repeat."""

    count: int = 0
    first: list[tuple[int, int]] = field(default_factory=list)

    def take(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Count pairs of (row, row before), and keep the first."""
        for pair in pairs:
            self.count += 1
            self.first.append(pair)
            if len(self.first) > 8 * LISTED:
                self.first = sorted(self.first)[:LISTED]


def find_repeats(first: Joined, second: Joined | None = None) -> Repeats:
    """Return the rows that stand again: within the first, or those of the second in the first.

    Digests are compared a part at a time, so that memory stays bounded.
    """
    parts = max(1, len(first) // _A_PART)
    found = Repeats()
    for part in range(parts):
        seen: dict[int, int] = {}
        if second is None:
            rows = ((row, seen.setdefault(digest, row)) for digest, row in first.part(part, parts))
            found.take(pair for pair in rows if pair[0] != pair[1])
        else:
            for digest, row in first.part(part, parts):
                seen.setdefault(digest, row)
            rows = ((row, seen.get(digest, -1)) for digest, row in second.part(part, parts))
            found.take(pair for pair in rows if pair[1] >= 0)
    found.first = sorted(found.first)[:LISTED]
    return found


@rules.dataset(
    "duplicate-example",
    Severity.WARNING,
    says="An example stands more than once in the data of a role.",
    fix=FIX,
    states=(Digests,),
    fails=case(*LINES, LINES[0]),
    passes=case(*LINES),
)
def duplicate_example(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each line that is the same as one before."""
    for role in Role:
        if files := dataset.of(role):
            joined = Joined(files)
            yield from _places(find_repeats(joined), joined, joined)


@rules.dataset(
    "leaked-example",
    Severity.WARNING,
    says="An example stands in the validation or test data and in the training data.",
    fix=FIX,
    states=(Digests,),
    fails=case(*LINES, validation=LINES[:1]),
    passes=case(*LINES, validation=(chat(user("Another"), assistant()),)),
)
def leaked_example(dataset: DatasetView) -> Iterator[Place]:
    """Yield a place for each line of a later role's data that an earlier role's holds too."""
    roles = [Joined(files) for role in Role if (files := dataset.of(role))]
    for at, later in enumerate(roles):
        for earlier in roles[:at]:
            yield from _places(find_repeats(earlier, later), later, earlier)


def _places(found: Repeats, later: Joined, earlier: Joined) -> Iterator[Place]:
    for row, before in found.first:
        (file, line), (other, line_before) = later.place(row), earlier.place(before)
        where = f"of {other.name}" if len(earlier.files) > 1 else f"of the {other.role.value} data"
        said = f"the example is the same as line {line_before} {where}"
        yield Place(message=said, file=file.name, line=line)
    if rest := found.count - len(found.first):
        yield Place(message="and more", file=later.files[0].name, count=rest)

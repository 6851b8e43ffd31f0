"""Lines that stand twice, in one file or in two."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress
from typing import Self

from droptune.domain.findings import Severity
from droptune.validation.rules.example import DatasetView, Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case

rules = Family("duplicates")
LISTED = 20
LINES = tuple(chat(user(f"Question {at}"), assistant(f"Answer {at}")) for at in range(12))
SAID, FIX = "The example is the same as line {line} of the {role} data.", "Keep one of them."
_A_PART = 400_000


class Digests:
    """Line and digest (64 bits of SHA-256) of every example: 12 bytes each."""

    def __init__(self) -> None:
        """Begin with none."""
        self.digests, self.lines = array("Q"), array("I")

    def add(self, example: Example) -> None:
        """Keep an example's line and digest."""
        digest = hashlib.sha256(example.raw.rstrip()).digest()
        self.digests.append(int.from_bytes(digest[:8], "little"))
        self.lines.append(example.line)

    def merge(self, later: Self, lines: int) -> None:
        """Keep those of what follows."""
        self.digests += later.digests
        self.lines.extend(line + lines for line in later.lines)


@dataclass(slots=True)
class Repeats:
    """How many lines stand again, and the first of them with the line that they repeat."""

    count: int = 0
    first: list[tuple[int, int]] = field(default_factory=list)

    def take(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Count pairs of (line, line before), and keep the first."""
        for pair in pairs:
            self.count += 1
            self.first.append(pair)
            if len(self.first) > 8 * LISTED:
                self.first = sorted(self.first)[:LISTED]


def find_repeats(first: Digests, second: Digests | None = None) -> Repeats:
    """Return the lines that stand again: within the first, or those of the second in the first.

    Digests are compared a part at a time, so that memory stays bounded.
    """
    parts = max(1, len(first.digests) // _A_PART)
    found = Repeats()
    for part in range(parts):
        seen: dict[int, int] = {}
        rows = _part(first, part, parts)
        again = [(line, seen.setdefault(digest, line)) for digest, line in rows]
        if second is None:
            found.take(pair for pair in again if pair[0] != pair[1])
        else:
            rows = _part(second, part, parts)
            found.take((line, seen[digest]) for digest, line in rows if digest in seen)
    found.first = sorted(found.first)[:LISTED]
    return found


def _places(found: Repeats, earlier: FileView, file: str | None = None) -> Iterator[Place]:
    for line, before in found.first:
        said = SAID.format(line=before, role=earlier.role.value)
        yield Place(message=said, file=file, line=line)
    if rest := found.count - len(found.first):
        yield Place(message="and more", file=file, count=rest)


def _part(digests: Digests, part: int, parts: int) -> Iterator[tuple[int, int]]:
    rows = zip(digests.digests, digests.lines, strict=True)
    if parts == 1:
        return rows
    return compress(rows, (digest % parts == part for digest in digests.digests))


@rules.file(
    "duplicate-example",
    Severity.WARNING,
    says="An example stands more than once in a file.",
    fix=FIX,
    states=(Digests,),
    fails=case(*LINES, LINES[0]),
    passes=case(*LINES),
)
def duplicate_example(file: FileView) -> Iterator[Place]:
    """Yield a place for each line that is the same as one before."""
    yield from _places(find_repeats(file.state(Digests)), file)


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
    files = list(dataset.files.values())
    for at, later in enumerate(files):
        for earlier in files[:at]:
            found = find_repeats(earlier.state(Digests), later.state(Digests))
            yield from _places(found, earlier, later.name)

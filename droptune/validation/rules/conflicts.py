"""The same full context with different short answers: labels that contradict each other."""

from __future__ import annotations

import hashlib
import zlib
from array import array
from collections import defaultdict
from collections.abc import Iterator
from typing import Self

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.sketches import normal
from droptune.validation.rules.turns import turns_of

rules = Family("similarity")
LISTED = 20
MOST_ROWS = 1 << 19
_LONGEST, _MOST_WORDS = 32, 4
_MOST_ANSWERS = 3
_MANY_GROUPS, _MANY = 10, 0.2
_TOPICS = ("invoice", "yes"), ("colour", "no"), ("price", "yes"), ("size", "no"), ("taste", "no")
LABELS = tuple(
    chat(user(f"Is this about money? Ticket {at}: the {what} is wrong."), assistant(label))
    for at, (what, label) in enumerate(_TOPICS * 2)
)
OTHERWISE = chat(LABELS[0]["messages"][0], assistant("no"))


class Contexts:
    """Context and answer of every example with a short answer, 16 bytes each.

    At most 524,288, else every 2nd, 4th … context by its digest: all of a context's answers or
    none.

    Attributes:
        most_rows: how many are kept at most.
        halvings: how often the contexts had to be halved.
    """

    most_rows = MOST_ROWS

    def __init__(self) -> None:
        """Begin with none."""
        self.contexts, self.answers, self.lines = array("Q"), array("I"), array("I")
        self.halvings = 0

    def add(self, example: Example) -> None:
        """Keep the digests of an example whose answer is like a label."""
        users, rest, answer = turns_of(example)
        if not is_label(answer):
            return
        context = "\0".join((*users, "", *rest)).casefold().split()
        said = " ".join(context).encode("utf-8", "surrogatepass")
        digest = hashlib.blake2b(said, digest_size=8).digest()
        key = int.from_bytes(digest, "little")
        if key & ((1 << self.halvings) - 1) == 0:
            self.contexts.append(key)
            words = normal(answer) or answer.encode("utf-8", "surrogatepass")
            self.answers.append(zlib.crc32(words))
            self.lines.append(example.line)
            self._bound()

    def follow(self, earlier: Self) -> None:
        """See State."""
        self.halvings = earlier.halvings

    def merge(self, later: Self, lines: int) -> None:
        """Keep those of what follows."""
        self.contexts += later.contexts
        self.answers += later.answers
        self.lines.extend(line + lines for line in later.lines)
        if self.halvings != later.halvings:
            self.halvings = max(self.halvings, later.halvings)
            self._thin()
        self._bound()

    def _bound(self) -> None:
        while len(self.contexts) > self.most_rows and self.halvings < 63:
            self.halvings += 1
            self._thin()

    def _thin(self) -> None:
        mask = (1 << self.halvings) - 1
        kept = [at for at, key in enumerate(self.contexts) if key & mask == 0]
        self.contexts = array("Q", (self.contexts[at] for at in kept))
        self.answers = array("I", (self.answers[at] for at in kept))
        self.lines = array("I", (self.lines[at] for at in kept))


def is_label(answer: str) -> bool:
    """Whether an answer is a few words, such as a class: not a greeting, nothing that is told."""
    text = answer.strip() if len(answer) <= 2 * _LONGEST else ""
    return 0 < len(text) <= _LONGEST and text[-1] not in "!?…" and len(text.split()) <= _MOST_WORDS


@rules.file(
    "conflicting-answers",
    Severity.WARNING,
    says="The same full context has two or three different short answers.",
    fix="Decide which answer is right, and remove the others.",
    formats=("supervised",),
    states=(Contexts,),
    fails=case(*LABELS, OTHERWISE),
    passes=case(*LABELS, LABELS[0]),
)
def conflicting_answers(file: FileView) -> Iterator[Place]:
    """Yield a place for each line that answers otherwise than the first of the same context.

    Silent where several answers are how the data is made: more than three to a context, or many
    contexts and a fifth of all short answers.
    """
    state = file.state(Contexts)
    groups, rows, found = _conflicts(state), 0, list[tuple[int, int]]()
    for group in groups:
        first_answer, first_line = group[0]
        rows += len(group)
        found += [(line, first_line) for answer, line in group if answer != first_answer]
    if len(groups) >= _MANY_GROUPS and rows > _MANY * len(state.contexts):
        return
    part = f" (1 context in {1 << state.halvings:,} was compared)" if state.halvings else ""
    for line, before in sorted(found)[:LISTED]:
        said = f"the answer differs from that of line {before}, and all before it is the same{part}"
        yield Place(message=said, line=line)
    if len(found) > LISTED:
        yield Place(message="and more", count=len(found) - LISTED)


def _conflicts(state: Contexts) -> list[list[tuple[int, int]]]:
    """Return answer and line of each context with two or three different answers."""
    seen: set[int] = set()
    again: set[int] = set()
    for context in state.contexts:
        (again if context in seen else seen).add(context)
    groups: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for context, answer, line in zip(state.contexts, state.answers, state.lines, strict=True):
        if context in again:
            groups[context].append((answer, line))
    return [
        group for group in groups.values() if 1 < len({said for said, _ in group}) <= _MOST_ANSWERS
    ]

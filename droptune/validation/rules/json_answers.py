"""Answers in JSON: a few that do not parse, or whose keys differ from the others'."""

from __future__ import annotations

import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from typing import Any, Self

import msgspec

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.quoting import quoted
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.turns import turns_of

rules = Family("answers")
LISTED = 20
_MOST, _ALMOST_ALL, _FEW_KEYS = 0.8, 0.95, 0.03
_LEAST = 10
_MOST_SHAPES, _RARE = 1_000, 3
_decode = msgspec.json.Decoder().decode
GOOD = tuple(
    chat(user(f"Ticket {at}"), assistant(f'{{"topic": "t{at}", "urgent": false}}'))
    for at in range(40)
)


class JsonAnswers:
    """Which answers are JSON, and the sets of keys that objects have.

    Of at most the 1,000 sets with the smallest digest the names are kept, and the first lines.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.answers = self.valid = self.objects = 0
        self.broken, self.wrapped = array("I"), array("I")
        self.counts: Counter[int] = Counter()
        self.shapes: dict[int, tuple[tuple[str, ...], list[int]]] = {}

    def add(self, example: Example) -> None:
        """Look whether an answer is JSON, or was to be."""
        answer = turns_of(example).answer
        if not answer:
            return
        self.answers += 1
        text = unfenced(answer) if answer[0] in "`{[ \n\t" else ""
        if text[:1] not in ("{", "["):
            if "{" in answer and '":' in answer:
                self.wrapped.append(example.line)
            return
        try:
            value = _decode(text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self.broken.append(example.line)
            return
        self.valid += 1
        if type(value) is dict:
            self.objects += 1
            self._shape(tuple(sorted(value)), example.line)

    def _shape(self, keys: tuple[str, ...], line: int) -> None:
        digest = zlib.crc32("\0".join(keys).encode("utf-8", "surrogatepass"))
        self.counts[digest] += 1
        found = self.shapes.setdefault(digest, (keys[:50], []))
        if len(found[1]) < LISTED:
            found[1].append(line)
        self._bound()

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self.answers += later.answers
        self.valid += later.valid
        self.objects += later.objects
        self.broken.extend(line + lines for line in later.broken)
        self.wrapped.extend(line + lines for line in later.wrapped)
        self.counts.update(later.counts)
        for digest, (keys, more) in later.shapes.items():
            found = self.shapes.setdefault(digest, (keys, []))
            found[1].extend(line + lines for line in more[: LISTED - len(found[1])])
        self._bound()

    def _bound(self) -> None:
        while len(self.shapes) > _MOST_SHAPES:
            largest = max(self.shapes)
            del self.shapes[largest], self.counts[largest]


def unfenced(answer: str) -> str:
    """Return what stands inside a code fence that holds the whole answer, else the answer."""
    text = answer.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        text = text[text.index("\n") : -3].strip()
    return text


@rules.file(
    "broken-json-answer",
    Severity.WARNING,
    says="Most answers are JSON, and this one does not parse or is wrapped in other text.",
    fix="Write the whole answer as JSON.",
    formats=("supervised",),
    states=(JsonAnswers,),
    fails=case(*GOOD, chat(user(), assistant('{"topic": "ship", "urgent": '))),
    passes=case(*GOOD, chat(user(), assistant("I cannot tell."))),
)
def broken_json_answer(file: FileView) -> Iterator[Place]:
    """Yield a place for each answer that was to be JSON, if most are."""
    state = file.state(JsonAnswers)
    if state.valid < max(_LEAST, _MOST * state.answers):
        return
    found = [(line, "the answer begins as JSON and does not parse") for line in state.broken]
    if state.valid >= _ALMOST_ALL * (state.answers - len(state.broken)):
        said = "the answer holds JSON within other text; the others are JSON alone"
        found += [(line, said) for line in state.wrapped]
    yield from _listed(found)


@rules.file(
    "odd-json-keys",
    Severity.WARNING,
    says="Almost all JSON answers have the same keys, and this one lacks some or has others.",
    fix="Use the same keys in every answer.",
    formats=("supervised",),
    states=(JsonAnswers,),
    fails=case(*GOOD, chat(user(), assistant('{"topics": "ship", "urgent": false}'))),
    passes=case(*GOOD, chat(user(), assistant('{"error": "no ticket"}'))),
)
def odd_json_keys(file: FileView) -> Iterator[Place]:
    """Yield a place for each object whose keys are rare, and partly those of almost all.

    Another set of keys that stands four times or more is another kind of answer, not a slip.
    """
    state = file.state(JsonAnswers)
    if not state.counts or state.valid < max(_LEAST, _MOST * state.answers):
        return
    usual, count = max(state.counts.items(), key=lambda item: (item[1], -item[0]))
    if count < _ALMOST_ALL * state.objects or not state.shapes[usual][0]:
        return
    wanted = state.shapes[usual][0]
    found = []
    for digest, (keys, lines) in state.shapes.items():
        times = state.counts[digest]
        if digest == usual or times > max(1, min(_RARE, _FEW_KEYS * state.objects)):
            continue
        if set(keys) & set(wanted):
            found += [(line, _difference(wanted, keys)) for line in lines]
    yield from _listed(found)


def _difference(wanted: tuple[str, ...], keys: tuple[str, ...]) -> str:
    missing = [quoted(key, 40) for key in wanted if key not in keys]
    other = [quoted(key, 40) for key in keys if key not in wanted]
    said = [f"lacks {', '.join(missing[:5])}"] if missing else []
    said += [f"has {', '.join(other[:5])}"] if other else []
    return f"the answer {' and '.join(said)}, unlike the others"


def _listed(found: list[Any]) -> Iterator[Place]:
    for line, said in sorted(found)[:LISTED]:
        yield Place(message=said, line=line)
    if len(found) > LISTED:
        yield Place(message="and more", count=len(found) - LISTED)

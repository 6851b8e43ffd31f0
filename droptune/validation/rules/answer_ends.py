"""Answers that were cut: most are whole, and a few stop in the middle."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Self

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.turns import turns_of

rules = Family("answers")
LISTED = 20
FEW = 0.1
_LEAST_ANSWERS = 10
_SHORTEST, _LAST_LINE = 40, 20
_SAMPLED_ANSWERS, _SAMPLED_CHARS = 1_000, 600
_MOST_CUTS, _LONGEST_WORD = 50_000, 40
_WORD = re.compile(r"[^\W\d_]+")
_TELLS = (
    "Water boils at a lower temperature on a mountain, because the air is thinner there.",
    "A glacier moves slowly down the valley and grinds the rock below it to a fine powder.",
)
WHOLE = tuple(chat(user(f"Tell me fact {at}."), assistant(_TELLS[at % 2])) for at in range(12))


class Ends:
    """How a file's answers end: those that may be cut, and words of a sample of all answers.

    Of the answers that may be cut mid-word the last words are kept, 50,000 of them at most; of the
    sample at most 1,000 answers, 600 characters each, chosen by the example's digest.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self.answers = 0
        self.lines = array("I")
        self.kinds = array("B")
        self.loose: list[tuple[int, str]] = []
        self.sample: dict[int, str] = {}
        self.halvings = 0

    def add(self, example: Example) -> None:
        """Look at the end of an answer."""
        answer = turns_of(example).answer.rstrip()
        if len(answer) < _SHORTEST:
            return
        self.answers += 1
        kind = _kind_of_end(answer)
        if kind == _LOOSE:
            if len(self.loose) < _MOST_CUTS:
                self.loose.append((example.line, _last_word(answer)))
        elif kind:
            self.lines.append(example.line)
            self.kinds.append(kind)
        if example.digest & ((1 << self.halvings) - 1) == 0:
            self.sample[example.digest] = answer[:_SAMPLED_CHARS]
            self._bound()

    def follow(self, earlier: Self) -> None:
        """See State."""
        self.halvings = earlier.halvings

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self.answers += later.answers
        self.lines.extend(line + lines for line in later.lines)
        self.kinds += later.kinds
        room = _MOST_CUTS - len(self.loose)
        self.loose += [(line + lines, word) for line, word in later.loose[:room]]
        self.halvings = max(self.halvings, later.halvings)
        self.sample |= later.sample
        self._thin()
        self._bound()

    def _bound(self) -> None:
        while len(self.sample) > _SAMPLED_ANSWERS:
            self.halvings += 1
            self._thin()

    def _thin(self) -> None:
        mask = (1 << self.halvings) - 1
        self.sample = {key: text for key, text in self.sample.items() if key & mask == 0}

    def cut_words(self) -> list[int]:
        """Return the lines of answers that end in the first part of a word.

        The sample has to know longer words that begin so, and never the part as a word.
        """
        words: set[str] = set()
        for text in self.sample.values():
            found = [word[0] for word in _WORD.finditer(text)]
            words.update(word.casefold() for word in found[:-1])
        known = sorted(words)
        return [line for line, word in self.loose if _is_part(word.casefold(), known)]


# Words that end no English sentence; words that may ("to", "in", "that") are left out.
_LEADING = frozenset(
    ("the", "a", "an", "and", "or", "of", "because", "their", "its", "your", "my", "our", "if",
     "when", "although")
)  # fmt: skip
# What people write for a longer word.
_CLIPPED = frozenset(
    ("admin", "ads", "app", "auto", "bio", "config", "demo", "doc", "docs", "exam", "info", "intro",
     "lab", "lang", "log", "logo", "math", "maths", "max", "mic", "micro", "min", "multi", "net",
     "org", "phone", "photo", "pic", "pics", "pro", "prod", "prof", "promo", "repo", "spec", "sync",
     "tech", "tele", "temp", "uni", "vet")
)  # fmt: skip
_LOOSE, _FENCE, _SENTENCE = 1, 2, 3
_SAID = {
    _FENCE: "a code fence is opened and not closed",
    _SENTENCE: "the answer stops in the middle of a sentence",
}


def _kind_of_end(answer: str) -> int:
    """Return how an answer may be cut; 0 if it ends as answers do."""
    if "```" in answer:
        return _FENCE if _open_fence(answer) else 0
    last = answer[-1]
    if not (last.isalpha() or last == ","):
        return 0
    line = answer[answer.rfind("\n") + 1 :]
    if len(line) < _LAST_LINE or " " not in line:
        return 0
    if last == ",":
        return _SENTENCE
    return _SENTENCE if line[line.rfind(" ") + 1 :] in _LEADING else _LOOSE


def _last_word(answer: str) -> str:
    """Return the letters at the end of an answer."""
    word = answer[-_LONGEST_WORD:].rsplit(None, 1)[-1]
    if word.isalpha():
        return word
    first = len(answer)
    while first and len(answer) - first < _LONGEST_WORD and answer[first - 1].isalpha():
        first -= 1
    return answer[first:]


def _open_fence(answer: str) -> bool:
    """Whether the last code fence is open; a fence stands at the beginning of a line."""
    fences = sum(line.lstrip().startswith("```") for line in answer.split("\n"))
    return fences % 2 == 1 and answer.count("```") % 2 == 1


def _is_part(word: str, known: list[str]) -> bool:
    """Whether words begin with this part, of three letters or more, and it is none itself."""
    if len(word) < 3 or word in _CLIPPED:
        return False
    at = bisect_left(known, word)
    longer = at < len(known) and known[at].startswith(word)
    return longer and known[at] != word and not _is_a_form(word, known[at])


def _is_a_form(word: str, longer: str) -> bool:
    """Whether the longer word is probably another form of a whole word: train, trains, trained."""
    return len(longer) - len(word) <= 3


@rules.file(
    "truncated-answer",
    Severity.WARNING,
    says="An answer is cut: a code fence is open, or it stops in the middle of a word or sentence, "
    "where most answers are whole.",
    fix="Generate the answer again with a higher token limit, or remove the example.",
    formats=("supervised",),
    states=(Ends,),
    fails=case(*WHOLE, chat(user(), assistant("Steam engines changed how people worked in the"))),
    passes=case(*WHOLE, chat(user(), assistant("Steam engines changed how people worked"))),
)
def truncated_answer(file: FileView) -> Iterator[Place]:
    """Yield a place for each cut answer, if they are a tenth at most."""
    state = file.state(Ends)
    cuts = [(line, _SAID[kind]) for line, kind in zip(state.lines, state.kinds, strict=True)]
    words = state.cut_words() if len(state.loose) <= FEW * state.answers else []
    cuts += [(line, "the answer stops in the middle of a word") for line in words]
    if state.answers < _LEAST_ANSWERS or len(cuts) > FEW * state.answers:
        return
    for line, said in sorted(cuts)[:LISTED]:
        yield Place(message=said, line=line)
    if len(cuts) > LISTED:
        yield Place(message="and more", count=len(cuts) - LISTED)

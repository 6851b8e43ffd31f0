"""A sample of a file's answers, on which its habits are measured."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, NamedTuple, Self

from droptune.validation.rules.example import Example

SAMPLED = 2_000
_LABEL_CHARS, _LABEL_WORDS = 40, 4
_NOT = r"(?:can(?:'|\u2019)?t|can ?not|won(?:'|\u2019)?t|am unable|am not able)"
_REFUSAL = re.compile(
    r"(?i)(?:i(?:(?:'|\u2019)?m| am) (?:very |really |so )?sorry|sorry|my apologies|unfortunately"
    rf"|as an ai\b|i {_NOT}\b|i(?:'|\u2019)m (?:unable|not able) to)"
)
_CANNOT = re.compile(rf"(?i)\b(?:{_NOT}|unable|not able|not comfortable|as an ai|against my)\b")
_SEPARATOR = re.compile(r"\n\n###\n\n\Z|\n\n===\n\n\Z|(?:\n| )->\Z")
_STOP = re.compile(r"(?: END|\n?###|\n?<END>| STOP)\Z")
_SCRIPTS = (
    (0x0250, "Latin"), (0x0370, "other"), (0x0400, "Greek"), (0x0530, "Cyrillic"),
    (0x0590, "Armenian"), (0x0600, "Hebrew"), (0x0900, "Arabic"), (0x0E00, "Indic"),
    (0x0E80, "Thai"), (0x1100, "other"), (0x1200, "Hangul"), (0x1E00, "other"),
    (0x1F00, "Latin"), (0x2000, "Greek"), (0x3040, "other"), (0x3100, "Japanese"),
    (0x3400, "other"), (0xA000, "Chinese or Japanese"), (0xAC00, "other"), (0xD7B0, "Hangul"),
)  # fmt: skip

_SCRIPT_ENDS = [end for end, _ in _SCRIPTS]
_SCRIPT_CHARS, _SCRIPT_LETTERS = 400, 40


class Answer(NamedTuple):
    """What is kept of one example; ordered by a digest, so that a sample of them is a fair one.

    Attributes:
        opening: the answer's first three words; "" if it has fewer than six.
        label: the whole answer if it is a short one.
        script: in which most of the answer's letters are written; "" if there is none.
        same_role: whether user or assistant speak twice in a row.
        separated: whether prompt or answer end as the old completions did.
    """

    digest: int
    opening: str
    label: str
    script: str
    refuses: bool
    begins_blank: bool
    same_role: bool
    separated: bool


class Answers:
    """The 2,000 examples of a file with the smallest digests: the same however it is cut."""

    def __init__(self) -> None:
        """Begin with none."""
        self.kept: list[Answer] = []
        self._most = 1 << 64
        self._digests: set[int] = set()  # with those of the parts that it follows

    def add(self, example: Example) -> None:
        """Keep what matters of an example, if it may be in the sample."""
        digest = example.digest
        if digest <= self._most:
            self.kept.append(read_answer(example, digest))
            self._digests.add(digest)
            if max(len(self._digests), len(self.kept)) >= 2 * SAMPLED:
                self._bound()

    def follow(self, earlier: Self) -> None:
        """See State."""
        self._digests = earlier._digests
        self._bound()

    def __getstate__(self) -> dict[str, Any]:
        """Hand on what is kept, and not what only bounds it."""
        return {**self.__dict__, "_digests": set()}

    def _bound(self) -> None:
        """Leave out what stands behind enough others; a digest counts once, however often read."""
        smallest = sorted(self._digests)[:SAMPLED]
        self._digests = set(smallest)
        if len(smallest) == SAMPLED:
            self._most = smallest[-1]
        self.kept = [each for each in self.kept if each.digest <= self._most]
        self._trim()

    def merge(self, later: Self, lines: int) -> None:
        """Take in what of the following part is in the sample."""
        self.kept += later.kept
        if len(self.kept) >= 2 * SAMPLED:
            self._trim()

    def _trim(self) -> None:
        self.kept = sorted(self.kept)[:SAMPLED]

    def sample(self) -> list[Answer]:
        """Return the sample."""
        self._trim()
        return self.kept


def read_answer(example: Example, digest: int) -> Answer:
    """Return what is kept of an example; an answer without text has neither opening nor label."""
    if example.plain is not None:
        texts: list[tuple[str, str]] = [(each.role, each.content) for each in example.plain]
        return _read(digest, texts, texts[-1][1], None)
    messages = [each for each in example.messages if not each.path.startswith("non_preferred")]
    last = messages[-1].value if messages and messages[-1].role == "assistant" else {}
    texts = [(each.role, _text(each.value)) for each in messages]
    return _read(digest, texts, _text(last), last.get("refusal"))


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    return content if type(content) is str else ""


def _read(digest: int, texts: Sequence[tuple[str, str]], answer: str, refusal: Any) -> Answer:
    asked = [text for role, text in texts if role == "user"]
    prompt = asked[-1] if asked else ""
    roles = [role for role, _ in texts]
    words = answer.split(None, 6)
    short = 0 < len(answer) <= _LABEL_CHARS and len(words) <= _LABEL_WORDS
    refuses = bool(refusal) or (
        _REFUSAL.match(answer) is not None and _CANNOT.search(answer, 0, 200) is not None
    )
    return Answer(
        digest=digest,
        opening=" ".join(words[:3])[:200] if len(words) > 5 else "",
        label=answer.strip() if short else "",
        script=_script(answer),
        refuses=refuses,
        begins_blank=answer[:1] == " ",
        same_role=any(
            role == before and role in ("user", "assistant") for before, role in pairwise(roles)
        ),
        separated=_SEPARATOR.search(prompt[-20:]) is not None
        or _STOP.search(answer[-20:]) is not None,
    )


def _script(answer: str) -> str:
    """Return the script of most of the answer's first 40 letters."""
    if answer.isascii():
        return "Latin" if any(map(str.isalpha, answer)) else ""
    letters = islice(filter(str.isalpha, answer[:_SCRIPT_CHARS]), _SCRIPT_LETTERS)
    found = Counter(bisect_right(_SCRIPT_ENDS, ord(char)) for char in letters)
    return max(sorted(map(_script_at, found)), key=lambda name: _count(found, name), default="")


def _script_at(place: int) -> str:
    return _SCRIPTS[place][1] if place < len(_SCRIPTS) else "other"


def _count(found: Counter[int], name: str) -> int:
    """Return how many letters are of a script, which may have several ranges."""
    return sum(times for place, times in found.items() if _script_at(place) == name)

"""Style: what the model will learn by the way, one statistic for each file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Self

from droptune.domain.findings import Severity
from droptune.validation.rules.answers import SAMPLED, Answer, Answers
from droptune.validation.rules.example import Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, system, user
from droptune.validation.rules.quoting import quoted, shown
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.repeated import crc_of

rules = Family("habits")
FEWEST = 10
MOST_PROMPTS = 1_000


class Lines:
    """How many lines end in CR LF, and digests of the system prompts (1,000 at most)."""

    def __init__(self) -> None:
        """Begin with none."""
        self.crlf = self.without_system = 0
        self.systems: set[int] = set()

    def add(self, example: Example) -> None:
        """Look at an example's end and at its first message."""
        self.crlf += example.raw.endswith(b"\r")
        prompt = example.system_prompt
        if prompt is None:
            self.without_system += 1
        else:
            self.systems.add(crc_of(str(prompt)))
            if len(self.systems) > 2 * MOST_PROMPTS:
                self._trim()

    def merge(self, later: Self, lines: int) -> None:
        """Take in what was counted after this."""
        self.crlf += later.crlf
        self.without_system += later.without_system
        self.systems |= later.systems
        self._trim()

    def _trim(self) -> None:
        self.systems = set(sorted(self.systems)[: MOST_PROMPTS + 1])


def twelve(*given: Any) -> tuple[Any, ...]:
    """Return what is given and other examples, twelve in all."""
    more = (chat(user(f"Question {at}?"), assistant(f"{at} is it.")) for at in range(12))
    return (*given, *list(more)[len(given) :])


GOOD = case(*twelve())


@rules.file(
    "crlf",
    Severity.INFO,
    says="Lines end in CR LF, as Windows writes them; it is accepted.",
    fix="`--fix` writes LF.",
    states=(Lines,),
    fails=case(b'{"messages": []}\r\n{"messages": []}\r\n'),
    passes=case(b'{"messages": []}\n{"messages": []}\n'),
)
def crlf(file: FileView) -> Iterator[Place]:
    """Yield a place if any line ends so."""
    if count := file.state(Lines).crlf:
        yield Place(message=f"{count:,} of {file.examples:,} examples end in CR LF")


@rules.file(
    "system-prompts",
    Severity.INFO,
    says="Examples differ in their system prompts, or some have none.",
    fix="Send the same prompt later that the model was trained with.",
    states=(Lines,),
    fails=case(*twelve(chat(system(), user(), assistant()))),
    passes=GOOD,
)
def system_prompts(file: FileView) -> Iterator[Place]:
    """Yield a place if there are two or more, or one that not all have."""
    state, n = file.state(Lines), file.examples
    count, without = len(state.systems), state.without_system
    if count > 1 or (count and without):
        many = f"more than {MOST_PROMPTS:,}" if count > MOST_PROMPTS else f"{count:,}"
        said = f"{many} distinct system prompt{'s' if count > 1 else ''}"
        yield Place(message=f"{said}; {without:,} of {n:,} examples have none")


@rules.file(
    "assistant-share",
    Severity.INFO,
    says="Less than a tenth of the tokens are the assistant's: the rest is paid for as well.",
    fix="Shorten what repeats, such as the system prompt.",
    fails=case(*(chat(system("Be kind. " * 90), user(), assistant("Yes.")) for _ in range(10))),
    passes=GOOD,
)
def assistant_share(file: FileView) -> Iterator[Place]:
    """Yield a place if there are ten examples or more, and the share is small."""
    total, own = file.tokens["total"].sum(), file.tokens["assistant"].sum()
    if file.examples >= FEWEST and own * 10 < total:
        yield Place(message=f"the assistant's messages are {own / total:.1%} of the tokens")


@rules.file(
    "consecutive-roles",
    Severity.INFO,
    says="User or assistant speak twice in a row.",
    fix="Join the messages, if they are one.",
    states=(Answers,),
    fails=case(*twelve(chat(user("Hello."), user(), assistant()))),
    passes=GOOD,
)
def consecutive_roles(file: FileView) -> Iterator[Place]:
    """Yield a place if any example does."""
    yield from _told(file, "same_role", "have the same role twice in a row", least=0.0)


@rules.file(
    "legacy-separators",
    Severity.INFO,
    says="Prompts or answers end as those of the old completions did (`\\n\\n###\\n\\n`, ` END`).",
    fix="Leave the separators out: roles say where a text ends.",
    states=(Answers,),
    fails=case(*twelve(chat(user("Which is it?\n\n###\n\n"), assistant(" Yes END")))),
    passes=GOOD,
)
def legacy_separators(file: FileView) -> Iterator[Place]:
    """Yield a place if one example in a hundred or more does."""
    yield from _told(file, "separated", "end in a separator of the old completions", least=0.01)


@rules.file(
    "leading-blank",
    Severity.INFO,
    says="Answers begin with a blank, as the old completions did.",
    fix="Begin with the first word.",
    states=(Answers,),
    fails=case(*twelve(chat(user(), assistant(" The Pacific.")))),
    passes=GOOD,
)
def leading_blank(file: FileView) -> Iterator[Place]:
    """Yield a place if one answer in a hundred or more does."""
    yield from _told(file, "begins_blank", "begin their answer with a blank", least=0.01)


@rules.file(
    "refusals",
    Severity.INFO,
    says="A part of the answers refuses.",
    fix="Keep those that are meant.",
    states=(Answers,),
    fails=case(*twelve(chat(user(), assistant("I'm sorry, but I can't help with that.")))),
    passes=GOOD,
)
def refusals(file: FileView) -> Iterator[Place]:
    """Yield a place if one answer in fifty or more does, by how it begins."""
    yield from _told(file, "refuses", "refuse, by how the answer begins", least=0.02)


@rules.file(
    "repeated-openings",
    Severity.INFO,
    says="A fifth or more of the longer answers begin with the same three words.",
    fix="Vary them, unless every answer shall begin so.",
    states=(Answers,),
    fails=case(
        *(chat(user(f"{at}?"), assistant(f"Sure, here is your number {at}.")) for at in range(20))
    ),
    passes=GOOD,
)
def repeated_openings(file: FileView) -> Iterator[Place]:
    """Yield a place if there are twenty answers of six words or more, and many begin alike."""
    openings = [each.opening for each in file.state(Answers).sample() if each.opening]
    if len(openings) >= 2 * FEWEST:
        opening, times = _most(openings)
        if times * 5 >= len(openings):
            yield Place(
                message=f"{times / len(openings):.0%} of longer answers begin {quoted(opening)}"
            )


@rules.file(
    "language-mix",
    Severity.INFO,
    says="Answers are written in more than one script.",
    fix="Check that each language is meant, and has examples enough.",
    states=(Answers,),
    fails=case(*twelve(chat(user(), assistant("\u041e\u043a\u0435\u0430\u043d.")))),
    passes=GOOD,
)
def language_mix(file: FileView) -> Iterator[Place]:
    """Yield a place if one answer in fifty or more has another script than most."""
    scripts = [each.script for each in file.state(Answers).sample() if each.script]
    if len(scripts) >= FEWEST:
        _, times = _most(scripts)
        if (len(scripts) - times) * 50 >= len(scripts):
            yield Place(message=f"scripts of the answers: {_shares(scripts)}")


@rules.file(
    "class-imbalance",
    Severity.INFO,
    says="Answers are labels, and one is ten times as frequent as another, or has four in five.",
    fix="Add examples of the rare ones.",
    states=(Answers,),
    fails=case(
        *(chat(user(f"{at}?"), assistant("refund" if at else "praise")) for at in range(20))
    ),
    passes=case(
        *(chat(user(f"{at}?"), assistant("refund" if at % 2 else "praise")) for at in range(20))
    ),
)
def class_imbalance(file: FileView) -> Iterator[Place]:
    """Yield a place if four in five answers are short, few distinct, and uneven."""
    sample = file.state(Answers).sample()
    labels = [each.label for each in sample if each.label]
    counts = Counter(labels)
    few = 2 <= len(counts) <= min(50, len(labels) // 5)
    if len(labels) >= 2 * FEWEST and len(labels) * 5 >= len(sample) * 4 and few:
        most, least = max(counts.values()), min(counts.values())
        if most >= 10 * least or most * 5 >= len(labels) * 4:
            yield Place(message=f"{len(counts)} labels: {_shares(labels)}")


def _told(file: FileView, what: str, said: str, *, least: float) -> Iterator[Place]:
    """Yield a place if more than a share of the sample does something."""
    sample: list[Answer] = file.state(Answers).sample()
    times = sum(getattr(each, what) for each in sample)
    if times and len(sample) >= FEWEST and times >= least * len(sample):
        of = f"a sample of {SAMPLED:,}" if file.examples > SAMPLED else f"{len(sample):,}"
        yield Place(message=f"{times:,} of {of} examples ({times / len(sample):.1%}) {said}")


def _most(values: Iterable[str]) -> tuple[str, int]:
    """Return the most frequent value, the first in the alphabet of several, and how often."""
    counts = Counter(values)
    return min(counts.items(), key=lambda item: (-item[1], item[0]))


def _shares(values: list[str]) -> str:
    """Return the five most frequent values and the rarest, with their shares."""
    ordered = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))
    named = ordered[:5] + (ordered[-1:] if len(ordered) > 5 else [])
    return ", ".join(f"{shown(value)} {times / len(values):.1%}" for value, times in named)

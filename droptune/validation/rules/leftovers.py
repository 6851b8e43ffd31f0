"""What a program left in texts: placeholders that were not filled in, and empty values as words."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from typing import Self

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example, FileView
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.registry import Family, Place, case
from droptune.validation.rules.turns import Turns, turns_of

rules = Family("answers")
LISTED = 20
_FEW, _LEAST = 0.05, 10
_NAME = r"[A-Za-z_][A-Za-z0-9_.]{1,40}"
# Begins with a brace, so that it is sought at the speed of a byte.
_PLACEHOLDER = re.compile(
    rf"\{{(?:\{{ ?{_NAME} ?\}}\}}|(?<=\$\{{){_NAME}\}}"
    r"|(?<![\w$\\{(\[^=:'\"`]\{)[a-z][a-z_]{2,30}\})"
)
_PERCENT = re.compile(rf"<%= ?{_NAME} ?%>")
# Who speaks of templates, code or formulas writes placeholders on purpose.
_WRITES_IT = ("`", "/{", ";\n", "\n#", "{%", ");")
_SPEAKS_OF_IT = (
    "templat", "placeholder", "variable", " format ", "string",
    " code ", " script", "function", "json", "yaml", "html", "sql", "python", "javascript", "php",
    "jinja", "mustache", "handlebars", " liquid", "syntax", " react", " angular", " vue", "svelte",
    " helm ", "ansible", "terraform", "docker", " shell", " bash", "css", "latex", "regex",
    "braces", "interpolat", "merge field", "merge tag", "snippet", "endpoint", " api ",
    " curl ", " echo ",
)  # fmt: skip
_EMPTY = frozenset(
    ("nan", "NaN", "None", "null", "NULL", "undefined", "[object Object]", "<NA>", "NaT")
)
_NEVER_MEANT = frozenset(("nan", "[object Object]", "<NA>", "NaT"))
_LONGEST_EMPTY = max(map(len, _EMPTY))
_LABEL = 20
FACTS = tuple(
    chat(user(f"Dear team, where is parcel {at}?"), assistant(f"Parcel {at} is on its way to you."))
    for at in range(20)
)


class Placeholders:
    """Lines with placeholders that were not filled in, 4 bytes each."""

    signs = (rb"[{$]\{ ?[A-Za-z_]", rb"\{[a-z][a-z_]{2,30}\}", rb"(?:<|\\u003[cC])%=")

    def __init__(self) -> None:
        """Begin with none."""
        self.lines = array("I")

    def add(self, example: Example) -> None:
        """Look for one."""
        if is_unfilled(turns_of(example)):
            self.lines.append(example.line)

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self.lines.extend(line + lines for line in later.lines)


class EmptyValues:
    """Lines with a text that is an empty value, 4 bytes each, and how many answers are short."""

    def __init__(self) -> None:
        """Begin with none."""
        self.short = 0
        self.asked, self.answered, self.never_meant = array("I"), array("I"), array("I")

    def add(self, example: Example) -> None:
        """Look at question and answer."""
        turns = turns_of(example)
        answer = turns.answer
        if len(answer) <= _LABEL:
            self.short += 1
            if len(answer) <= _LONGEST_EMPTY and answer.strip() in _EMPTY and _is_odd(turns):
                meant = answer.strip() not in _NEVER_MEANT
                (self.answered if meant else self.never_meant).append(example.line)
                return
        first = turns.users[0] if turns.users else ""
        if 0 < len(first) <= _LONGEST_EMPTY and first.strip() in _EMPTY:
            self.asked.append(example.line)

    def merge(self, later: Self, lines: int) -> None:
        """Take in those of what follows."""
        self.short += later.short
        for own, more in (
            (self.asked, later.asked),
            (self.answered, later.answered),
            (self.never_meant, later.never_meant),
        ):
            own.extend(line + lines for line in more)


def is_unfilled(turns: Turns) -> bool:
    """Whether a text holds a placeholder, and nothing in the example speaks of such."""
    given = (*turns.users, *turns.rest)
    for text in (*given, turns.answer):
        found = _PLACEHOLDER.search(text) if "{" in text else None
        found = found or (_PERCENT.search(text) if "<%=" in text else None)
        if found:
            return not _is_meant(found[0], given, turns.answer)
    return False


def _is_meant(placeholder: str, given: tuple[str, ...], answer: str) -> bool:
    """Whether the answer keeps it, as a translation does, or the example speaks of such."""
    if placeholder in answer and any(placeholder in text for text in given):
        return True
    said = "\n".join((*given, answer))
    if any(sign in said for sign in _WRITES_IT):
        return True
    said = said.casefold()
    return any(word in said for word in _SPEAKS_OF_IT)


def _is_odd(turns: Turns) -> bool:
    """Whether nothing before the answer names the value that it is."""
    said = turns.answer.strip().casefold()
    return not any(said in text.casefold() for text in (*turns.users, *turns.rest))


@rules.file(
    "unrendered-template",
    Severity.WARNING,
    says="A text holds a placeholder such as {{name}}, {name}, ${name} or <%= name %> that was not "
    "filled in, where the other examples' were.",
    fix="Fill in the template before writing the file.",
    states=(Placeholders,),
    fails=case(*FACTS, chat(user("Dear {{name}}, where is it?"), assistant("On its way."))),
    passes=case(
        *FACTS, chat(user("What does {{name}} mean in a template?"), assistant("A variable."))
    ),
)
def unrendered_template(file: FileView) -> Iterator[Place]:
    """Yield a place for each such line, if one in twenty is, at most: else they are meant."""
    found, examples = file.state(Placeholders).lines, file.examples
    if examples >= _LEAST and len(found) <= max(1, _FEW * examples):
        yield from _listed([(line, "a placeholder was not filled in") for line in found])


@rules.file(
    "empty-value-as-text",
    Severity.WARNING,
    says='A text is nothing but "nan", "None", "null", "undefined", "[object Object]" or "<NA>": '
    "an empty value that a program wrote out.",
    fix="Leave the example out, or write what belongs there.",
    formats=("supervised",),
    states=(EmptyValues,),
    fails=case(*FACTS, chat(user(), assistant("nan"))),
    passes=case(*FACTS, chat(user("Is there an error? Say null or a number."), assistant("null"))),
)
def empty_value_as_text(file: FileView) -> Iterator[Place]:
    """Yield a place for each such text; None and null may be a class where answers are short."""
    state = file.state(EmptyValues)
    answered = "the answer is an empty value that was written out"
    found = [(line, answered) for line in state.never_meant]
    found += [(line, "the question is an empty value that was written out") for line in state.asked]
    if 2 * state.short <= file.examples and len(state.answered) <= max(1, _FEW * file.examples):
        found += [(line, answered) for line in state.answered]
    yield from _listed(found)


def _listed(found: list[tuple[int, str]]) -> Iterator[Place]:
    for line, said in sorted(found)[:LISTED]:
        yield Place(message=said, line=line)
    if len(found) > LISTED:
        yield Place(message="and more", count=len(found) - LISTED)


_IN_TEXT = re.compile(r"\b[Dd]ear (?:nan|None)\b|\[object Object\]")
_PROGRAMS = re.compile(
    r"javascript|\bjs\b|tostring|console|object|json|code|function|alert|print|bug|error|pandas"
    r"|python|render|`",
    re.IGNORECASE,
)


@rules.example(
    "empty-value-in-text",
    Severity.WARNING,
    says='A text greets "nan" or "None", or holds "[object Object]": a value was missing.',
    fix="Write what belongs there, or leave the example out.",
    signs=(b"ear nan", b"ear None", rb"\[object Object\]"),
    fails=case(chat(user(), assistant("Dear nan, your parcel is on its way."))),
    passes=case(chat(user("Why does JavaScript show [object Object]?"), assistant("Ask it."))),
)
def empty_value_in_text(example: Example) -> Iterator[Place]:
    """Yield a place for each text with such a value, unless the example speaks of programs."""
    found = [
        text
        for text in example.texts
        if _IN_TEXT.search(text.text) and text.text.strip() not in _EMPTY
    ]
    said = [_IN_TEXT.sub("", text.text) for text in example.texts] if found else []
    if any(_PROGRAMS.search(text) for text in said):
        return
    for text in found:
        yield Place(message="an empty value was written into the text", path=text.path)

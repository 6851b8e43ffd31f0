"""What a rule is, and how a module of rules declares its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from droptune.domain.findings import Severity

Check = TypeVar("Check", bound=Callable[..., Any])
Lines = tuple["bytes | Mapping[str, Any]", ...]


class Kind(StrEnum):
    """What a rule looks at, and when it is asked."""

    START = "start"
    LINE = "line"
    EXAMPLE = "example"
    FILE = "file"
    DATASET = "dataset"


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """One place that a rule speaks of; file and severity are known to who asked.

    Attributes:
        message: what is wrong, without the place: a clause without a full stop, or sentences.
        path: JSON path such as `messages[2].role`.
        fix: what would be right, where that differs from what the rule says for all.
        line: for rules on files: the line, from 1; None for the file as a whole.
        file: for rules on datasets: the name of the file; None for the dataset as a whole.
        count: how many places this one stands for.
    """

    message: str
    path: str | None = None
    fix: str = ""
    line: int | None = None
    file: str | None = None
    count: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """A small dataset that a rule fails or passes; see `case`."""

    training: Lines
    validation: Lines = ()
    test: Lines = ()
    request: Mapping[str, Any]
    size_bytes: int | None = None


def case(
    *training: Any,
    validation: Lines = (),
    test: Lines = (),
    size_bytes: int | None = None,
    **request: Any,
) -> Case:
    """Return a fixture: objects are written as JSON lines, bytes are taken as they are.

    `request` are fields of ValidationRequest, such as `method` or `model`; `size_bytes` is what the
    file is said to have.
    """
    return Case(
        training=training, validation=validation, test=test, request=request, size_bytes=size_bytes
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule; its function yields a Place for each thing that it objects to.

    Attributes:
        id: stable, kebab-case, unique over all families.
        says: one sentence for the page of rules.
        fix: one sentence: what would be right.
        cookbook: the error class of OpenAI's cookbook that it corresponds to.
        formats: supervised, dpo, reinforcement; empty for all.
        fails, passes: a dataset each, of which the rule speaks, and does not speak; a function
            where it is large, because every start of the program makes the others.
        odd_only: asked only of examples that are anything but `messages` of non-blank text with
            known roles, the last of them the assistant's, on a line with no more bytes than the
            model trains on tokens. Most examples are not odd, and cost nothing.
        signs: asked only of lines in which one of these expressions is found; empty for all. They
            see the line as it is written, with JSON's escapes; see `validation/signs.py` for what
            they may hold.
        faulty_only: a rule on lines that is asked only of lines that hold no valid object.
        states: what it wants gathered over a file.
        together: the one statistic that is told of a file instead of its places: a clause with
            `{count}` and the first `{line}`.
    """

    id: str
    family: str
    kind: Kind
    severity: Severity
    says: str
    fix: str
    check: Callable[..., Iterable[Place]]
    fails: Case | Callable[[], Case]
    passes: Case | Callable[[], Case]
    cookbook: str = ""
    formats: tuple[str, ...] = ()
    odd_only: bool = False
    faulty_only: bool = False
    signs: tuple[bytes, ...] = ()
    states: tuple[type[Any], ...] = ()
    together: str = ""

    def cases(self) -> tuple[Case, Case]:
        """Return the fixture that fails and the one that passes."""
        fails, passes = self.fails, self.passes
        return (
            fails if isinstance(fails, Case) else fails(),
            passes if isinstance(passes, Case) else passes(),
        )

    def applies_to(self, data_format: str) -> bool:
        """Whether the rule speaks of data of this format."""
        return not self.formats or data_format in self.formats


class Family:
    """The rules of one module, in the order in which they are written."""

    def __init__(self, name: str) -> None:
        """Begin a family; `name` groups its rules on the page of rules."""
        self.name = name
        self.rules: list[Rule] = []

    def start(self, id: str, severity: Severity, **rest: Any) -> Callable[[Check], Check]:
        """Declare a rule on a file's first bytes: `check(start: FileStart)`.

        A file of which such an error speaks is not read any further.
        """
        return self._declare(Kind.START, id, severity, rest)

    def line(self, id: str, severity: Severity, **rest: Any) -> Callable[[Check], Check]:
        """Declare a rule on a line's bytes: `check(line: RawLine)`; give faulty_only or signs."""
        return self._declare(Kind.LINE, id, severity, rest)

    def example(self, id: str, severity: Severity, **rest: Any) -> Callable[[Check], Check]:
        """Declare a rule on an example: `check(example: Example)`."""
        return self._declare(Kind.EXAMPLE, id, severity, rest)

    def file(self, id: str, severity: Severity, **rest: Any) -> Callable[[Check], Check]:
        """Declare a rule on a file as a whole: `check(file: FileView)`; name its `states`."""
        return self._declare(Kind.FILE, id, severity, rest)

    def dataset(self, id: str, severity: Severity, **rest: Any) -> Callable[[Check], Check]:
        """Declare a rule on all files together: `check(dataset: DatasetView)`."""
        return self._declare(Kind.DATASET, id, severity, rest)

    def _declare(
        self, kind: Kind, id: str, severity: Severity, rest: dict[str, Any]
    ) -> Callable[[Check], Check]:
        def keep(check: Check) -> Check:
            rule = Rule(id=id, family=self.name, kind=kind, severity=severity, check=check, **rest)
            self.rules.append(rule)
            return check

        return keep

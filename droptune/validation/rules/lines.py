"""Lines that hold no example: each says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from droptune.domain.findings import Severity
from droptune.validation.rules.example import RawLine
from droptune.validation.rules.faults import FaultKind
from droptune.validation.rules.fixtures import chat
from droptune.validation.rules.registry import Case, Family, Place, case

rules = Family("lines")
GOOD = json.dumps(chat()).encode()
ONE_A_LINE = "Write one JSON object a line."


def _fault_rule(
    id: str,
    kind: FaultKind,
    *,
    says: str,
    fix: str,
    fails: Case | Callable[[], Case],
    passes: Case | None = None,
    severity: Severity = Severity.ERROR,
    cookbook: str = "",
    together: str = "",
) -> Callable[[RawLine], Iterator[Place]]:
    """Declare the rule that tells of one kind of fault."""

    @rules.line(
        id,
        severity,
        says=says,
        fix=fix,
        faulty_only=True,
        fails=fails,
        passes=passes or case(GOOD),
        cookbook=cookbook,
        together=together,
    )
    def check(line: RawLine) -> Iterator[Place]:
        if line.fault is not None and line.fault.kind is kind:
            yield Place(message=line.fault.detail)

    return check


_fault_rule(
    "blank-line",
    FaultKind.BLANK,
    severity=Severity.INFO,
    says="Lines are blank.",
    fix="Remove them; `--fix` does.",
    fails=case(GOOD, b"  ", GOOD),
    together="blank lines: {count:,}, the first is line {line}",
)
_fault_rule(
    "line-too-long",
    FaultKind.TOO_LONG,
    says="A line is longer than any example may be.",
    fix="Split the example.",
    fails=lambda: case(b'{"messages": "' + b"a" * (33 << 20)),
)
_fault_rule(
    "not-utf-8",
    FaultKind.NOT_UTF8,
    says="A line holds bytes that are not UTF-8.",
    fix="Save the file as UTF-8.",
    fails=case(GOOD, b'{"messages": "caf\xe9"}'),
    passes=case('{"messages": [{"role": "user", "content": "café"}]}'.encode()),
)
_fault_rule(
    "too-deep",
    FaultKind.TOO_DEEP,
    says="Arrays or objects are nested deeper than 100 levels.",
    fix="Use plain messages.",
    fails=lambda: case(b'{"a":' + b"[" * 100_000),
    passes=case(b'{"a":' + b"[" * 50 + b"]" * 50 + b"}"),
)
_fault_rule(
    "broken-off",
    FaultKind.BROKEN_OFF,
    says="A line ends in the middle of its object: the file seems half-written.",
    fix="Write the whole file again; a line break inside a text is written \\n.",
    fails=case(GOOD, GOOD[:-20]),
)
_fault_rule(
    "invalid-json",
    FaultKind.SYNTAX,
    says="A line is not JSON.",
    fix=ONE_A_LINE,
    fails=case(b"{'messages': []}"),
)
_fault_rule(
    "not-a-number",
    FaultKind.NOT_A_NUMBER,
    says="NaN or Infinity stands where JSON knows only numbers.",
    fix="Write null, or leave the field out.",
    fails=case(b'{"messages": [], "score": NaN}'),
)
_fault_rule(
    "number-range",
    FaultKind.NUMBER_RANGE,
    says="A number is too large to be read.",
    fix="Write a number that a double can hold, or a text.",
    fails=case(b'{"messages": [], "score": 1e999}'),
    passes=case(b'{"messages": [], "score": 123456789012345678901234567890}'),
)
_fault_rule(
    "duplicate-key",
    FaultKind.DUPLICATE_KEY,
    says="A key stands twice in one object, so that one of the two values is lost.",
    fix="Keep one of them.",
    fails=case(b'{"messages": [], "messages": []}'),
    passes=case(b'{"messages": [], "a\\\\": "\\":", "b" : 1}'),
)
_fault_rule(
    "lone-surrogate",
    FaultKind.SURROGATE,
    says="An escape stands for half a character (a lone surrogate).",
    fix="Write the whole character; do not cut texts inside an emoji.",
    fails=case(b'{"messages": "\\ud83d"}'),
    passes=case(b'{"messages": "\\ud83d\\ude00"}'),
)
_fault_rule(
    "not-an-object",
    FaultKind.NOT_AN_OBJECT,
    says="A line holds JSON, but no object.",
    fix='Write {"messages": [...]}.',
    fails=case(b"3"),
    cookbook="data_type",
)

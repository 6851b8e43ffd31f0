"""From a file's bytes to its examples, line by line; what is no JSON object becomes a finding."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from droptune.domain.findings import Finding, Severity
from droptune.validation.sources import Source

LONGEST_LINE = 32 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line that holds a JSON object."""

    number: int
    example: dict[str, Any]
    digest: bytes


class _Invalid(ValueError):
    """A line that JSON does not allow, although Python would."""


class LineReader:
    """Iterates over a source once; afterwards `sha256` and `size_bytes` are those of all its
    bytes."""

    def __init__(self, source: Source, report: Callable[[Finding], None]) -> None:
        """Read `source` and hand findings to `report`."""
        self._source, self._report = source, report
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """SHA-256 of everything read so far, in hex."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[Line]:
        """Yield the lines that hold an object."""
        with self._source.open() as stream:
            number = 0
            readable = True
            while raw := stream.readline(LONGEST_LINE):
                number += 1
                self._hash.update(raw)
                self.size_bytes += len(raw)
                if number == 1:
                    readable = self._check_start(raw)
                if readable and (line := self._line(raw, number)):
                    yield line
        if self.size_bytes == 0:
            self._error("empty-file", None, "The file is empty.", "Write one example a line.")

    def _check_start(self, raw: bytes) -> bool:
        """Return whether the file is text that may be JSONL; what it seems to be is said
        otherwise."""
        for magic, kind, fix in _STRANGERS:
            if raw.startswith(magic):
                self._error("not-jsonl", 1, f"The file is {kind}, not JSONL.", fix)
                return False
        text = raw.removeprefix(_BOM).strip()
        if text[:1] == b"[":
            fix = "Write each element of the array on a line of its own."
            self._error("json-array", 1, "The file is one JSON array, not JSONL.", fix)
            return False
        if text and text[:1] != b"{" and text.count(b",") >= 1 and text[:1].isalpha():
            fix = 'Write one JSON object a line: {"messages": [...]}.'
            self._error("not-jsonl", 1, "The file looks like CSV, not JSONL.", fix)
            return False
        if raw.startswith(_BOM):
            self._report(
                Finding(
                    rule="byte-order-mark",
                    severity=Severity.INFO,
                    file=self._source.name,
                    line=1,
                    message="The file begins with a byte order mark; it is accepted.",
                )
            )
        return True

    def _line(self, raw: bytes, number: int) -> Line | None:
        if len(raw) >= LONGEST_LINE:
            said = f"The line is longer than {LONGEST_LINE >> 20} MB."
            self._error("line-too-long", number, said, "Split the example.")
            return None
        text = raw.removeprefix(_BOM) if number == 1 else raw
        if not text.strip():
            if text:
                self._blank(number)
            return None
        try:
            value = _decode(text)
        except UnicodeDecodeError as error:
            said = f"Byte {error.start + 1} of the line is not UTF-8."
            self._error("not-utf-8", number, said, "Save the file as UTF-8.")
            return None
        except (ValueError, RecursionError) as error:
            self._not_json(raw, number, error)
            return None
        if not isinstance(value, dict):
            said = f"The line holds {_kind(value)}, not an object."
            self._error("not-an-object", number, said, 'Write {"messages": [...]}.')
            return None
        return Line(number=number, example=value, digest=hashlib.sha256(text.strip()).digest())

    def _not_json(self, raw: bytes, number: int, error: Exception) -> None:
        if isinstance(error, RecursionError):
            said, fix = "The line is nested too deeply.", "Use plain messages."
        elif not raw.endswith(b"\n") and isinstance(error, json.JSONDecodeError):
            said = "The last line breaks off: the file seems half-written."
            fix = "Write the whole file again."
        elif isinstance(error, json.JSONDecodeError):
            said = f"The line is not JSON: {error.msg} at column {error.colno}."
            fix = "Write one JSON object a line."
        else:
            said, fix = f"The line is not JSON: {error}.", "Write one JSON object a line."
        self._error("invalid-json", number, said, fix)

    def _blank(self, number: int) -> None:
        self._report(
            Finding(
                rule="blank-line",
                severity=Severity.WARNING,
                file=self._source.name,
                line=number,
                message="The line is blank; the service may refuse it.",
                fix="Remove it.",
            )
        )

    def _error(self, rule: str, line: int | None, said: str, fix: str) -> None:
        self._report(
            Finding(
                rule=rule,
                severity=Severity.ERROR,
                file=self._source.name,
                line=line,
                message=said,
                fix=fix,
            )
        )


_STRANGERS = (
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it first."),
    (b"PAR1", "a Parquet file", "Export it as JSONL."),
    (b"\xff\xfe", "UTF-16", "Save it as UTF-8."),
    (b"\xfe\xff", "UTF-16", "Save it as UTF-8."),
)


def _decode(text: bytes) -> Any:
    return json.loads(
        text.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
    )


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Invalid(f"the key {twice[:40]!r} stands twice in one object")
    return found


def _refuse_constant(name: str) -> None:
    raise _Invalid(f"{name} is no JSON number")


def _kind(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")

"""What a file's first bytes give away: another format, before any line is read."""

from __future__ import annotations

import json
from collections.abc import Iterator

from droptune.domain.findings import Severity
from droptune.validation.rules.example import FileStart, RawLine
from droptune.validation.rules.fixtures import chat
from droptune.validation.rules.registry import Family, Place, case

rules = Family("file")
BOM = b"\xef\xbb\xbf"
GOOD = case(chat())
_PACKED = (
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (b"PK\x03\x04", "a ZIP archive", "Unpack it first."),
    (b"BZh", "compressed with bzip2", "Unpack it first."),
    (b"\xfd7zXZ", "compressed with xz", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", "Unpack it first."),
    (b"PAR1", "a Parquet file", "Export it as JSONL."),
    (b"%PDF", "a PDF document", "Export it as JSONL."),
)


@rules.start(
    "empty-file",
    Severity.ERROR,
    says="The file has no content.",
    fix="Write one example a line.",
    fails=case(b""),
    passes=GOOD,
)
def empty_file(start: FileStart) -> Iterator[Place]:
    """Yield a place if nothing is in the file."""
    if not start.data:
        yield Place(message="the file is empty")


@rules.start(
    "not-jsonl",
    Severity.ERROR,
    says="The file is compressed, an archive, or of another kind altogether.",
    fix="Write JSONL: one JSON object a line.",
    fails=case(b"\x1f\x8b\x08rest"),
    passes=GOOD,
)
def not_jsonl(start: FileStart) -> Iterator[Place]:
    """Yield a place if the first bytes are those of another format."""
    for magic, kind, fix in _PACKED:
        if start.data.startswith(magic):
            yield Place(message=f"the file is {kind}, not JSONL", fix=fix)


@rules.start(
    "utf-16",
    Severity.ERROR,
    says="The file is written in UTF-16 or UTF-32.",
    fix="Save it as UTF-8.",
    fails=case('{"messages": []}'.encode("utf-16")),
    passes=GOOD,
)
def utf_16(start: FileStart) -> Iterator[Place]:
    """Yield a place if the file has another byte order mark, or a NUL at every second byte."""
    marked = start.data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"))
    if marked or start.data[:4] in (b'{\x00"\x00', b'\x00{\x00"'):
        yield Place(message="the file is UTF-16 or UTF-32, not UTF-8")


@rules.start(
    "json-array",
    Severity.ERROR,
    says="The file is one JSON array of examples.",
    fix="Write each element of the array on a line of its own.",
    fails=case(b'[{"messages": []},\n{"messages": []}]\n'),
    passes=GOOD,
)
def json_array(start: FileStart) -> Iterator[Place]:
    """Yield a place if an array opens the file."""
    if _text(start).startswith(b"["):
        yield Place(message="the file is one JSON array, not JSONL", line=1)


@rules.start(
    "pretty-printed",
    Severity.ERROR,
    says="JSON objects are spread over several lines.",
    fix="Write each object on one line.",
    fails=case(b'{\n  "messages": [\n  ]\n}\n'),
    passes=GOOD,
)
def pretty_printed(start: FileStart) -> Iterator[Place]:
    """Yield a place if the first line only opens an object and the next begins a key."""
    lines = _text(start).split(b"\n", 2)
    if len(lines) > 1 and lines[0].strip() == b"{" and lines[1].strip().startswith((b'"', b"}")):
        yield Place(message="the JSON is spread over several lines", line=1)


@rules.start(
    "csv",
    Severity.ERROR,
    says="The file looks like a table with separators (CSV, TSV).",
    fix='Write one JSON object a line: {"messages": [...]}.',
    fails=case(b"prompt,answer\nhi,ho\n"),
    passes=GOOD,
)
def csv(start: FileStart) -> Iterator[Place]:
    """Yield a place if the first line is words with separators, and no JSON value."""
    first = _text(start).split(b"\n", 1)[0].strip()
    separated = any(separator in first for separator in (b",", b"\t", b";"))
    if first[:1] in (b"{", b"[") or not separated or _is_json(first):
        return
    if first[:1] in (b'"', b"'") or first[:1].isalnum():
        yield Place(message="the file looks like CSV, not JSONL", line=1)


@rules.line(
    "byte-order-mark",
    Severity.INFO,
    says="The file begins with a byte order mark; it is accepted.",
    fix="`--fix` removes it.",
    signs=(BOM,),
    fails=case(BOM + json.dumps(chat()).encode()),
    passes=GOOD,
    together="a byte order mark stands at the beginning",
)
def byte_order_mark(line: RawLine) -> Iterator[Place]:
    """Yield a place if a line begins with the mark: the first, or that of a part."""
    if line.raw.startswith(BOM):
        yield Place(message="a byte order mark stands at the beginning")


def _text(start: FileStart) -> bytes:
    return start.data.removeprefix(BOM).lstrip()


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True

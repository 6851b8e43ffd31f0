"""The lines that findings name, as a person may see them: cut short, secrets masked."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from droptune.domain.findings import Finding
from droptune.validation.blocks import read_blocks
from droptune.validation.masking import MASK, mask
from droptune.validation.report import Sample
from droptune.validation.sources import Source

EACH, MOST = 3, 60
_SHOWN, _LOOKED_AT, _LAST_WORD = 320, 12_000, 400
_SHORT = 60
_READ_BYTES = 64 << 20
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+)\]")
_REFUSALS = (msgspec.MsgspecError, ValueError, RecursionError)


def read_samples(sources: Sequence[Source], findings: Iterable[Finding]) -> tuple[Sample, ...]:
    """Return what stands at the first places of each rule: three a file, sixty in all.

    Reads the first 64 MB of a file once more; a line that lies further on has no sample, nor has
    a file that is gone by now.
    """
    wanted = list(_wanted(findings))
    found: list[Sample] = []
    for source in sources:
        own = [finding for finding in wanted if finding.file == source.name]
        lines = _read_lines(source, {finding.line or 0 for finding in own})
        found += [
            _sample(each, raw) for each in own if (raw := lines.get(each.line or 0)) is not None
        ]
    return tuple(found)


def _wanted(findings: Iterable[Finding]) -> Iterator[Finding]:
    seen: Counter[tuple[str, str | None]] = Counter()
    for finding in findings:
        key = (finding.rule, finding.file)
        if finding.line is not None and finding.file and seen[key] < EACH and seen.total() < MOST:
            seen[key] += 1
            yield finding


def _read_lines(source: Source, numbers: set[int]) -> Mapping[int, bytes]:
    """Return some lines by their numbers, from 1."""
    found: dict[int, bytes] = {}
    try:
        before = 0
        for block in read_blocks(source, 0, _READ_BYTES) if numbers else ():
            after = before + (1 if block.too_long else block.data.count(b"\n"))
            if any(before < number <= after + 1 for number in numbers):
                lines = block.data.split(b"\n")
                for number in numbers:
                    if before < number <= before + len(lines):
                        found.setdefault(number, lines[number - before - 1])
            before = after
            if before >= max(numbers):
                break
    except OSError:
        return found
    return found


def _sample(finding: Finding, raw: bytes) -> Sample:
    whole = _text_at(raw, finding.path)
    text = mask(whole[:_LOOKED_AT])
    if len(whole) > _LOOKED_AT:
        text = text[: _last_border(text)]
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return Sample(
        rule=finding.rule,
        file=finding.file or "",
        line=finding.line or 0,
        path=finding.path,
        text=shown,
    )


def _last_border(text: str) -> int:
    """Return where the last word begins, which may be half a secret."""
    masked = text.rfind(MASK)
    borders = (text.rfind(" "), text.rfind("\n"), masked + len(MASK) if masked >= 0 else 0)
    return max(*borders, len(text) - _LAST_WORD)


def _text_at(raw: bytes, path: str | None) -> str:
    """Return the value at a path, with what is around it where it is short; else the line."""
    line = raw.decode("utf-8", "replace").strip("\r\n")
    if not path:
        return line
    try:
        value, around = _walk(msgspec.json.decode(raw), path)
    except (*_REFUSALS, LookupError, TypeError, AttributeError):
        return line
    if type(value) is str and len(value) > _SHORT:
        return value
    return msgspec.json.encode(around).decode("utf-8", "replace")


def _walk(value: Any, path: str) -> tuple[Any, Any]:
    """Return the value at a path and what holds it; of a missing key, what would hold it."""
    around = value
    for key, index in _STEP.findall(path):
        around = value
        value = value[int(index)] if index else value.get(key)
    return value, around

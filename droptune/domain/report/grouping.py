"""Findings together that one act of mending cures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from droptune.domain.payload import Payload

SEVERITIES = ("error", "warning", "info")
_LINE = re.compile(r"^line \d+: ")


@dataclass(kw_only=True, slots=True)
class Places:
    """Where a rule says the same, word for word.

    Attributes:
        message: without the line.
        count: places, those that have no line of their own among them.
    """

    file: str | None
    message: str
    lines: list[int] = field(default_factory=list)
    paths: list[str | None] = field(default_factory=list)
    count: int = 0

    def __str__(self) -> str:
        """Return the lines, if any, and what is said of them."""
        if not self.lines:
            return self.message
        one = "line" if len(self.lines) == 1 else "lines"
        return f"{one} {_runs(self.lines)}: {self.message}"


@dataclass(kw_only=True, slots=True)
class Group:
    """The findings of one rule with one remedy, in all files.

    Attributes:
        count: places, those that are not listed among them.
    """

    rule: str
    severity: str
    fix: str
    findings: list[Mapping[str, Any]] = field(default_factory=list)
    count: int = 0

    def places(self) -> list[Places]:
        """Return what is said, with all the lines of which it is said, in order."""
        found: dict[tuple[str | None, str, bool], Places] = {}
        for finding in self.findings:
            line, message = finding.get("line"), str(finding["message"])
            said = _LINE.sub("", message, count=1)
            key = (finding.get("file"), said, line is None)
            places = found.setdefault(key, Places(file=key[0], message=said))
            places.count += finding.get("count", 1)
            if line is not None:
                places.lines.append(line)
                places.paths.append(finding.get("path"))
        return list(found.values())


def group(document: Payload) -> tuple[Group, ...]:
    """Return the groups, worst first, in the order of the report."""
    groups = list(_groups(document["findings"]))
    return tuple(sorted(groups, key=lambda each: SEVERITIES.index(each.severity)))


def _groups(findings: Iterable[Mapping[str, Any]]) -> Iterable[Group]:
    found: dict[tuple[str, str, str], Group] = {}
    for finding in findings:
        key = (finding["severity"], finding["rule"], finding.get("fix") or "")
        if key not in found:
            found[key] = Group(severity=key[0], rule=key[1], fix=key[2])
        found[key].findings.append(finding)
        found[key].count += finding.get("count", 1)
    return found.values()


def _runs(lines: Sequence[int]) -> str:
    """Return line numbers, three or more in a row as a span."""
    found: list[str] = []
    at = 0
    while at < len(lines):
        end = at
        while end + 1 < len(lines) and lines[end + 1] == lines[end] + 1:
            end += 1
        if end - at < 2:
            found.append(f"{lines[at]:,}")
            at += 1
        else:
            found.append(f"{lines[at]:,}-{lines[end]:,}")
            at = end + 1
    return ", ".join(found)

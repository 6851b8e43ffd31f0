"""Runs a rule's fixtures through the whole engine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from droptune.domain.dataset import Role
from droptune.validation import BytesSource, Report, Source, ValidationRequest, validate
from droptune.validation.rules.registry import Case, Lines


def report_on(given: Case) -> Report:
    """Return the report on a fixture."""
    return validate(sources_of(given), request=ValidationRequest(**given.request))


def sources_of(given: Case) -> list[Source]:
    """Return a fixture's files."""
    lines = {
        Role.TRAINING: given.training,
        Role.VALIDATION: given.validation,
        Role.TEST: given.test,
    }
    return [
        Sized(name=f"{role.value}.jsonl", role=role, data=as_bytes(found), said=given.size_bytes)
        for role, found in lines.items()
        if found
    ]


def as_bytes(lines: Lines) -> bytes:
    """Return lines as a file's content; a single line of bytes is the whole content."""
    if len(lines) == 1 and isinstance(lines[0], bytes):
        return lines[0]
    return b"".join(
        (json.dumps(line, ensure_ascii=False).encode() if isinstance(line, Mapping) else line)
        + b"\n"
        for line in lines
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Sized(BytesSource):
    """Bytes in memory that may claim to be more than they are."""

    said: int | None = None

    @property
    def size_bytes(self) -> int:
        """What the file claims."""
        return len(self.data) if self.said is None else self.said

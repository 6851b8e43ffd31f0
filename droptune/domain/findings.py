"""What a check says: what is wrong, where, and what would be right."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from droptune.domain.payload import Model


class Severity(StrEnum):
    """How bad a finding is; only an error rejects."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding(Model):
    """One thing that a rule says of a dataset or a configuration file.

    Attributes:
        rule: stable id, kebab-case; programs may depend on it.
        message: one sentence: what is wrong.
        file: name of the file inside the dataset, or None for the dataset as a whole.
        line: 1-based line, or None.
        path: JSON path such as `messages[2].role`, or None.
        fix: one sentence: what would be right.
        count: how often the rule applies in this file; at most 20 places are listed one by one.
    """

    rule: str
    severity: Severity
    message: str
    file: str | None = None
    line: int | None = None
    path: str | None = None
    fix: str = ""
    count: int = 1

    def __str__(self) -> str:
        """Return `file:line: path: message (fix)`, leaving out what is not known."""
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        parts = [part for part in (place, self.path) if part]
        return ": ".join([*parts, self.message]) + (f" {self.fix}" if self.fix else "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem(Model):
    """Why something ended or was refused, for people (message, remedy) and programs (code).

    Attributes:
        evidence: the service's answer, whole, where the table of its errors does not know it.
    """

    code: str
    message: str
    remedy: str = ""
    evidence: str = ""

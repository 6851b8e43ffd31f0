"""A copy of a dataset's files in which is corrected what can be corrected without judgement."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

from droptune.domain.dataset import Role
from droptune.domain.payload import Model
from droptune.validation.rewriting.lines import BOM, LineTooLongError, read_lines
from droptune.validation.sources import Source


class UnfixableError(Exception):
    """A file cannot be copied without loss; says why as a clause."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Fixed(Model):
    """What was corrected in the copy of a file.

    Attributes:
        line_ends: lines whose CRLF became LF, the missing line end after the last line among them.
        duplicates: lines left out because the same example stands before in the role's data.
    """

    name: str
    role: Role
    lines: int
    kept: int
    byte_order_mark: bool = False
    line_ends: int = 0
    blank_lines: int = 0
    duplicates: int = 0

    def __str__(self) -> str:
        """Return it as a clause."""
        done = ["byte order mark removed"] if self.byte_order_mark else []
        done += [
            f"{count:,} {noun if count == 1 else plural}"
            for count, noun, plural in (
                (self.line_ends, "line end mended", "line ends mended"),
                (self.blank_lines, "blank line left out", "blank lines left out"),
                (self.duplicates, "repeated example left out", "repeated examples left out"),
            )
            if count
        ]
        of = f"{self.kept:,} of {self.lines:,} lines kept"
        return f"{', '.join(done)}; {of}" if done else f"nothing to correct; {of}"


class Fixer:
    """Copies the files of one role; bytes of lines that need nothing stay as they are."""

    def __init__(self, role: Role) -> None:
        """Begin with no file."""
        self._role = role
        self._seen: set[bytes] = set()

    def copy(self, source: Source, into: BinaryIO) -> Fixed:
        """Write a corrected copy.

        Raises:
            UnfixableError: a line cannot be held; what was written is of no use.
            OSError: source or copy failed.
        """
        lines = kept = ends = blank = repeated = 0
        has_mark = False
        try:
            for number, read, ended in read_lines(source):
                raw, lines = read, number
                if number == 1 and raw.startswith(BOM):
                    raw, has_mark = raw[len(BOM) :], True
                if not raw.strip():
                    blank += 1
                elif self._is_repeated(raw):
                    repeated += 1
                else:
                    line = raw.rstrip(b"\r")
                    ends += len(line) < len(raw) or not ended
                    kept += 1
                    into.write(line + b"\n")
        except LineTooLongError as error:
            raise UnfixableError(str(error)) from error
        return Fixed(
            name=source.name,
            role=self._role,
            lines=lines,
            kept=kept,
            byte_order_mark=has_mark,
            line_ends=ends,
            blank_lines=blank,
            duplicates=repeated,
        )

    def _is_repeated(self, raw: bytes) -> bool:
        digest = hashlib.sha256(raw.rstrip()).digest()[:16]
        if digest in self._seen:
            return True
        self._seen.add(digest)
        return False

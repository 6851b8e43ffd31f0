"""The lines of a source, one by one, for those that write them anew."""

from __future__ import annotations

from collections.abc import Iterator

from droptune.validation.blocks import LONGEST_LINE, read_blocks
from droptune.validation.sources import Source

BOM = b"\xef\xbb\xbf"


class LineTooLongError(Exception):
    """A line is longer than can be held; names its number."""

    def __init__(self, line: int) -> None:
        """Say which."""
        super().__init__(f"line {line} is longer than {LONGEST_LINE >> 20} MB")
        self.line = line


def read_lines(source: Source) -> Iterator[tuple[int, bytes, bool]]:
    """Yield number from 1, bytes without the line feed, and whether one follows.

    Raises LineTooLongError, and OSError where the source cannot be read.
    """
    number = 0
    for block in read_blocks(source):
        if block.too_long:
            raise LineTooLongError(number + 1)
        lines = block.data.split(b"\n")
        if block.ended:
            lines.pop()
        for at, raw in enumerate(lines):
            number += 1
            yield number, raw, block.ended or at < len(lines) - 1

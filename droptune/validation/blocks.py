"""From a byte range to blocks of whole lines: a range owns the lines that begin in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from droptune.validation.sources import Source

BLOCK = 1 << 20
LONGEST_LINE = 32 << 20


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines, or in place of a line that is too long to be held, no data.

    Attributes:
        ended: whether the last line has a line end.
    """

    data: bytes
    ended: bool = True
    too_long: bool = False


def read_blocks(
    source: Source,
    start: int = 0,
    end: int | None = None,
    *,
    on_bytes: Callable[[bytes], object] | None = None,
) -> Iterator[Block]:
    """Yield the lines that begin in [start, end), about a megabyte at a time.

    `end` None means the end of the file; `on_bytes` is called with every piece as it is read.
    """
    begin = max(0, start - 1)
    with source.open(begin) as stream:
        pieces = iter(lambda: stream.read(BLOCK), b"")
        told = _told(pieces, on_bytes) if on_bytes else pieces
        yield from cut_blocks(_owned(told, begin, start > 0, end))


def _told(pieces: Iterator[bytes], on_bytes: Callable[[bytes], object]) -> Iterator[bytes]:
    for piece in pieces:
        on_bytes(piece)
        yield piece


def _owned(
    pieces: Iterator[bytes], position: int, inside: bool, end: int | None
) -> Iterator[bytes]:
    """Yield from the first line that begins in the range to the end of the last one.

    `position` is where the pieces begin; `inside` says that this is inside a line of another range.
    """
    for piece in pieces:
        skip, after = 0, position + len(piece)
        if inside:
            skip = piece.find(b"\n") + 1
            if end is not None and (position + skip if skip else after) >= end:
                return
            inside = not skip
        if end is not None and after >= end and not inside:
            last = piece.find(b"\n", max(skip, end - 1 - position)) + 1
            if last:
                yield piece[skip:last]
                return
        if not inside:
            yield piece[skip:] if skip else piece
        position = after


def cut_blocks(pieces: Iterator[bytes]) -> Iterator[Block]:
    """Join and cut pieces so that no line is torn; a line too long to be held is passed over."""
    held: list[bytes] = []
    size, skipping = 0, False
    for each in pieces:
        piece = each
        if skipping:
            newline = piece.find(b"\n") + 1
            if not newline:
                continue
            piece, skipping = piece[newline:], False
        if cut := piece.rfind(b"\n") + 1:
            yield Block(b"".join((*held, piece[:cut])))
            held, size, piece = [], 0, piece[cut:]
        if piece:
            held.append(piece)
            size += len(piece)
        if size > LONGEST_LINE:
            held, size, skipping = [], 0, True
            yield Block(b"", too_long=True)
    if held:
        yield Block(b"".join(held), ended=False)

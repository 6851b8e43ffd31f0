"""What people see: colours only on a terminal, JSON alone on stdout."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC
from typing import Any, TextIO

from droptune.domain.payload import parse_time

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
_OURS = re.compile(r"(\x1b\[(?:0|1|2|3[1236])m|[\n\t])")


class Terminal:
    """A stream for people; plain text unless it is a terminal that wants colours."""

    def __init__(
        self,
        stream: TextIO | None = None,
        *,
        colour: bool | None = None,
        live: bool | None = None,
    ) -> None:
        """Write to a stream, stdout by default."""
        self._stream = stream or sys.stdout
        self.colour = wants_colour(self._stream) if colour is None else colour
        self.is_live = is_live(self._stream) if live is None else live
        self._unfinished = False

    def say(self, text: str = "", style: str = "") -> None:
        """Write a line; what others wrote into it cannot command the terminal."""
        self._write(f"{printable(self.paint(text, style), colour=self.colour)}\n")

    def rewrite(self, text: str) -> None:
        """Show a line that the next one replaces; nothing where there is no terminal."""
        if self.is_live:
            self._write(f"\r{printable(text, colour=self.colour)}\x1b[K")
            self._unfinished = True

    def erase(self) -> None:
        """Take back the line that `rewrite` showed."""
        if self._unfinished:
            self._write("\r\x1b[K")
            self._unfinished = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def paint(self, text: str, style: str) -> str:
        """Return a text in a style, or as it is where there are no colours."""
        if not (self.colour and style and text):
            return text
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is a terminal whose user did not decline colours (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def is_live(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is a terminal whose lines can be written again."""
    return stream.isatty() and environ.get("TERM") != "dumb"


def printable(text: str, *, colour: bool) -> str:
    """Return a text without control characters but for our own colours, where there are colours."""
    parts = _OURS.split(text)
    return "".join(
        part if index % 2 and (colour or part in "\n\t") else _plain(part) if not index % 2 else ""
        for index, part in enumerate(parts)
    )


def _plain(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def show_json(document: Any, stream: TextIO | None = None) -> None:
    """Print a document, alone, on stdout."""
    out = stream or sys.stdout
    out.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    out.flush()


def leave_pipe() -> None:
    """Write no more to a stdout whose reader has left, at the end of the program neither."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def show_all_letters() -> None:
    """Print what the encoding of stdout and stderr has no letter for as an escape.

    Where stdout was closed by whoever started the program, what is printed goes nowhere.
    """
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def moment(text: object) -> str:
    """Return a time as people read it, in UTC; what is no time as it is."""
    try:
        at = parse_time(str(text)).astimezone(UTC)
    except ValueError:
        return str(text or "")
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def money(amount: float) -> str:
    """Return US dollars, with more digits where cents would say nothing."""
    return f"${amount:,.2f}" if amount >= 0.01 or amount == 0 else f"${amount:.4f}"

"""What people see: colours only on a terminal, JSON alone on stdout."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, TextIO

_COLOURS = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


class Terminal:
    """A stream for people; plain text unless it is a terminal that wants colours."""

    def __init__(self, stream: TextIO | None = None, *, colour: bool | None = None) -> None:
        """Write to a stream, stdout by default."""
        self._stream = stream or sys.stdout
        self.colour = wants_colour(self._stream) if colour is None else colour

    def say(self, text: str = "", style: str = "") -> None:
        """Write a line."""
        self._stream.write(f"{self.paint(text, style)}\n")
        self._stream.flush()

    def paint(self, text: str, style: str) -> str:
        """Return a text in a style, or as it is where there are no colours."""
        if not (self.colour and style and text):
            return text
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"


def wants_colour(stream: TextIO, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether a stream is a terminal whose user did not decline colours (no-color.org)."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def show_json(document: Any, stream: TextIO | None = None) -> None:
    """Print a document, alone, on stdout."""
    out = stream or sys.stdout
    out.write(json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    out.flush()


def money(amount: float) -> str:
    """Return US dollars, with more digits where cents would say nothing."""
    return f"${amount:,.2f}" if amount >= 0.01 or amount == 0 else f"${amount:.4f}"

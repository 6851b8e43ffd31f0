"""A report document as people and programs read it: text, SARIF, GitHub's commands, Markdown."""

from __future__ import annotations

from droptune.validation.formats.text import render_text

__all__ = ["render_text"]

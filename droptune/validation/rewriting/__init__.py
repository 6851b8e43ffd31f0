"""New files from a dataset's: corrected, divided, or converted from another shape."""

from __future__ import annotations

from droptune.validation.rewriting.fixing import Fixed, Fixer, UnfixableError

__all__ = ["Fixed", "Fixer", "UnfixableError"]

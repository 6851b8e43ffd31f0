"""How a version's data differs from an earlier one's, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from droptune.domain.report.wording import number_of


def diff_sentence(diff: Mapping[str, Any]) -> str:
    """Return how a role's data differs from that of the earlier version."""
    if not diff["added"] + diff["removed"] + diff["changed"]:
        return f"the same {number_of(diff['rows'], 'row')}"
    parts = []
    for kind, lines, of in (
        ("added", "added_lines", ""),
        ("removed", "removed_lines", " of the earlier file"),
        ("changed", "changed_lines", ""),
    ):
        if diff[kind]:
            shown = ", ".join(f"{line:,}" for line in diff[lines])
            more = ", …" if diff[kind] > len(diff[lines]) else ""
            parts.append(f"{diff[kind]:,} {kind} (line {shown}{more}{of})")
    return f"{', '.join(parts)}; {diff['rows_before']:,} rows before, {diff['rows']:,} now"

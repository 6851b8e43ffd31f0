"""How a dataset differs from an earlier version: rows added, removed, and answered otherwise."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from droptune.domain.dataset import Role
from droptune.validation.blocks import read_blocks
from droptune.validation.report import FileDiff
from droptune.validation.sources import Source

LISTED = 5
_ANSWERS = ("preferred_output", "non_preferred_output")
_REFUSALS = (msgspec.MsgspecError, ValueError, RecursionError)


class Rows:
    """Digests of a role's lines, and of what they ask; 20 bytes a row."""

    def __init__(self, sources: Sequence[Source]) -> None:
        """Read files, one after the other; blank lines are no rows."""
        self.whole, self.question, self.lines = array("Q"), array("Q"), array("I")
        for source in sources:
            for number, raw in _rows(source):
                self.whole.append(_digest(raw))
                self.question.append(_digest(_question(raw)))
                self.lines.append(number)


def compare(sources: Sequence[Source], earlier: Sequence[Source]) -> tuple[FileDiff, ...]:
    """Return the difference of each role that either version has; raises OSError."""
    found = []
    for role in Role:
        now = [source for source in sources if source.role is role]
        before = [source for source in earlier if source.role is role]
        if now or before:
            names = ", ".join(source.name for source in before)
            found.append(_compare(role, names, Rows(before), Rows(now)))
    return tuple(found)


def _compare(role: Role, earlier: str, before: Rows, now: Rows) -> FileDiff:
    new = _only_in(now, before)
    gone = _only_in(before, now)
    asked: defaultdict[int, deque[int]] = defaultdict(deque)
    for row in gone:
        asked[before.question[row]].append(row)
    changed = []
    for row in new:
        if queue := asked.get(now.question[row]):
            queue.popleft()
            changed.append(row)
    was_changed = set(changed)
    added = [row for row in new if row not in was_changed]
    removed = sorted(row for queue in asked.values() for row in queue)
    return FileDiff(
        role=role,
        earlier=earlier,
        rows_before=len(before.lines),
        rows=len(now.lines),
        added=len(added),
        removed=len(removed),
        changed=len(changed),
        added_lines=tuple(now.lines[row] for row in added[:LISTED]),
        changed_lines=tuple(now.lines[row] for row in changed[:LISTED]),
        removed_lines=tuple(before.lines[row] for row in removed[:LISTED]),
    )


def _only_in(rows: Rows, others: Rows) -> list[int]:
    """Return the rows that stand more often than in the others, in order."""
    left = Counter(others.whole)
    found = []
    for row, digest in enumerate(rows.whole):
        if left[digest] > 0:
            left[digest] -= 1
        else:
            found.append(row)
    return found


def _rows(source: Source) -> Iterator[tuple[int, bytes]]:
    number = 0
    for block in read_blocks(source):
        if block.too_long:
            number += 1
            continue
        lines = block.data.removeprefix(b"\xef\xbb\xbf" if not number else b"").split(b"\n")
        if block.ended:
            lines.pop()
        for raw in lines:
            number += 1
            if stripped := raw.rstrip():
                yield number, stripped


def _digest(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:8], "little")


def _question(raw: bytes) -> bytes:
    """Return a row without its answer: the last message, or both outputs; else the row itself."""
    try:
        value = msgspec.json.decode(raw)
    except _REFUSALS:
        return raw
    if type(value) is not dict:
        return raw
    return msgspec.json.encode(_without_answer(value), order="deterministic")


def _without_answer(value: dict[str, Any]) -> dict[str, Any]:
    asked = {key: each for key, each in value.items() if key not in _ANSWERS}
    messages = asked.get("messages")
    if type(messages) is not list or not messages or type(messages[-1]) is not dict:
        return asked
    if messages[-1].get("role") == "assistant":
        asked["messages"] = messages[:-1]
    return asked

"""Callers that follow the pointer while everything behind it changes."""

from __future__ import annotations

from pathlib import Path

from benchmarks.callers import call_through_changes
from tests.end_to_end.line import Line


def test_callers_never_notice_a_promotion_a_crash_or_a_rollback(line: Line, tmp_path: Path) -> None:
    """No call fails; both models answer, in turn; the pointer is back at once, callers soon."""
    calls = call_through_changes(line, tmp_path)

    first, second = calls.models()
    assert calls.failed == []
    assert min(calls.of(first), calls.of(second)) >= 20
    assert calls.answered[-1][1] == first
    assert calls.rollback_seconds < 1
    assert calls.followed_seconds < 5

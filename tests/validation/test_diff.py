"""A dataset compared with an earlier version of it, row by row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.domain.dataset import Role
from droptune.validation import BytesSource
from droptune.validation.diff import compare
from droptune.validation.report import FileDiff
from droptune.validation.rules.fixtures import assistant, chat, pair, user


def source_of(*rows: Any, role: Role = Role.TRAINING) -> BytesSource:
    """Return data: objects as JSON lines, text as it is."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    data = "".join(f"{line}\n" for line in lines).encode()
    return BytesSource(name=f"{role.value}.jsonl", role=role, data=data)


def changes(before: list[Any], now: list[Any]) -> FileDiff:
    """Return how training data differs."""
    [found] = compare([source_of(*now)], [source_of(*before)])
    return found


A, B, C = (chat(user(name), assistant("Yes.")) for name in "ABC")
A_OTHERWISE = chat(user("A"), assistant("No."))
PAIR, PAIR_OTHERWISE = pair(), pair([assistant("The Atlantic.")])


@pytest.mark.parametrize(
    ("before", "now", "added", "removed", "changed"),
    [
        ([A, B], [A, B], 0, 0, 0),
        ([A, B], [B, A], 0, 0, 0),
        ([A], [A, B, C], 2, 0, 0),
        ([A, B, C], [B], 0, 2, 0),
        ([A, B], [A_OTHERWISE, B], 0, 0, 1),
        ([A], [A, A_OTHERWISE], 1, 0, 0),
        ([A, A], [A], 0, 1, 0),
        ([A], [A, A], 1, 0, 0),
        ([A, A], [A_OTHERWISE, A_OTHERWISE], 0, 0, 2),
        ([PAIR], [PAIR_OTHERWISE], 0, 0, 1),
        ([A], ["{", "[]"], 2, 1, 0),
        ([], [A], 1, 0, 0),
        ([A], ["", "  ", A], 0, 0, 0),
        ([A], [f"{json.dumps(A)}\r"], 0, 0, 0),
    ],
)
def test_rows_are_added_removed_or_answered_otherwise(
    before: list[Any], now: list[Any], added: int, removed: int, changed: int
) -> None:
    """Order, blank lines and line ends are no difference; a row counts as often as it stands."""
    found = changes(before, now)

    assert (found.added, found.removed, found.changed) == (added, removed, changed)


def test_first_lines_of_each_kind_are_named() -> None:
    """In the file where they stand, five at most."""
    many = [chat(user(f"New {n}"), assistant()) for n in range(9)]

    found = changes([A, B, C], [A, "", B | {"metadata": {}}, A_OTHERWISE, *many])

    assert found.added_lines == (3, 4, 5, 6, 7)
    assert found.removed_lines == (2, 3)
    assert (found.rows_before, found.rows) == (3, 12)


def test_role_that_came_or_went_is_told() -> None:
    """Of each role that either version has."""
    now = [source_of(A), source_of(B, role=Role.VALIDATION)]
    before = [source_of(A), source_of(C, role=Role.TEST)]

    found = {each.role: (each.added, each.removed) for each in compare(now, before)}

    assert found == {Role.TRAINING: (0, 0), Role.VALIDATION: (1, 0), Role.TEST: (0, 1)}


rows = st.lists(st.sampled_from([A, B, C, A_OTHERWISE, PAIR, "{", "null"]), max_size=8)


@given(before=rows, now=rows)
def test_figures_add_up(before: list[Any], now: list[Any]) -> None:
    """What was, less what went, with what came, is what is."""
    found = changes([*before, A], [*now, A])

    assert found.rows_before - found.removed + found.added == found.rows
    assert found.changed <= min(found.rows, found.rows_before)

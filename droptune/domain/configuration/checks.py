"""The one walk that holds a configuration file to its shape."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from droptune.domain.configuration.files import JobFile
from droptune.domain.configuration.secrets import find_secrets, shown, shown_path
from droptune.domain.configuration.shape import (
    SHAPE,
    Block,
    Field,
    ListOf,
    MapOf,
    Wanted,
    key_paths,
)
from droptune.domain.findings import Finding, Severity

_ALIASES = (("n_epochs", "epochs"),)
MOST_FINDINGS = 20


def check_values(file: JobFile) -> tuple[Finding, ...]:
    """Return everything that is wrong with a file, each with line, path and what would be right.

    At most 20 are named one by one, the first of them every secret; the last says how many more.
    """
    found = (*_secrets(file), *_check(file, SHAPE, file.values, ""))
    if len(found) <= MOST_FINDINGS:
        return found
    more = len(found) - MOST_FINDINGS + 1
    said = f"{more} more mistakes are in this file"
    last = finding(file, "", "more-findings", said, "Mend those above first.")
    return (*found[: MOST_FINDINGS - 1], replace(last, count=more))


def finding(file: JobFile, path: str, rule: str, said: str, fix: str) -> Finding:
    """Return an error about a place in a configuration file."""
    return Finding(
        rule=rule,
        severity=Severity.ERROR,
        file=file.file,
        line=file.line_of(path),
        path=shown_path(path) or None,
        message=f"{said}.",
        fix=fix,
    )


def _check(file: JobFile, wanted: Wanted, value: Any, path: str) -> Iterator[Finding]:
    if isinstance(wanted, Field):
        if not wanted.accepts(value):
            said = f"{_name(value)} is not {wanted.expected}"
            yield finding(file, path, "wrong-value", said, f"Use {wanted.expected}.")
    elif value is None:
        return  # a key without anything below it says nothing
    elif isinstance(wanted, ListOf):
        yield from _check_list(file, wanted, value, path)
    elif not isinstance(value, Mapping):
        said = f"{_name(value)} is not a mapping"
        yield finding(file, path, "wrong-type", said, "Use a mapping of keys to values.")
    elif isinstance(wanted, Block):
        yield from _check_block(file, wanted, value, path)
    else:
        yield from _check_map(file, wanted, value, path)


def _check_block(
    file: JobFile, block: Block, value: Mapping[Any, Any], path: str
) -> Iterator[Finding]:
    unknown = 0
    for key, item in value.items():
        if isinstance(key, str) and key in block.keys:
            yield from _check(file, block.keys[key], item, _join(path, key))
        else:
            unknown += 1
            suggest = unknown <= MOST_FINDINGS
            yield _unknown(file, path, str(key), list(block.keys), suggest=suggest)
    for key in block.required:  # null is no value of any of these
        if value.get(key) is None:
            yield finding(file, path, "missing-key", f"`{key}` is missing", f"Add `{key}`.")
    for name, alias in _ALIASES:
        if name in value and alias in value:
            said = f"`{alias}` and `{name}` say the same"
            yield finding(file, _join(path, alias), "duplicate-key", said, "Keep one of them.")


def _check_list(file: JobFile, wanted: ListOf, value: Any, path: str) -> Iterator[Finding]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        said = f"{_name(value)} is not a list"
        yield finding(file, path, "wrong-type", said, "Use a list.")
        return
    if len(value) < wanted.least:
        yield finding(file, path, "wrong-value", "The list is empty", "Write one item at least.")
    for position, item in enumerate(value):
        where = f"{path}[{position}]"
        if item is None:
            yield finding(file, where, "wrong-value", "null is no item", "Remove it.")
        else:
            yield from _check(file, wanted.item, item, where)


def _check_map(
    file: JobFile, wanted: MapOf, value: Mapping[Any, Any], path: str
) -> Iterator[Finding]:
    if wanted.most is not None and len(value) > wanted.most:
        said = f"{len(value)} keys are more than {wanted.most}"
        yield finding(file, path, "wrong-value", said, f"Use at most {wanted.most}.")
    for key, item in value.items():
        where = _join(path, key)
        if wanted.longest_key is not None and len(str(key)) > wanted.longest_key:
            said = f"The key has more than {wanted.longest_key} characters"
            yield finding(file, where, "wrong-value", said, "Use a shorter key.")
        if key in wanted.reserved:
            said = f"`{key}` has a place of its own"
            yield finding(file, where, "reserved-key", said, f"Write `{key}` at the top level.")
        elif wanted.value is not None:
            yield from _check(file, wanted.value, item, where)


def _secrets(file: JobFile) -> Iterator[Finding]:
    for path in find_secrets(file.values):
        said = "This looks like a key or token; it is not stored"
        yield finding(file, path, "secret", said, "Remove it, and revoke it.")


def _unknown(file: JobFile, path: str, key: str, known: list[str], *, suggest: bool) -> Finding:
    said = f"`{shown(key, 60)}` is not known {'here' if path else 'at the top level'}"
    fix = _suggestion(key, known) if suggest else ""
    return finding(file, _join(path, key), "unknown-key", said, fix)


def _suggestion(key: str, known: list[str]) -> str:
    """Name what was probably meant: a key here, else the same or a like key elsewhere."""
    if close := difflib.get_close_matches(key[:60], known, 1, 0.6):
        return f"Did you mean `{close[0]}`?"
    places = dict(reversed(list(key_paths(SHAPE))))
    if close := difflib.get_close_matches(key[:60], list(places), 1, 0.75):
        return f"Did you mean `{_join(places[close[0]], close[0])}`?"
    return f"Known here: {', '.join(sorted(known))}."


def _join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def _name(value: Any) -> str:
    """Return a value as a message shows it: short, and never a secret."""
    if isinstance(value, str):
        return f'"{shown(value)}"'
    if value is None or isinstance(value, bool | int | float):
        return "null" if value is None else str(value)[:40].lower()
    return "a mapping" if isinstance(value, Mapping) else "a list"

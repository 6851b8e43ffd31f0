"""Fixtures in which a text stands wherever data can stand: in each value and in each key."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from droptune.validation.rules.registry import Case, Lines

EACH, FIRST = 4, 150
_LONGEST = 20_000
Change = Callable[[str], str]


def planted(given: Case, text: str) -> Iterator[Case]:
    """Yield a fixture's variants: a text before, after and instead of what stands at each place.

    A place is a path without its numbers: all lines change alike, or one distinct value at a time,
    the most frequent first. Lines that are no JSON stay as they are; of many lines the first are
    taken, and lines that are very long are left out.
    """
    given = replace(given, training=tuple(filter(_is_short, given.training[:FIRST])))
    for place, values in _places(given).items():
        yield _changed(given, place, lambda value: f"{text} {value}")
        yield _changed(given, place, lambda value: f"{value} {text}")
        for value, _ in values.most_common(EACH):
            yield _changed(given, place, lambda found, old=value: text if found == old else found)


def _is_short(line: bytes | Mapping[str, Any]) -> bool:
    return len(line if isinstance(line, bytes) else json.dumps(line)) < _LONGEST


def _places(given: Case) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}

    def note(place: str, value: str) -> str:
        found.setdefault(place, Counter())[value] += 1
        return value

    _each_line(given, lambda line: _walked(line, "", note))
    return found


def _changed(given: Case, place: str, change: Change) -> Case:
    def at(path: str, value: str) -> str:
        return change(value) if path == place else value

    return _each_line(given, lambda line: _walked(line, "", at))


def _each_line(given: Case, change: Callable[[Any], Any]) -> Case:
    def lines(found: Lines) -> Lines:
        return tuple(_line(each, change) for each in found)

    return replace(
        given,
        training=lines(given.training),
        validation=lines(given.validation),
        test=lines(given.test),
    )


def _line(line: bytes | Mapping[str, Any], change: Callable[[Any], Any]) -> bytes | Any:
    if not isinstance(line, bytes):
        return change(line)
    try:
        pairs = json.loads(line, object_pairs_hook=Pairs)
    except (ValueError, RecursionError):
        return line
    return _written(change(pairs)).encode() if isinstance(pairs, Pairs) else line


class Pairs(list[tuple[str, Any]]):
    """An object as it is written, keys that stand twice among it."""


def _written(value: Any) -> str:
    if isinstance(value, Pairs):
        return "{" + ", ".join(f"{json.dumps(k)}: {_written(v)}" for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return json.dumps(value)


def _walked(value: Any, path: str, at: Callable[[str, str], str]) -> Any:
    if isinstance(value, str):
        return at(path, value)
    if isinstance(value, Pairs):
        return Pairs(_pair(key, each, path, at) for key, each in value)
    if isinstance(value, Mapping):
        return dict(_pair(key, each, path, at) for key, each in value.items())
    if isinstance(value, list):
        return [_walked(each, f"{path}[]", at) for each in value]
    return value


def _pair(key: str, value: Any, path: str, at: Callable[[str, str], str]) -> tuple[str, Any]:
    return at(f"{path} keys", key), _walked(value, f"{path}.{key}", at)

"""Every regular expression of the product, and hostile text made for each from its own parts."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, partial
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

PACKAGES = ("droptune.validation", "droptune.domain", "droptune.adapters", "droptune.api")
_ASKING = {"compile", "search", "match", "fullmatch", "findall", "finditer", "sub", "split"}
_AT_START = {"match", "fullmatch", "pattern"}
_LONG = 16  # a repetition that may go on for fewer characters than that blows nothing up
_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, getattr(codes, "POSSESSIVE_REPEAT", None)}


@dataclass(frozen=True)
class Expression:
    """A regular expression, where it was found, and whether it is only tried at a text's beginning:
    then it is not begun anew at each character."""

    where: str
    pattern: re.Pattern[Any]
    only_at_start: bool = False

    def __str__(self) -> str:
        return f"{self.where} {self.pattern.pattern!r:.60}"


@cache
def expressions() -> tuple[Expression, ...]:
    """Return every expression of the product's modules, each once."""
    found: dict[re.Pattern[Any], Expression] = {}
    for module in sorted(_modules()):
        for each in (*_held(module), *_written(module)):
            known = found.get(each.pattern)
            if known is None or known.only_at_start:
                found[each.pattern] = each
    return tuple(found.values())


def _modules() -> Iterator[str]:
    for name in PACKAGES:
        package = importlib.import_module(name)
        yield name
        yield from (each.name for each in pkgutil.walk_packages(package.__path__, f"{name}."))


def _held(module: str) -> Iterator[Expression]:
    """Iterate over the expressions that a module's values hold, however deep."""
    for name, value in vars(importlib.import_module(module)).items():
        if not name.startswith("__"):
            for pattern in _within(value, depth=6):
                at_start = isinstance(value, re.Pattern) and _uses(module, name) <= _AT_START
                yield Expression(module, pattern, at_start)


def _uses(module: str, name: str) -> set[str]:
    """Return the methods that a module calls of an expression by its name; all, if none is."""
    called = {
        node.attr
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") == name
    }
    named = sum(getattr(node, "id", "") == name for node in ast.walk(_tree(module)))
    return called if called and named > 1 else _ASKING


@cache
def _tree(module: str) -> ast.Module:
    file = importlib.import_module(module).__file__
    return ast.parse(Path(str(file)).read_text(encoding="utf-8"))


def _within(value: Any, depth: int) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif depth:
        for part in _parts(value):
            yield from _within(part, depth - 1)


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [*value, *value.values()]
    if isinstance(value, list | tuple | set | frozenset):
        return list(value)
    if isinstance(value, partial):
        return [*value.args, *value.keywords.values()]
    if is_dataclass(value) and not isinstance(value, type):
        return [getattr(value, each.name) for each in fields(value)]
    closure = getattr(value, "__closure__", None) or ()
    return [cell.cell_contents for cell in closure if not isinstance(cell.cell_contents, type)]


def _written(module: str) -> Iterator[Expression]:
    """Iterate over the expressions that a module writes where it asks `re` for them."""
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            asks = node.func.attr in _ASKING and getattr(node.func.value, "id", "") == "re"
            first = node.args[0] if asks and node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str | bytes):
                at_start = node.func.attr in _AT_START
                if node.func.attr != "compile":  # else a value of the module holds it
                    yield Expression(module, re.compile(first.value), at_start)


def attacks(pattern: re.Pattern[Any]) -> Iterator[tuple[str, str, str]]:
    """Iterate over (begin, pump, end): begin, many pumps and an end that fits nothing.

    Each repetition of the expression is pumped by itself, and all that it takes in a row.
    """
    text = pattern.pattern
    tree = parser.parse(text, pattern.flags & ~re.DEBUG)
    pumps: list[tuple[str, str]] = []
    whole = _sample(tree, "", pumps)
    pumps += [("", whole), ("", "".join(pump for _, pump in pumps))]
    for begin, pump in dict.fromkeys(pumps):
        if pump:
            for end in ("", "\x00", "!", begin):
                yield begin, pump, end


def _sample(tree: Any, before: str, pumps: list[tuple[str, str]]) -> str:
    """Return a text that a part of an expression takes, and gather what may be repeated in it."""
    said = ""
    for code, argument in tree:
        said += _one(code, argument, before + said, pumps)
    return said


def _one(code: Any, argument: Any, before: str, pumps: list[tuple[str, str]]) -> str:
    if code is codes.LITERAL:
        return chr(int(argument))
    if code is codes.NOT_LITERAL:
        return "b" if argument == ord("a") else "a"
    if code is codes.ANY:
        return "a"
    if code is codes.IN:
        return _member(argument)
    if code in _REPEATS:
        low, high, body = argument
        inner = _sample(body, before, pumps)
        if high is codes.MAXREPEAT or high >= _LONG:
            pumps.append((before, inner))
        return inner * max(1, min(int(low), 64))
    if code is codes.SUBPATTERN:
        return _sample(argument[-1], before, pumps)
    if code is codes.BRANCH:
        return next(iter([_sample(branch, before, pumps) for branch in argument[1]]))
    if code is getattr(codes, "ATOMIC_GROUP", None):
        return _sample(argument, before, pumps)
    if code is codes.ASSERT and argument[0] > 0:
        _sample(argument[1], before, pumps)
    return ""


_CLASSES = {
    codes.CATEGORY_DIGIT: "1",
    codes.CATEGORY_SPACE: " ",
    codes.CATEGORY_WORD: "a",
    codes.CATEGORY_NOT_DIGIT: "a",
    codes.CATEGORY_NOT_SPACE: "a",
    codes.CATEGORY_NOT_WORD: "-",
}


def _member(members: Any) -> str:
    """Return a character that a class takes."""
    if members[0][0] is codes.NEGATE:
        taken = re.compile("[" + _as_text(members[1:]) + "]")
        return next(c for c in "a1 -_.\"'/\n\u00e9" if not taken.match(c))
    code, argument = members[0]
    if code is codes.RANGE:
        return chr(argument[0])
    return _CLASSES[argument] if code is codes.CATEGORY else chr(argument)


def _as_text(members: Any) -> str:
    names = {
        codes.CATEGORY_DIGIT: r"\d",
        codes.CATEGORY_SPACE: r"\s",
        codes.CATEGORY_WORD: r"\w",
        codes.CATEGORY_NOT_DIGIT: r"\D",
        codes.CATEGORY_NOT_SPACE: r"\S",
        codes.CATEGORY_NOT_WORD: r"\W",
    }
    parts = []
    for code, argument in members:
        if code is codes.RANGE:
            parts.append(f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}")
        else:
            parts.append(names[argument] if code is codes.CATEGORY else re.escape(chr(argument)))
    return "".join(parts)

"""Why a line holds no JSON object that the service would take."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import msgspec

from droptune.validation.rules.quoting import quoted

DEEPEST = 100
_LONE = re.compile("[\ud800-\udfff]")
_STOPS_EARLY = ("Unterminated string", "Expecting")


class FaultKind(StrEnum):
    """Each is told by a rule of its own."""

    BLANK = "blank"
    TOO_LONG = "too-long"
    NOT_UTF8 = "not-utf-8"
    TOO_DEEP = "too-deep"
    BROKEN_OFF = "broken-off"
    SYNTAX = "syntax"
    NOT_A_NUMBER = "not-a-number"
    DUPLICATE_KEY = "duplicate-key"
    SURROGATE = "surrogate"
    NUMBER_RANGE = "number-range"
    NOT_AN_OBJECT = "not-an-object"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong with a line; `detail` is a clause without a full stop."""

    kind: FaultKind
    detail: str


class _Refused(ValueError):
    def __init__(self, kind: FaultKind, detail: str) -> None:
        super().__init__(detail)
        self.fault = Fault(kind, detail)


def find_fault(raw: bytes) -> Fault | None:
    """Return what is wrong with a line, or None if it holds one JSON object.

    Slow and exact: asked only of lines that the fast way did not take.
    """
    if not raw.strip():
        return Fault(FaultKind.BLANK, "the line is blank")
    try:
        text = raw.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        return Fault(FaultKind.NOT_UTF8, f"byte {error.start + 1} of the line is not UTF-8")
    except _Refused as refused:
        return refused.fault
    except RecursionError:
        return Fault(FaultKind.TOO_DEEP, f"the line is nested deeper than {DEEPEST} levels")
    except json.JSONDecodeError as error:
        return _syntax(error, text)
    except ValueError:
        return Fault(FaultKind.NUMBER_RANGE, "a number has more digits than can be read")
    return _fault_of(value) or _refused_by_decoder(raw)


def _fault_of(value: Any) -> Fault | None:
    if type(value) is not dict:
        return Fault(FaultKind.NOT_AN_OBJECT, f"the line holds {_kind(value)}, not an object")
    if depth(value) > DEEPEST:
        return Fault(FaultKind.TOO_DEEP, f"the line is nested deeper than {DEEPEST} levels")
    for each in walk(value):
        if type(each) is str and (found := _LONE.search(each)):
            detail = f"\\u{ord(found[0]):04x} is half a character"
            return Fault(FaultKind.SURROGATE, detail)
        if type(each) is float and each in (float("inf"), float("-inf")):
            return Fault(FaultKind.NUMBER_RANGE, "a number is too large to be read")
    return None


def _refused_by_decoder(raw: bytes) -> Fault | None:
    """Return what the strict decoder says of a line that the lenient one took."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return Fault(FaultKind.SYNTAX, f"the line is not JSON: {error}")
    return None


def _syntax(error: json.JSONDecodeError, text: str) -> Fault:
    kind = FaultKind.SYNTAX
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
        kind = FaultKind.BROKEN_OFF
    return Fault(kind, f"the line is not JSON: {error.msg} at column {error.colno}")


def walk(value: Any) -> Iterator[Any]:
    """Yield a value, everything in it, and every key, without recursion."""
    stack = [value]
    while stack:
        each = stack.pop()
        yield each
        if type(each) is dict:
            stack.extend(each)
            stack.extend(each.values())
        elif type(each) is list:
            stack.extend(each)


def depth(value: Any) -> int:
    """Return how deep arrays and objects are nested, without recursion."""
    deepest, stack = 0, [(value, 1)]
    while stack:
        each, level = stack.pop()
        inner = each.values() if type(each) is dict else each if type(each) is list else None
        if inner is not None:
            deepest = max(deepest, level)
            stack.extend((item, level + 1) for item in inner)
    return deepest


def count_keys(value: Any) -> int:
    """Return how many keys are in all objects of a value, or -1 if it is nested too deeply."""
    keys, stack = 0, [(value, 1)]
    while stack:
        each, level = stack.pop()
        if level > DEEPEST:
            return -1
        if type(each) is dict:
            keys += len(each)
            inner: Iterable[Any] = each.values()
        else:
            inner = each
        stack += [(item, level + 1) for item in inner if type(item) in (dict, list)]
    return keys


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            detail = f"the key {quoted(name, 40)} stands twice in one object"
            raise _Refused(FaultKind.DUPLICATE_KEY, detail)
        seen.add(name)
    return found


def _refuse_constant(name: str) -> None:
    raise _Refused(FaultKind.NOT_A_NUMBER, f"{name} is no JSON number")


def _kind(value: Any) -> str:
    names = {list: "an array", str: "text", bool: "a truth value", type(None): "null"}
    return names.get(type(value), "a number")


_DECODER = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant)

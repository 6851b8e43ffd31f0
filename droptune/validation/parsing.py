"""From a block of lines to the examples in it; of a line without an example its rules are asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from droptune.validation.blocks import LONGEST_LINE, Block
from droptune.validation.plain import PlainMessage, decode_plain
from droptune.validation.rules.example import RawLine
from droptune.validation.rules.faults import Fault, FaultKind, count_keys
from droptune.validation.rules.registry import Rule
from droptune.validation.rules.selection import Selection
from droptune.validation.scanned import Scanned
from droptune.validation.signs import Signs
from droptune.validation.tokens.recipe import LONGEST_TEXT
from droptune.validation.written_keys import count_written

T = TypeVar("T")
BOM = b"\xef\xbb\xbf"
_REFUSALS = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
_SPACED = rb'"[ \t\r]+:'
_SPACED_KEY = re.compile(_SPACED)
_BACKSLASH = ord("\\")


class Parsed(NamedTuple):
    """What a line holds: the messages of a plain example, or else an object.

    `sought` are the rules on examples, `found` the kinds of states, of which a sign was found.
    """

    plain: list[PlainMessage] | None
    value: dict[str, Any] | None
    raw: bytes
    line: int
    sought: tuple[Rule, ...]
    found: tuple[type[Any], ...]


class Told(NamedTuple):
    """What the signs of a line tell: whom it concerns, and whether a key may be spaced."""

    lines: tuple[Rule, ...]
    examples: tuple[Rule, ...]
    states: tuple[type[Any], ...]
    spaced: bool


class Sought:
    """The signs of rules and states that have some, and of keys that are written with blanks."""

    def __init__(self, selection: Selection) -> None:
        """Seek for a selection."""
        self._lines, self._examples = selection.line, selection.sought
        self._states = selection.found
        signs = [rule.signs for rule in (*self._lines, *self._examples)]
        signs += [state.signs for state in self._states]
        self.signs = Signs([*signs, (_SPACED,)])
        self._known: dict[int, Told] = {}

    def of(self, mask: int) -> Told:
        """Return what a mask tells."""
        told = self._known.get(mask)
        if told is None:
            told = self._known[mask] = self._told(mask)
        return told

    def _told(self, mask: int) -> Told:
        above_lines = mask >> len(self._lines)
        above = above_lines >> len(self._examples)
        return Told(
            lines=_chosen(self._lines, mask),
            examples=_chosen(self._examples, above_lines),
            states=_chosen(self._states, above),
            spaced=bool(above >> len(self._states)),
        )


def _chosen(given: tuple[T, ...], mask: int) -> tuple[T, ...]:
    return tuple(each for at, each in enumerate(given) if mask >> at & 1)


class Parser:
    """Parses the blocks of one range, one after the other."""

    def __init__(self, selection: Selection, sought: Sought, result: Scanned) -> None:
        """Put lines, examples and what rules on lines say into a result."""
        self._selection, self._sought, self._result = selection, sought, result
        self._decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode
        model = selection.asked.model
        most_tokens = (model.example_tokens if model else None) or LONGEST_TEXT
        self._most_bytes = min(most_tokens, LONGEST_TEXT)  # a token has a byte or more
        self._parsed: list[Parsed] = []

    def parse(self, block: Block) -> list[Parsed]:
        """Return the examples of a block, in order."""
        self._parsed = []
        if block.too_long:
            self._too_long()
        elif block.data.isspace():
            self._blank(block.data.count(b"\n") + (not block.ended))
        else:
            self._lines(block)
        return self._parsed

    def _lines(self, block: Block) -> None:
        data, result, told_by = block.data, self._result, self._sought.of
        lines = data.split(b"\n")
        if block.ended:
            lines.pop()
        masks, written = self._sought.signs.masks(lines), count_written(data, lines)
        long, last = len(data) > LONGEST_LINE, len(lines) - 1
        for at, raw in enumerate(lines):
            if long and len(raw) > LONGEST_LINE:
                self._too_long()
                continue
            result.lines += 1
            told = told_by(masks[at])
            ended = block.ended or at < last
            if told.lines:
                self._ask(told.lines, RawLine(raw, result.lines, ended=ended))
            self._line(raw, written[at], told, ended=ended)

    def _line(self, raw: bytes, written: int, told: Told, *, ended: bool) -> None:
        data = raw[len(BOM) :] if raw.startswith(BOM) else raw
        number = self._result.lines
        plain: list[PlainMessage] | None = None
        value: Any = None
        try:
            if len(data) <= self._most_bytes:
                plain = decode_plain(data)
            if plain is None:
                value = self._decode(data)
        except _REFUSALS:
            value = None
        if plain is None and type(value) is not dict:
            self._ask(self._selection.faulty, RawLine(data, number, ended=ended))
            return
        keys = count_keys(value) if plain is None else 1 + 2 * len(plain)
        if written != keys or told.spaced:
            line = RawLine(data, number, ended=ended)
            if not _is_clear(data, keys, plain or (), told.spaced) and line.fault is not None:
                self._ask(self._selection.faulty, line)
                return
        self._parsed.append(Parsed(plain, value, data, number, told.examples, told.states))

    def _ask(self, rules: Iterable[Rule], line: RawLine) -> None:
        for rule in rules:
            for place in rule.check(line):
                self._result.tally.add(rule.id, place, line.number)

    def _too_long(self) -> None:
        self._result.lines += 1
        detail = f"the line is longer than {LONGEST_LINE >> 20} MB"
        fault = Fault(FaultKind.TOO_LONG, detail)
        line = RawLine(b"", self._result.lines, ended=True, fault=fault)
        self._ask(self._selection.faulty, line)

    def _blank(self, count: int) -> None:
        line = RawLine(b"", self._result.lines + 1, ended=True)
        for rule in self._selection.faulty:
            for place in rule.check(line):
                self._result.tally.add_many(rule.id, line.number, count, place)
        self._result.lines += count


def _has_spaced_key(data: bytes) -> bool:
    """Whether blanks stand between a key and its colon; a quote inside a text is escaped."""
    return any(data[found.start() - 1] != _BACKSLASH for found in _SPACED_KEY.finditer(data))


def _is_clear(raw: bytes, keys: int, plain: Sequence[PlainMessage], spaced: bool) -> bool:
    """Whether a line surely holds no key twice: as many keys are written as were read.

    Quotes inside texts are escaped, so a quote before a colon ends a key, or begins a text with a
    colon. False where blanks stand between a key and its colon, a key ends in a backslash, or a
    colon may be written as an escape: then the slow way decides.
    """
    if (spaced and _has_spaced_key(raw)) or b'\\\\":' in raw:
        return False
    written = raw.count(b'":') - raw.count(b'\\":')
    begun = sum(message.content.startswith(":") for message in plain)
    return written == keys + begun and not (begun and b"\\u003" in raw)

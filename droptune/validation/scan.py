"""One pass over a byte range: what its lines hold, mergeable with what comes before and after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from droptune.validation.blocks import LONGEST_LINE, Block, read_blocks
from droptune.validation.figures import Histogram
from droptune.validation.rules import RULES
from droptune.validation.rules.example import Asked, Example, RawLine, message_lists
from droptune.validation.rules.faults import Fault, FaultKind, count_keys
from droptune.validation.rules.registry import Rule
from droptune.validation.rules.selection import Selection
from droptune.validation.sources import Source
from droptune.validation.tally import Tally
from droptune.validation.tokens import make_counter
from droptune.validation.tokens.recipe import Recipe

BOM = b"\xef\xbb\xbf"
ODD_BYTES = 8_000
TOKEN_KINDS = ("total", "assistant", "apart", "tools", "parts", "images")
_REFUSALS = (msgspec.MsgspecError, ValueError, RecursionError, OverflowError)
_SPACED_KEY = re.compile(rb'"[ \t\r]+:')
_BACKSLASH = ord("\\")
_SAMPLED, _SAMPLE_BYTES = 256, 4_000


@dataclass(slots=True)
class Scanned:
    """What a range holds. Merging is associative: however a file was cut, the whole is the same.

    Attributes:
        without, with_apart: totals of the examples of which something is counted apart, without
            and with that.
        sample: texts with their counts, for comparing the fast counter with the reference.
        estimates: texts whose tokens could only be estimated.
    """

    lines: int = 0
    examples: int = 0
    tokens: dict[str, Histogram] = field(
        default_factory=lambda: {kind: Histogram() for kind in TOKEN_KINDS}
    )
    without: Histogram = field(default_factory=Histogram)
    with_apart: Histogram = field(default_factory=Histogram)
    tally: Tally = field(default_factory=Tally)
    states: dict[type[Any], Any] = field(default_factory=dict)
    sample: list[tuple[str, int]] = field(default_factory=list)
    estimates: int = 0

    def merge(self, later: Scanned) -> None:
        """Take in what the following range holds."""
        for kind, counts in later.tokens.items():
            self.tokens[kind].update(counts)
        self.without.update(later.without)
        self.with_apart.update(later.with_apart)
        self.tally.merge(later.tally, self.lines)
        for kind_of_state, state in later.states.items():
            self.states[kind_of_state].merge(state, self.lines)
        self.sample += later.sample[: _SAMPLED - len(self.sample)]
        self.estimates += later.estimates
        self.lines += later.lines
        self.examples += later.examples

    def whole(self) -> Histogram:
        """Return how long examples are with what is counted apart: what is billed and limited."""
        found = Histogram(self.tokens["total"])
        found.update(self.with_apart)
        found.subtract(self.without)
        return Histogram(+found)


class Scanner:
    """Scans ranges of a dataset's files; holds the counter, which is costly to make."""

    def __init__(self, asked: Asked, encoding: str, *, fast: bool = True) -> None:
        """Prepare for a dataset; `fast` False counts with the reference alone."""
        self.asked = asked
        self.selection = Selection(tuple(RULES.values()), asked)
        self.counter = make_counter(encoding, fast=fast)
        self.recipe = Recipe(self.counter)
        self.decode: Callable[[bytes], Any] = msgspec.json.Decoder().decode

    def scan(
        self,
        source: Source,
        start: int = 0,
        end: int | None = None,
        *,
        on_bytes: Callable[[bytes], object] | None = None,
    ) -> Scanned:
        """Return what the lines hold that begin in [start, end)."""
        scan = _Scan(self)
        before = self.counter.estimates
        for block in read_blocks(source, start, end, on_bytes=on_bytes):
            scan.take(block)
            self.counter.trim()
        scan.result.estimates = self.counter.estimates - before
        return scan.result


class _Scan:
    """One range while it is being read."""

    def __init__(self, scanner: Scanner) -> None:
        self.result = Scanned(states={kind: kind() for kind in scanner.selection.states})
        self._decode, self._recipe = scanner.decode, scanner.recipe
        self._selection, self._asked = scanner.selection, scanner.asked
        self._adders = [state.add for state in self.result.states.values()]
        self._sought: tuple[Rule, ...] = ()
        self._totals = self.result.tokens["total"]
        self._assistants = self.result.tokens["assistant"]

    def take(self, block: Block) -> None:
        """Take in whole lines."""
        data, result = block.data, self.result
        if block.too_long:
            self._too_long()
            return
        if data.isspace():
            self._blank(data.count(b"\n") + (not block.ended))
            return
        lines = data.split(b"\n")
        if block.ended:
            lines.pop()
        sought = _needed(self._selection.line, data)
        self._sought = _needed(self._selection.sought, data)
        spaced = _has_spaced_key(data)
        long, last = len(data) > LONGEST_LINE, len(lines) - 1
        for at, raw in enumerate(lines):
            result.lines += 1
            ended = block.ended or at < last
            if sought:
                self._ask_line(sought, RawLine(raw, result.lines, ended=ended))
            if long and len(raw) > LONGEST_LINE:
                result.lines -= 1
                self._too_long()
            else:
                self._line(raw, ended, spaced)
        self._keep_sample(lines[0])

    def _line(self, raw: bytes, ended: bool, spaced: bool) -> None:
        data = raw[len(BOM) :] if raw.startswith(BOM) else raw
        try:
            value = self._decode(data)
        except _REFUSALS:
            value = None
        if type(value) is not dict:
            self._faulty(RawLine(data, self.result.lines, ended=ended))
            return
        plain = self._recipe.count_plain(value) if len(data) <= ODD_BYTES else None
        keys = count_keys(value) if plain is None else 1 + 2 * len(value["messages"])
        if data.count(b'":') != keys or spaced:
            line = RawLine(data, self.result.lines, ended=ended)
            if not _is_clear(data, keys, spaced) and line.fault is not None:
                self._faulty(line)
                return
        self.result.examples += 1
        if plain is None:
            self._example(value, data, self._count_odd(value), odd=True)
        else:
            total, assistant = plain
            self._totals[total] += 1
            self._assistants[assistant] += 1
            self._example(value, data, total, odd=False)

    def _example(self, value: dict[str, Any], raw: bytes, tokens: int, *, odd: bool) -> None:
        result, selection = self.result, self._selection
        rules = selection.odd if odd else selection.plain
        if not (rules or self._sought or self._adders):
            return
        example = Example(value, raw, result.lines, odd=odd, tokens=tokens, asked=self._asked)
        for rule in rules:
            for place in rule.check(example):
                result.tally.add(rule.id, place, result.lines)
        for rule in self._sought:
            if any(needle in raw for needle in rule.needles):
                for place in rule.check(example):
                    result.tally.add(rule.id, place, result.lines)
        for add in self._adders:
            add(example)

    def _count_odd(self, value: dict[str, Any]) -> int:
        messages = [
            each for _, found in message_lists(value) for each in found if type(each) is dict
        ]
        counted = self._recipe.count_example(value, messages)
        for kind in TOKEN_KINDS:
            self.result.tokens[kind][getattr(counted, kind)] += 1
        whole = counted.total + counted.apart
        if counted.apart:
            self.result.without[counted.total] += 1
            self.result.with_apart[whole] += 1
        return whole

    def _faulty(self, line: RawLine) -> None:
        self._ask_line(self._selection.faulty, line)

    def _ask_line(self, rules: Iterable[Rule], line: RawLine) -> None:
        for rule in rules:
            if not rule.needles or any(needle in line.raw for needle in rule.needles):
                for place in rule.check(line):
                    self.result.tally.add(rule.id, place, line.number)

    def _too_long(self) -> None:
        self.result.lines += 1
        detail = f"the line is longer than {LONGEST_LINE >> 20} MB"
        fault = Fault(FaultKind.TOO_LONG, detail)
        self._faulty(RawLine(b"", self.result.lines, ended=True, fault=fault))

    def _blank(self, count: int) -> None:
        line = RawLine(b"", self.result.lines + 1, ended=True)
        for rule in self._selection.faulty:
            for place in rule.check(line):
                self.result.tally.add_many(rule.id, line.number, count, place)
        self.result.lines += count

    def _keep_sample(self, raw: bytes) -> None:
        """Keep a text of a block's first line, with what the counter says of it."""
        sample = self.result.sample
        if len(sample) < _SAMPLED and len(raw) <= _SAMPLE_BYTES:
            text = raw.decode("utf-8", "replace")
            sample.append((text, self._recipe.count(text)))


def _needed(rules: tuple[Rule, ...], data: bytes) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules if any(needle in data for needle in rule.needles))


def _has_spaced_key(data: bytes) -> bool:
    """Whether blanks stand between a key and its colon; a quote inside a text is escaped."""
    return any(data[found.start() - 1] != _BACKSLASH for found in _SPACED_KEY.finditer(data))


def _is_clear(raw: bytes, keys: int, spaced: bool) -> bool:
    """Whether a line surely holds no key twice: as many keys are written as were read.

    Quotes inside texts are escaped, so a quote before a colon ends a key. False where blanks stand
    between the two, or a key ends in a backslash: then the slow way decides.
    """
    if (spaced and _has_spaced_key(raw)) or b'\\\\":' in raw:
        return False
    return raw.count(b'":') - raw.count(b'\\":') == keys

"""One pass over a byte range: parsed, counted, and shown to the rules, a block at a time."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from droptune.validation.blocks import Block, read_blocks
from droptune.validation.parsing import Parsed, Parser, Sought
from droptune.validation.rules import RULES
from droptune.validation.rules.example import Asked, Example, message_lists
from droptune.validation.rules.selection import Selection
from droptune.validation.scanned import SAMPLED, TOKEN_KINDS, Scanned
from droptune.validation.sources import Source
from droptune.validation.tokens import make_counter
from droptune.validation.tokens.recipe import Plain, Recipe, Texts

_SAMPLE_BYTES = 4_000
_TOGETHER = 32  # so few that what they hold stays near the processor
BATCH_BESIDE = 4 << 20  # handing over costs a few switch intervals
_USUAL_SECONDS = sys.getswitchinterval()
_SWITCH_SECONDS = 0.0002  # the interpreter's 5 ms would be a sixth of what a batch takes
Counts = Callable[[], list[int]]
CountMany = Callable[[list[str]], Counts]


class Scanner:
    """Scans ranges of a dataset's files; holds the counter, which is costly to make."""

    def __init__(
        self, asked: Asked, encoding: str, *, fast: bool = True, copies: bool = False
    ) -> None:
        """Prepare for a dataset; `fast` False counts with the reference alone.

        With `copies` a copy of this process helps to prepare for much; see `prepare`.
        """
        self.selection = Selection(tuple(RULES.values()), asked)
        self.sought = Sought(self.selection)
        if copies:
            self.sought.signs.prepare_beside()
        self.counter = make_counter(encoding, fast=fast)
        self.recipe = Recipe(self.counter)
        self._earlier: tuple[Source, dict[type[Any], Any]] | None = None

    def prepare(self) -> None:
        """Make ready for much, so that copies of this need not."""
        self.sought.signs.prepare()

    def scan(
        self,
        source: Source,
        start: int = 0,
        end: int | None = None,
        *,
        on_bytes: Callable[[bytes], object] | None = None,
        beside: bool = False,
    ) -> Scanned:
        """Return what the lines hold that begin in [start, end).

        `beside` counts in a thread while the next block is parsed; it is the same, and faster where
        there is a core for it.
        """
        before = self.counter.estimates
        with self._counting(beside) as count_many:
            scan = _Scan(self, count_many, BATCH_BESIDE if beside else 1)
            self._follow(source, scan.result)
            for block in read_blocks(source, start, end, on_bytes=on_bytes):
                scan.take(block)
            scan.end()
        scan.result.estimates = self.counter.estimates - before
        self._earlier = source, scan.result.states
        return scan.result

    def _follow(self, source: Source, result: Scanned) -> None:
        """Tell states what was gathered over another part of the same file, if anything was."""
        if self._earlier is not None and self._earlier[0] == source:
            for kind, state in result.states.items():
                if hasattr(state, "follow"):
                    state.follow(self._earlier[1][kind])

    @contextmanager
    def _counting(self, beside: bool) -> Iterator[CountMany]:
        if not beside:
            yield lambda texts: (lambda counts: lambda: counts)(self.counter.count_many(texts))
            return
        sys.setswitchinterval(_SWITCH_SECONDS)
        try:
            with ThreadPoolExecutor(1) as executor:
                yield lambda texts: executor.submit(self.counter.count_beside, texts).result
        finally:
            sys.setswitchinterval(_USUAL_SECONDS)


@dataclass(slots=True)
class _Work:
    """A batch of blocks, whose examples are parsed and whose texts are being counted."""

    parsed: list[Parsed] = field(default_factory=list)
    size_bytes: int = 0
    known: list[Plain | int] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    counts: list[int] = field(default_factory=list)
    wait: Counts = list


class _Scan:
    """One range while it is being read.

    While the texts of one batch are counted, the rules are asked of the one before, and the one
    after is parsed. Nothing else uses the counter meanwhile.
    """

    def __init__(self, scanner: Scanner, count_many: CountMany, batch_bytes: int) -> None:
        self._batch_bytes, self._gathered = batch_bytes, _Work()
        self.result = Scanned(states={kind: kind() for kind in scanner.selection.states})
        self._selection = scanner.selection
        self._counter, self._recipe, self._count_many = scanner.counter, scanner.recipe, count_many
        self._parser = Parser(scanner.selection, scanner.sought, self.result)
        self._adders = [self.result.states[kind].add for kind in scanner.selection.gathered]
        self._counting: _Work | None = None
        self._counted: _Work | None = None

    def take(self, block: Block) -> None:
        """Take in whole lines."""
        self._finish()
        work = self._gathered
        work.parsed += self._parser.parse(block)
        work.size_bytes += len(block.data)
        if work.size_bytes >= self._batch_bytes:
            self._hand_over()

    def end(self) -> None:
        """Finish what is under way."""
        self._hand_over()
        self._hand_over()
        self._finish()

    def _hand_over(self) -> None:
        """Take the counts of the batch before, and begin with those of the one gathered."""
        self._finish()
        self._settle()
        work, self._gathered = self._gathered, _Work()
        if work.parsed:
            self._begin(work)
            self._counting = work

    def _settle(self) -> None:
        """Wait for the counts; from here to the next beginning the counter is at rest."""
        if self._counting is not None:
            self._counting.counts = self._counting.wait()
            self._counted, self._counting = self._counting, None
            self._counter.trim()

    def _begin(self, work: _Work) -> None:
        recipe, texts = self._recipe, work.texts
        work.known = [
            recipe.plan(each.plain, texts) if each.plain else self._count_odd(each.value or {})
            for each in work.parsed
        ]
        self._keep_sample(work.parsed[0].raw)
        work.wait = self._count_many(texts.all())

    def _finish(self) -> None:
        """Put the tokens together, and ask the rules."""
        work, self._counted = self._counted, None
        if work is None:
            return
        self.result.examples += len(work.parsed)
        totals, assistants = self.result.tokens["total"], self.result.tokens["assistant"]
        counts, at, at_answer = work.counts, 0, len(work.texts.others)
        shows = bool(self._selection.plain or self._adders)
        shown = list[tuple[Parsed, int]]()
        for each, known in zip(work.parsed, work.known, strict=True):
            if type(known) is int:
                tokens = known
            else:
                assert type(known) is tuple
                tokens, assistant, others, answers = known
                if answers:
                    said = sum(counts[at_answer : at_answer + answers])
                    assistant += said
                    tokens += said
                    at_answer += answers
                if others:
                    tokens += sum(counts[at : at + others])
                    at += others
                totals[tokens] += 1
                assistants[assistant] += 1
            if shows or each.sought or each.found or each.plain is None:
                shown.append((each, tokens))
        for start in range(0, len(shown), _TOGETHER):
            self._show(shown[start : start + _TOGETHER])

    def _show(self, shown: list[tuple[Parsed, int]]) -> None:
        """Show a few examples to every rule and state that they concern, one after the other."""
        asked, tally, states = self._selection.asked, self.result.tally, self.result.states
        examples = [Example(*parsed[:4], tokens, asked) for parsed, tokens in shown]
        for example, (parsed, _) in zip(examples, shown, strict=True):
            rules = self._selection.odd if parsed.plain is None else self._selection.plain
            for rule in (*rules, *parsed.sought):
                for place in rule.check(example):
                    tally.add(rule.id, place, parsed.line)
            for kind in parsed.found:
                states[kind].add(example)
        for add in self._adders:
            for example in examples:
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

    def _keep_sample(self, raw: bytes) -> None:
        """Keep a block's first example as a text, with what the counter says of it."""
        sample = self.result.sample
        if len(sample) < SAMPLED and len(raw) <= _SAMPLE_BYTES:
            text = raw.decode("utf-8", "replace")
            sample.append((text, self._recipe.count(text)))

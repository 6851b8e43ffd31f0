"""What a range of a file holds, mergeable with what comes before and after."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from droptune.validation.figures import Histogram
from droptune.validation.tally import Tally

TOKEN_KINDS = ("total", "assistant", "apart", "tools", "parts", "images")
SAMPLED = 256


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
        self.sample += later.sample[: SAMPLED - len(self.sample)]
        self.estimates += later.estimates
        self.lines += later.lines
        self.examples += later.examples

    def whole(self) -> Histogram:
        """Return how long examples are with what is counted apart: what is billed and limited."""
        found = Histogram(self.tokens["total"])
        found.update(self.with_apart)
        found.subtract(self.without)
        return Histogram(+found)

"""Exact figures from a histogram: as many numbers as there are different counts."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from itertools import accumulate

from droptune.validation.bins import bins_of
from droptune.validation.report import TokenFigures


class Histogram(Counter[int]):
    """How often each count occurs; adding two gives that of both."""

    def figures(self) -> TokenFigures:
        """Return the lab's figures and more; all zero of nothing."""
        n = self.total()
        if not n:
            return TokenFigures(n=0, sum=0, min=0, max=0, mean=0.0, median=0.0, p5=0.0, p95=0.0)
        ordered = sorted(self)
        ends = list(accumulate(self[count] for count in ordered))
        total = self.sum()

        def percentile(share: float) -> float:
            position = (n - 1) * share
            below = int(position)
            low = ordered[bisect_right(ends, below)]
            high = ordered[bisect_right(ends, min(below + 1, n - 1))]
            return _between(low, high, position - below)

        return TokenFigures(
            n=n,
            sum=total,
            min=ordered[0],
            max=ordered[-1],
            mean=total / n,
            median=percentile(0.5),
            p5=percentile(0.05),
            p95=percentile(0.95),
            histogram=bins_of(self, p95=percentile(0.95)),
        )

    def sum(self) -> int:
        """Return the sum of all that was counted."""
        return sum(count * times for count, times in self.items())

    def sum_capped(self, most: int) -> int:
        """Return the sum where nothing counts for more than `most`."""
        return sum(min(count, most) * times for count, times in self.items())

    def above(self, most: int) -> int:
        """Return how many counts are larger than `most`."""
        return sum(times for count, times in self.items() if count > most)


def _between(low: int, high: int, share: float) -> float:
    """Interpolate as numpy does, to the last bit: from the nearer end."""
    step = high - low
    return high - step * (1 - share) if share >= 0.5 else low + step * share


def histogram_of(counts: Iterable[int]) -> Histogram:
    """Return the histogram of some counts."""
    return Histogram(counts)

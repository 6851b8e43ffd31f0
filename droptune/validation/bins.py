"""A histogram for the eye: about two dozen bins of a round width."""

from __future__ import annotations

import math
from collections.abc import Mapping

from droptune.validation.report import Bin

_BINS = 24
_LONG_TAIL = 6


def bins_of(counts: Mapping[int, int], *, p95: float) -> tuple[Bin, ...]:
    """Return equal bins from the smallest count on; nothing where all counts are 0.

    Where few counts are very large, the last bin takes them all, so that the rest can be told
    apart.
    """
    highest = max(counts, default=0)
    if not highest:
        return ()
    lowest = min(counts)
    tail = highest > _LONG_TAIL * max(p95, 1)
    width = _round_width((1.5 * p95 if tail else highest) - lowest + 1)
    start = lowest - lowest % width
    size = int((1.5 * p95 if tail else highest) - start) // width + 1
    found = [0] * (size + tail)
    for count, times in counts.items():
        found[min((count - start) // width, len(found) - 1)] += times
    bins = [
        Bin(low=start + at * width, high=start + (at + 1) * width - 1, n=n)
        for at, n in enumerate(found)
    ]
    if tail:
        bins[-1] = Bin(low=bins[-1].low, high=highest, n=bins[-1].n)
    return tuple(bins)


def _round_width(span: float) -> int:
    """Return 1, 2, 5, 10, 20, 50 …: the first with which the bins are few enough."""
    rough = span / _BINS
    power = 10 ** math.floor(math.log10(rough)) if rough > 1 else 1
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)

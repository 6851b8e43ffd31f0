"""Faults: what may strike at each point where production has a seam, and what did.

A point is a call of a transport, of a container, of the engine's store or of the durable client.
Each point draws once, so that the same seed strikes at the same points, and a list of what struck
can be played again with some of it left out.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Strikes = Mapping[int, str]


class CrashError(BaseException):
    """The process is gone: nothing catches this, and no `finally` reaches a service any more."""


@dataclass(kw_only=True)
class Faults:
    """Decides at each point whether something strikes, and remembers what did.

    Attributes:
        rates: probability at each point that offers the kind.
        only: strikes by number of the point, in place of chance; None: chance decides.
        is_over: nothing strikes any more.
        struck: by number of the point.
    """

    seed: int
    rates: Mapping[str, float]
    only: Strikes | None = None
    is_over: bool = False
    points: int = 0
    struck: dict[int, str] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        """Seed the stream of draws."""
        self._random = random.Random(f"faults {self.seed}")

    def strike(self, kinds: Sequence[str]) -> str | None:
        """Pass a point at which any of `kinds` may strike; return the one that does."""
        self.points += 1
        roll = self._random.random()
        if self.is_over:
            return None
        kind = self._drawn(kinds, roll) if self.only is None else self.only.get(self.points)
        if kind is None or kind not in kinds:
            return None
        self.struck[self.points] = kind
        self.counts[kind] += 1
        return kind

    def amount(self, low: float, high: float) -> float:
        """Return how long, or how much, of a fault that has struck."""
        return low + (high - low) * random.Random(f"{self.seed} {self.points}").random()

    def _drawn(self, kinds: Sequence[str], roll: float) -> str | None:
        for kind in kinds:
            roll -= self.rates.get(kind, 0.0)
            if roll < 0:
                return kind
        return None

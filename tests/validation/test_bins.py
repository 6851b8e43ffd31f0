"""Histograms for the eye: every example is in a bin, and one giant does not flatten the rest."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from droptune.validation.figures import histogram_of


@given(found=st.lists(st.integers(0, 200_000), min_size=1, max_size=80))
def test_every_count_lies_in_exactly_one_bin(found: list[int]) -> None:
    """Bins follow each other without a gap and hold as many as there are between their bounds."""
    bins = histogram_of(found).figures().histogram

    if not any(found):
        assert bins == ()
        return
    assert sum(each.n for each in bins) == len(found)
    assert all(b.low == a.high + 1 for a, b in pairwise(bins))
    for each in bins:
        assert each.n == sum(each.low <= count <= each.high for count in found)
    assert len(bins) <= 26


def test_giant_gets_a_bin_with_its_own_bounds() -> None:
    """The lengths of the others can still be told apart."""
    bins = histogram_of([*range(50, 250), 60_000]).figures().histogram

    assert (bins[-1].high, bins[-1].n) == (60_000, 1)
    assert sum(each.n > 0 for each in bins) > 10

"""Figures from a histogram are those of the list that it stands for."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.validation.figures import Histogram, histogram_of

numpy = pytest.importorskip("numpy")
counts = st.lists(st.integers(0, 100_000), min_size=1, max_size=60)


@given(found=counts)
def test_figures_are_numpy_s(found: list[int]) -> None:
    """Mean, median and percentiles are what numpy gives for the list, to the last bit."""
    figures = histogram_of(found).figures()

    assert (figures.n, figures.sum) == (len(found), sum(found))
    assert (figures.min, figures.max) == (min(found), max(found))
    assert figures.mean == statistics.fmean(found)
    assert figures.median == numpy.quantile(found, 0.5)
    assert figures.p5 == numpy.quantile(found, 0.05)
    assert figures.p95 == numpy.quantile(found, 0.95)


@given(left=counts, right=counts)
def test_two_histograms_add_up_to_that_of_both(left: list[int], right: list[int]) -> None:
    """What ranges counted apart is what the whole file has."""
    both = histogram_of(left)

    both.update(histogram_of(right))

    assert both == histogram_of([*left, *right])


def test_nothing_counted_has_figures_of_zero() -> None:
    """A file without examples has a report, too."""
    figures = Histogram().figures()

    assert (figures.n, figures.sum, figures.mean, figures.p95) == (0, 0, 0.0, 0.0)


def test_limits_are_read_from_the_histogram() -> None:
    """What is above a limit, and what is billed below it, needs no list of examples."""
    found = histogram_of([10, 20, 20, 90])

    assert found.above(20) == 1
    assert found.sum_capped(50) == 100

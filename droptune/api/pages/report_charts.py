"""Pictures of a report, as figures that the template draws: histogram, length against the limit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from droptune.domain.payload import Payload
from droptune.domain.report.wording import figure, number_of

WIDTH, HEIGHT = 640, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 36, 32
_GAP = 2
_LABEL = 88


def histogram_chart(file: Mapping[str, Any], limit: int | None) -> Payload | None:
    """Return the histogram of a file's examples, or None where there is nothing to tell apart."""
    figures = file["tokens"].get("whole") or file["tokens"]["total"]
    bins = figures.get("histogram") or ()
    if not bins:
        return None
    most = max(each["n"] for each in bins)
    step = (WIDTH - _LEFT - _RIGHT) / len(bins)
    bars = [_bar(at, each, most, step, limit) for at, each in enumerate(bins)]
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "bottom": HEIGHT - _BOTTOM,
        "bars": bars,
        "y_ticks": [(_y(n, most), f"{n:,}") for n in _ticks(most)],
        "x_ticks": _x_ticks(bins, step),
        "marks": _marks(figures, bins, step),
        "summary": _summary(file, figures, most, bins),
    }


def _bar(at: int, each: Mapping[str, int], most: int, step: float, limit: int | None) -> Payload:
    top = _y(each["n"], most)
    return {
        "x": round(_LEFT + at * step + _GAP / 2, 1),
        "y": top,
        "width": round(max(step - _GAP, 1), 1),
        "height": round(HEIGHT - _BOTTOM - top, 1),
        "over": limit is not None and each["low"] > limit,
        "says": f"{_range(each)} tokens: {number_of(each['n'], 'example')}",
    }


def _y(n: float, most: int) -> float:
    room = HEIGHT - _TOP - _BOTTOM
    share = n / most
    return round(HEIGHT - _BOTTOM - (max(share * room, 1.5) if n else 0), 1)


def _ticks(most: int) -> list[int]:
    return sorted({0, most // 2, most} if most > 3 else {0, most})


def _x_ticks(bins: Sequence[Mapping[str, int]], step: float) -> list[tuple[float, str]]:
    """Return where bins begin, as many as there is room for; the last one may be a wide one."""
    every = max(1, math.ceil(_LABEL / step))
    found = [
        (round(_LEFT + at * step, 1), f"{bins[at]['low']:,}") for at in range(0, len(bins), every)
    ]
    end = WIDTH - _RIGHT
    if end - found[-1][0] >= _LABEL:
        found.append((float(end), f"{bins[-1]['high']:,}"))
    return found


def _marks(
    figures: Mapping[str, Any], bins: Sequence[Mapping[str, int]], step: float
) -> list[Payload]:
    median, p95 = (_x(figures[name], bins, step) for name in ("median", "p95"))
    close = p95 - median < 2 * _LABEL
    drawn = [("median", median, close), ("p95", p95, False)]
    found = []
    for name, x, is_left in drawn:
        at_end = is_left or x > WIDTH - 2 * _LABEL
        anchor, dx = ("end", -5) if at_end else ("start", 5)
        shown = {"name": name, "x": x, "value": figure(figures[name]), "anchor": anchor, "dx": dx}
        found.append(shown)
    return found[:1] if close and found[1]["anchor"] == "end" else found


def _x(value: float, bins: Sequence[Mapping[str, int]], step: float) -> float:
    at = next((n for n, each in enumerate(bins) if value <= each["high"] + 1), len(bins) - 1)
    low, high = bins[at]["low"], bins[at]["high"] + 1
    share = min(max((value - low) / (high - low), 0), 1)
    return round(_LEFT + (at + share) * step, 1)


def _range(each: Mapping[str, int]) -> str:
    low, high = each["low"], each["high"]
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _summary(
    file: Mapping[str, Any],
    figures: Mapping[str, Any],
    most: int,
    bins: Sequence[Mapping[str, int]],
) -> str:
    fullest = next(each for each in bins if each["n"] == most)
    return (
        f"Examples of {file['name']} by their number of tokens: from {figures['min']:,} to "
        f"{figures['max']:,}, median {figure(figures['median'])}; most often "
        f"{_range(fullest)} ({number_of(most, 'example')})."
    )


def limit_chart(file: Mapping[str, Any], limit: int | None) -> Payload | None:
    """Return the lengths of a file's examples against the model's limit, on a logarithmic scale."""
    figures = file["tokens"].get("whole") or file["tokens"]["total"]
    if not limit or not figures["n"]:
        return None
    end = 10 ** math.ceil(math.log10(max(limit, figures["max"]) * 1.05))

    def x(value: float) -> float:
        share = math.log10(max(value, 1)) / math.log10(end)
        return round(_LEFT + share * (WIDTH - _LEFT - _RIGHT), 1)

    over = file.get("over_limit") or 0
    longest = figures["max"] / limit
    says = (
        f"{number_of(over, 'example')} longer than the {limit:,} tokens that the model takes."
        if over
        else f"The longest example has {figures['max']:,} tokens: {_share(longest)} of the "
        f"{limit:,} that the model takes."
    )
    return {
        "width": WIDTH,
        "ticks": [(x(10**n), _power(n)) for n in range(round(math.log10(end)) + 1)],
        "least": x(figures["min"]),
        "most": x(figures["max"]),
        "p5": x(figures["p5"]),
        "p95": x(figures["p95"]),
        "median": x(figures["median"]),
        "limit": x(limit),
        "end": WIDTH - _RIGHT,
        "over": over > 0,
        "says": says,
    }


def _power(n: int) -> str:
    return str(10**n) if n < 3 else f"{10 ** (n - 3)}k"


def _share(share: float) -> str:
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"

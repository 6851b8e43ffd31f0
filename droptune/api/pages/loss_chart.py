"""The curve of a training as an SVG picture: losses by step, checkpoints marked."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from droptune.domain.payload import Payload

WIDTH, HEIGHT = 720, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 16, 34
MOST_POINTS = 400
_VALIDATION = ("valid_loss", "full_valid_loss")

Point = tuple[float, float]


def loss_chart(
    steps: Sequence[Mapping[str, Any]],
    checkpoints: Sequence[Mapping[str, Any]] = (),
    last_step: int | None = None,
) -> Payload | None:
    """Return what `chart.html` draws, or None before the second step.

    `last_step` is the step at which the training ends, where it is known: the axis reaches there.
    """
    train = _points(steps, ("train_loss",))
    valid = _points(steps, _VALIDATION)
    if len(train) < 2:
        return None
    drawn = [*train, *valid]
    right = max([x for x, _ in drawn] + ([float(last_step)] if last_step else []))
    xs = _Scale(min(x for x, _ in drawn), right, _LEFT, WIDTH - _RIGHT)
    ticks = _ticks(min(y for _, y in drawn), max(y for _, y in drawn))
    ys = _Scale(ticks[0], ticks[-1], HEIGHT - _BOTTOM, _TOP)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": _LEFT,
        "right": WIDTH - _RIGHT,
        "bottom": HEIGHT - _BOTTOM,
        "top": _TOP,
        "train": _line(_thinned(train), xs, ys),
        "valid": _line(_thinned(valid), xs, ys),
        "valid_dots": [(xs(x), ys(y)) for x, y in valid] if len(valid) <= 40 else [],
        "y_ticks": [(ys(tick), _label(tick)) for tick in ticks],
        "x_ticks": [(xs(tick), _label(tick)) for tick in _whole_ticks(xs.low, xs.high)],
        "checkpoints": _checkpoints(checkpoints, xs),
        "last": (xs(train[-1][0]), ys(train[-1][1])),
        "summary": _summary(train, valid),
    }


class _Scale:
    """From figures to the places of a picture, linear."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self.low, self.high = low, high
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self._start + share * (self._end - self._start), 1)


def _points(steps: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[Point]:
    found = []
    for step in steps:
        x = _number(step.get("step"))
        y = next((n for name in names if (n := _number(step.get(name))) is not None), None)
        if x is not None and y is not None:
            found.append((x, y))
    return sorted(found)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) and abs(number) < 1e12 else None


def _thinned(points: list[Point]) -> list[Point]:
    stride = -(-len(points) // MOST_POINTS)
    return points if stride <= 1 else [*points[::stride], points[-1]]


def _line(points: list[Point], xs: _Scale, ys: _Scale) -> str:
    return " ".join(f"{xs(x):g},{ys(y):g}" for x, y in points)


def _ticks(low: float, high: float) -> list[float]:
    """Return four to eight round figures that enclose a range; from 0 unless that wastes half."""
    low = 0.0 if 0 <= low < high / 2 else low
    size = (high - low) or abs(high) or 1.0
    step = _round_step(size / 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [number * step for number in range(first, max(last, first + 1) + 1)]


def _whole_ticks(low: float, high: float) -> list[float]:
    step = max(1.0, _round_step((high - low) / 5)) if high > low else 1.0
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough)) if rough > 0 else 1.0
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)


def _label(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 10 else f"{value:.3g}"


def _checkpoints(checkpoints: Sequence[Mapping[str, Any]], xs: _Scale) -> list[Payload]:
    marks = ((_number(each.get("step")), str(each.get("model", ""))) for each in checkpoints)
    return [
        {"x": xs(step), "step": f"{step:g}", "model": model}
        for step, model in marks
        if step is not None and xs.low <= step <= xs.high
    ]


def _summary(train: list[Point], valid: list[Point]) -> str:
    said = (
        f"Training loss went from {train[0][1]:.3g} at step {train[0][0]:g} "
        f"to {train[-1][1]:.3g} at step {train[-1][0]:g}."
    )
    if valid:
        said += f" Validation loss is {valid[-1][1]:.3g} at step {valid[-1][0]:g}."
    return said

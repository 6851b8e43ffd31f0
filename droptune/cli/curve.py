"""The loss of a job as a drawing of characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from droptune.cli.app_client import AppClient, RefusedError
from droptune.cli.terminal import Terminal

Point = tuple[int, float]
HEIGHT = 8
WIDTH = 60
_BARS = "▁▂▃▄▅▆▇█"
_NOT_FOUND = 404


@dataclass(frozen=True, kw_only=True, slots=True)
class Losses:
    """Steps with the loss that was measured at them."""

    training: tuple[Point, ...] = ()
    validation: tuple[Point, ...] = ()


def read_losses(client: AppClient, run_id: str) -> Losses:
    """Return the losses that a run's metrics hold so far, none while there are no metrics."""
    try:
        steps = client.get("runs", run_id, "metrics").get("steps") or []
    except RefusedError as refused:
        if refused.status != _NOT_FOUND:
            raise
        return Losses()
    return Losses(training=_points(steps, "train_loss"), validation=_points(steps, "valid_loss"))


def _points(steps: Sequence[dict[str, object]], key: str) -> tuple[Point, ...]:
    found = ((step.get("step"), step.get(key)) for step in steps)
    return tuple(
        (step, float(loss))
        for step, loss in found
        if isinstance(step, int) and isinstance(loss, int | float)
    )


def sparkline(points: Sequence[Point], width: int) -> str:
    """Return points as bars in one line, the mean of neighbours where there are too many."""
    shown = [loss for _, loss in _thinned(points, width)]
    low, high = min(shown, default=0), max(shown, default=0)
    span = (high - low) or 1
    return "".join(_BARS[round((value - low) / span * (len(_BARS) - 1))] for value in shown)


def _thinned(points: Sequence[Point], count: int) -> list[Point]:
    """Return at most so many points, each the mean of its neighbours: the noise goes."""
    if len(points) <= count:
        return list(points)
    edges = [round(number * len(points) / count) for number in range(count + 1)]
    groups = (points[start:end] for start, end in pairwise(edges))
    return [(group[-1][0], fmean(loss for _, loss in group)) for group in groups]


def draw_losses(losses: Losses, terminal: Terminal) -> None:
    """Draw both losses over the steps; nothing where there are fewer than two points."""
    points = [*losses.training, *losses.validation]
    if len(points) < 2:
        return
    for line in chart(losses):
        terminal.say(f"  {line}")


def chart(losses: Losses, *, width: int = WIDTH, height: int = HEIGHT) -> list[str]:
    """Return the lines of a drawing: `•` training, `o` validation, with both axes named."""
    series = (("•", _thinned(losses.training, width)), ("o", _thinned(losses.validation, width)))
    every = [point for _, points in series for point in points]
    low, high = min(loss for _, loss in every), max(loss for _, loss in every)
    first, last = min(step for step, _ in every), max(step for step, _ in every)
    grid = [[" "] * width for _ in range(height)]
    for mark, points in series:
        for step, loss in points:
            column = round((step - first) / ((last - first) or 1) * (width - 1))
            row = round((high - loss) / ((high - low) or 1) * (height - 1))
            grid[row][column] = mark
    labels = {0: f"{high:.3f}", height - 1: f"{low:.3f}"}
    lines = [f"{labels.get(row, ''):>8} |{''.join(cells)}" for row, cells in enumerate(grid)]
    steps = f"{first}{f'step {last}':>{width - len(str(first))}}"
    legend = "• training loss" + ("   o validation loss" if losses.validation else "")
    return [*lines, f"{'':>8} +{'-' * width}", f"{'':>10}{steps}", f"{'':>10}{legend}"]

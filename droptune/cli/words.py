"""What a person says of a run: decisions, and wishes for a run that repeats another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Annotated

import typer

from droptune.cli.answers import answer, show_begun
from droptune.cli.app_client import Document
from droptune.cli.follow import promotion_exit_code
from droptune.cli.options import (
    AppOption,
    JsonOption,
    MetricOption,
    ReasonOption,
    RunArgument,
    StateOption,
)
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.show import show_line
from droptune.cli.targets import find_target
from droptune.cli.watch import watch


def _word(name: str, what: str) -> Callable[..., int]:
    """Return the command that says a word of a run."""

    def command(
        run: RunArgument,
        reason: ReasonOption = "",
        app: AppOption = None,
        state: StateOption = None,
        as_json: JsonOption = False,
    ) -> int:
        status = find_target(app, state).client.post("runs", run, name, body={"reason": reason})
        return answer(status, as_json, lambda terminal: show_line(status, terminal))

    command.__name__, command.__doc__ = name, what
    return command


def _decision(name: str, what: str) -> Callable[..., int]:
    """Return the command that decides what a run waits for."""

    def command(
        run: RunArgument,
        reason: ReasonOption = "",
        metric: MetricOption = None,
        app: AppOption = None,
        state: StateOption = None,
        as_json: JsonOption = False,
    ) -> int:
        body: Document = {"reason": reason}
        if metric:
            body["metrics"] = _figures(metric)
        status = find_target(app, state).client.post("runs", run, name, body=body)
        return answer(status, as_json, lambda terminal: show_line(status, terminal))

    command.__name__, command.__doc__ = name, what
    return command


def _figures(given: Iterable[str]) -> dict[str, float]:
    """Return what NAME=FIGURE says, each; raises Refusal for anything else."""
    figures = {}
    for each in given:
        name, _, figure = each.rpartition("=")
        try:
            figures[name] = float(figure)
        except ValueError:
            raise _no_figure(each) from None
        if not name or not math.isfinite(figures[name]):
            raise _no_figure(each)
    return figures


def _no_figure(given: str) -> Refusal:
    return Refusal(
        f"--metric {given}: not NAME=FIGURE.",
        "Say it so: --metric accuracy=0.93.",
        code=Exit.WRONG_USAGE,
    )


def _wish(name: str, what: str) -> Callable[..., int]:
    """Return the command that wishes for a run that repeats another."""

    def command(
        run: RunArgument,
        wait: Annotated[bool, typer.Option("--wait", help="Stay until the run ends.")] = False,
        app: AppOption = None,
        state: StateOption = None,
        as_json: JsonOption = False,
    ) -> int:
        target = find_target(app, state)
        begun = target.client.post("runs", body={name: run})
        if wait:
            return watch(target, begun["id"], as_json=as_json)
        return answer(begun, as_json, lambda terminal: show_begun(begun, terminal))

    command.__name__, command.__doc__ = name, what
    return command


cancel = _word("cancel", "Cancel a run; nothing that bills stays.")
pause = _word("pause", "Hold a run before its next step.")
resume = _word("resume", "Let a paused run go on.")
approve = _decision("approve", "Say yes to what a run waits for: its training or its promotion.")
reject = _decision("reject", "Say no to what a run waits for.")
retry = _wish("retry", "Repeat a run that did not succeed; a job already paid for is adopted.")
again = _wish("again", "Train anew what a run trained; this is paid for anew.")


def promote(
    run: RunArgument,
    reason: ReasonOption = "",
    wait: Annotated[bool, typer.Option("--wait", help="Stay until that has ended.")] = False,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a run's model the champion, later than the run itself."""
    target = find_target(app, state)
    begun = target.client.post("runs", run, "promote", body={"reason": reason})
    if wait:
        return watch(target, run, as_json=as_json, means=promotion_exit_code)
    return answer(begun, as_json, lambda terminal: show_begun(begun, terminal))

"""Following a run in front of a person: phases, the loss as it falls, and the end."""

from __future__ import annotations

from collections.abc import Callable

from droptune.cli.answers import answer
from droptune.cli.app_client import Document
from droptune.cli.curve import draw_losses, read_losses, sparkline
from droptune.cli.follow import LOCAL_SECONDS, REMOTE_SECONDS, exit_code, follow
from droptune.cli.show import show_decision, show_line, show_status
from droptune.cli.targets import Target
from droptune.cli.terminal import Terminal

_TRAINING = "training"
_SPARKS = 24


def watch(
    target: Target,
    run_id: str,
    *,
    as_json: bool,
    means: Callable[[Document], int] = exit_code,
) -> int:
    """Follow a run to its end; return the exit code that its end means."""
    every = LOCAL_SECONDS if target.local else REMOTE_SECONDS
    terminal = Terminal()
    ticker = _Ticker(target, terminal)
    look = ticker.look if terminal.is_live and not as_json else _nothing
    for status in follow(target.client, run_id, every=every, on_look=look):
        if not as_json:
            terminal.erase()
            show_line(status, terminal)
            show_decision(status, terminal)

    def show_end(terminal: Terminal) -> None:
        if terminal.is_live and status.get("job"):
            draw_losses(read_losses(target.client, run_id), terminal)
        show_status(status, terminal)

    answer(status, as_json, show_end)
    return means(status)


def _nothing(status: Document) -> None:
    """Show nothing between phases: there is no terminal to show it on."""


class _Ticker:
    """One line below the phases that changes while a job trains."""

    def __init__(self, target: Target, terminal: Terminal) -> None:
        self._target = target
        self._terminal = terminal
        self._shown: object = None

    def look(self, status: Document) -> None:
        """Show the job's figures when they have changed."""
        job = status.get("job") or {}
        if status.get("phase") != _TRAINING or job.get("step") in (None, self._shown):
            return
        self._shown = job["step"]
        losses = read_losses(self._target.client, status["id"]).training
        loss = job.get("train_loss")
        figure = f", loss {loss:.3f}" if isinstance(loss, int | float) else ""
        curve = sparkline(losses, _SPARKS)
        self._terminal.rewrite(f"  {'':<18} step {job['step']}{figure}  {curve}")

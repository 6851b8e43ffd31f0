"""`up`: a local installation that stays until it is stopped."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.installation import Installation
from droptune.cli.local_app import AlreadyRunningError, LocalApp
from droptune.cli.options import JsonOption, ScaleOption
from droptune.cli.receiver import Receiver
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.targets import DEFAULT_STATE
from droptune.cli.terminal import Terminal, show_json
from droptune.domain.outbox import LOCAL_TARGET

_LOOK_SECONDS = 0.5


def up(
    state: Annotated[
        Path, typer.Option("--state", metavar="DIR", help="Holds everything that must last.")
    ] = DEFAULT_STATE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The app's; 0: a free one.")] = 0,
    emulator_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The stand-in's; 0: a free one.")
    ] = 0,
    storage_port: Annotated[
        int, typer.Option(min=0, max=65535, help="The storage's; 0: a free one.")
    ] = 0,
    time_scale: ScaleOption = 60,
    as_json: JsonOption = False,
) -> int:
    """Start storage, a stand-in for Azure OpenAI and the app on this machine, and stay."""
    terminal = Terminal()
    say = (lambda text: None) if as_json else terminal.say
    told = Terminal(sys.stderr) if as_json else terminal
    try:
        with ExitStack() as stack:
            settings = {} if LOCAL_TARGET in os.environ else _listen(stack, told).settings
            app = LocalApp(
                state=state,
                time_scale=time_scale,
                app_port=port,
                emulator_port=emulator_port,
                storage_port=storage_port,
                say=say,
                settings=settings,
            )
            stack.enter_context(app)
            _stay(app, lambda: _tell(app.installation(), as_json, terminal))
    except AlreadyRunningError as already:
        if already.installation is None:  # it is starting at this moment
            raise
        _tell(already.installation, as_json, terminal, is_here=False)
    return Exit.YES


def _listen(stack: ExitStack, terminal: Terminal) -> Receiver:
    """Return a receiver that shows notifications, which ends with the stack."""
    return stack.enter_context(Receiver(lambda line: terminal.say(f"  {line}")))


def _stay(app: LocalApp, tell: Callable[[], None]) -> None:
    """Say that it runs, and return on Ctrl-C; raises Refusal when a process ends by itself."""
    try:
        tell()
        while not (ended := app.ended()):
            time.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        return
    raise Refusal(
        f"{ended} ended by itself; everything else was stopped.",
        f"Its log is in {app.state / 'logs'}; up on the same state goes on where it was.",
    )


def _tell(
    installation: Installation, as_json: bool, terminal: Terminal, *, is_here: bool = True
) -> None:
    """Show where everything is; another process may have started it."""
    if as_json:
        show_json(
            {"app_url": installation.app_url, "emulator_url": installation.emulator_url}
            | {"storage_connection_string": installation.storage_connection_string}
        )
        return
    base = f"{installation.app_url}/api"
    terminal.say("Droptune runs on this machine. Nothing here is Azure and nothing costs.", "bold")
    terminal.say(f"  {'page':<18} {base}/dashboard")
    terminal.say(f"  {'runs':<18} {base}/runs")
    terminal.say(f"  {'datasets':<18} {base}/datasets")
    terminal.say(f"  {'Azure OpenAI':<18} {installation.emulator_url} (a stand-in)")
    if not is_here:
        terminal.say("  It was started before, in another terminal; nothing was started here.")
        return
    terminal.say(f"  {'notifications':<18} a line each, here, as they are told")
    terminal.say("  Drop a dataset: python3 -m droptune submit DIR. Ctrl-C stops everything.")

"""The commands, and the one place where a refusal becomes a sentence and an exit code."""

from __future__ import annotations

import functools
import signal
import sys
from collections.abc import Callable, Sequence
from types import FrameType

import typer

from droptune.cli import (
    demo_command,
    doctor,
    run_commands,
    submit,
    test_command,
    up,
    validate_command,
)
from droptune.cli.app_client import RefusedError
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal, show_json

_HELP = "Drop a folder of JSONL, come back to a better model in production, or to a reasoned no."
_COMMANDS: tuple[run_commands.Command, ...] = (
    demo_command.demo,
    up.up,
    submit.submit,
    validate_command.validate,
    *run_commands.COMMANDS,
    doctor.doctor,
)


def build() -> typer.Typer:
    """Return the command line."""
    app = typer.Typer(
        help=_HELP,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for command in _COMMANDS:
        app.command()(_ending(command))
    passed_on = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}
    app.command("test", context_settings=passed_on)(_ending(test_command.test))
    return app


def _ending(command: run_commands.Command) -> Callable[..., None]:
    """Return a command whose returned code ends the program."""

    @functools.wraps(command)
    def ending(*args: object, **kwargs: object) -> None:
        raise typer.Exit(command(*args, **kwargs))

    return ending


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; never a stack trace for what a person can repair."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        build()(args=given, prog_name="droptune")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.YES
    except RefusedError as refusal:
        if "--json" in given:
            show_json(refusal.document)
        return _refuse(refusal)
    except Refusal as refusal:
        return _refuse(refusal)
    return Exit.YES


def _refuse(refusal: Refusal) -> int:
    terminal = Terminal(sys.stderr)
    terminal.say(f"droptune: {refusal}", "red")
    if refusal.remedy:
        terminal.say(f"  {refusal.remedy}")
    return refusal.code


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that everything started is stopped."""
    raise KeyboardInterrupt

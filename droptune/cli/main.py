"""The one place where a command is found, and where a refusal becomes a sentence and a code."""

from __future__ import annotations

import functools
import importlib
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from types import FrameType
from typing import Annotated

import typer

from droptune import __version__
from droptune.cli.commands import Command, wanted
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal, leave_pipe, show_all_letters, show_json

_HELP = "Drop a folder of JSONL, come back to a better model in production, or to a reasoned no."
_EPILOG = (
    "From a clone, say python3 -m droptune for droptune.\n\n"
    "Commands speak to the local app of `droptune up`, or to Azure with --app URL or DROPTUNE_APP; "
    "there a function key in DROPTUNE_KEY opens the app, else whoever is signed in (az login)."
    "\n\nExit codes: 0 yes, 1 a reasoned no, 2 wrong usage, 3 something could not be reached."
)


def build(commands: Sequence[Command]) -> typer.Typer:
    """Return the command line with some of its commands."""
    app = typer.Typer(
        help=_HELP,
        epilog=_EPILOG,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    for command in commands:
        _add(app, command)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        Terminal().say(f"droptune {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Take what stands before a command."""


def _add(app: typer.Typer, command: Command) -> None:
    module = importlib.import_module(f"droptune.cli.{command.module}")
    function = getattr(module, command.function or command.name)
    settings: dict[str, object] = {}
    if command.passes_arguments_on:
        settings = {"allow_extra_args": True, "ignore_unknown_options": True}
        settings["help_option_names"] = []
    app.command(
        command.name,
        help=help_of(command, function.__doc__),
        rich_help_panel=command.panel,
        context_settings=settings,
    )(_ending(function))


def help_of(command: Command, said: str) -> str:
    """Return a command's help: its sentence, examples, and what its output and its end mean."""
    examples = "\n".join(f"  {example}" for example in command.examples)
    more = [f"\b\nExamples:\n{examples}"]
    if command.json:
        more.append(f"--json prints {command.json}.")
    if command.exits:
        more.append(f"Exit code 1: {command.exits}.")
    return "\n\n".join([said, *more])


def _ending(command: Callable[..., int]) -> Callable[..., None]:
    """Return a command whose returned code ends the program."""

    @functools.wraps(command)
    def ending(*args: object, **kwargs: object) -> None:
        try:
            raise typer.Exit(command(*args, **kwargs))
        except KeyboardInterrupt:
            raise typer.Exit(Exit.INTERRUPTED) from None

    return ending


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; never a stack trace for what a person can repair."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    show_all_letters()
    for name in ("SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        if number := getattr(signal, name, None):
            signal.signal(number, _interrupt)
    try:
        build(wanted(given))(args=given, prog_name="droptune")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else Exit.YES
    except Refusal as refusal:
        return _refuse(refusal, as_json=_wants_json(given))
    except BrokenPipeError:
        leave_pipe()
        return Exit.NOT_REACHED
    return Exit.YES


def _wants_json(given: Sequence[str]) -> bool:
    follows = ("--format", "json") in pairwise(given)
    return follows or "--json" in given or "--format=json" in given


def _refuse(refusal: Refusal, *, as_json: bool) -> int:
    if as_json:
        show_json(refusal.document)
    terminal = Terminal(sys.stderr)
    terminal.say(f"droptune: {refusal}", "red")
    if refusal.remedy:
        terminal.say(f"  {refusal.remedy}")
    return refusal.code


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End as Ctrl-C does, so that everything started is stopped."""
    raise KeyboardInterrupt

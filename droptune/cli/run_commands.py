"""Commands about runs and projects: each asks one route and shows its answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from droptune.cli.app_client import Document
from droptune.cli.follow import LOCAL_SECONDS, REMOTE_SECONDS, exit_code, follow
from droptune.cli.options import AppOption, JsonOption, ReasonOption, RunArgument, StateOption
from droptune.cli.refusals import Exit
from droptune.cli.show import show_line, show_rows, show_status
from droptune.cli.targets import Target, find_target
from droptune.cli.terminal import Terminal, show_json

Command = Callable[..., int]


def runs(
    project: Annotated[str | None, typer.Option(help="Only runs of this project.")] = None,
    phase: Annotated[str | None, typer.Option(help="Only runs in this phase.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 20,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """List runs, newest first."""
    query = {"project": project, "phase": phase, "limit": limit}
    page = find_target(app, state).client.get("runs", query=query)
    return _answer(page, as_json, lambda terminal: show_rows(page["runs"], terminal))


def show(
    run: RunArgument,
    follows: Annotated[bool, typer.Option("--follow", help="Stay until the run ends.")] = False,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show where a run is; with --follow, its end decides the exit code."""
    target = find_target(app, state)
    if follows:
        return watch(target, run, as_json=as_json)
    status = target.client.get("runs", run)
    return _answer(status, as_json, lambda terminal: show_status(status, terminal))


def watch(target: Target, run_id: str, *, as_json: bool) -> int:
    """Follow a run to its end; return the exit code that its end means."""
    every = LOCAL_SECONDS if target.local else REMOTE_SECONDS
    terminal = Terminal()
    for status in follow(target.client, run_id, every=every):
        if not as_json:
            show_line(status, terminal)
    _answer(status, as_json, lambda terminal: show_status(status, terminal))
    return exit_code(status)


def word(name: str, what: str) -> Command:
    """Return the command that says a word of a run."""

    def command(
        run: RunArgument,
        reason: ReasonOption = "",
        app: AppOption = None,
        state: StateOption = None,
        as_json: JsonOption = False,
    ) -> int:
        status = find_target(app, state).client.post("runs", run, name, body={"reason": reason})
        return _answer(status, as_json, lambda terminal: show_line(status, terminal))

    return _named(command, name, what)


def wish(name: str, what: str) -> Command:
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
        return _answer(begun, as_json, lambda terminal: show_begun(begun, terminal))

    return _named(command, name, what)


def promote(
    run: RunArgument,
    reason: ReasonOption = "",
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a run's model the champion, later than the run itself."""
    begun = find_target(app, state).client.post("runs", run, "promote", body={"reason": reason})
    return _answer(begun, as_json, lambda terminal: show_begun(begun, terminal))


def rollback(
    project: Annotated[str, typer.Argument(metavar="PROJECT")],
    reason: ReasonOption = "",
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Make a project's previous champion the champion again."""
    client = find_target(app, state).client
    champion = client.post("projects", project, "rollback", body={"reason": reason})
    said = f"{project}: the champion is {champion.get('deployment')}."
    return _answer(champion, as_json, lambda terminal: terminal.say(said))


def show_begun(begun: Document, terminal: Terminal) -> None:
    """Show the answer to a wish for a run."""
    terminal.say(str(begun["id"]), "bold")
    terminal.say(f"  {begun['message']}")
    terminal.say(f"  {'status':<18} {begun['statusUrl']}")
    terminal.say(f"  {'page':<18} {begun['pageUrl']}")


def _answer(document: Document, as_json: bool, show_it: Callable[[Terminal], None]) -> int:
    if as_json:
        show_json(document)
    else:
        show_it(Terminal())
    return Exit.YES


def _named(command: Command, name: str, what: str) -> Command:
    command.__name__, command.__doc__ = name, what
    return command


COMMANDS: tuple[Command, ...] = (
    runs,
    show,
    word("cancel", "Cancel a run; nothing that bills stays."),
    word("pause", "Hold a run before its next step."),
    word("resume", "Let a paused run go on."),
    word("approve", "Say yes to what a run waits for: its training or its promotion."),
    word("reject", "Say no to what a run waits for."),
    wish("retry", "Repeat a run that did not succeed; a job already paid for is adopted."),
    wish("again", "Train anew what a run trained; this is paid for anew."),
    promote,
    rollback,
)

"""Commands that show runs: the list, and one at length."""

from __future__ import annotations

from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.curve import draw_losses, read_losses
from droptune.cli.options import AppOption, JsonOption, RunArgument, StateOption
from droptune.cli.show import show_rows, show_status
from droptune.cli.targets import find_target
from droptune.cli.terminal import Terminal
from droptune.cli.watch import watch


def runs(
    project: Annotated[str | None, typer.Option(help="Only runs of this project.")] = None,
    phase: Annotated[str | None, typer.Option(help="Only runs in this phase.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="How many.")] = 20,
    after: Annotated[
        str | None, typer.Option(metavar="NEXT", help="Go on where a page named `next`.")
    ] = None,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """List runs, newest first."""
    query = {"project": project, "phase": phase, "limit": limit, "after": after}
    page = find_target(app, state).client.get("runs", query=query)

    def show_page(terminal: Terminal) -> None:
        show_rows(page["runs"], terminal)
        if page.get("next"):
            terminal.say(f"There are more: --after {page['next']}", "dim")

    return answer(page, as_json, show_page)


def show(
    run: RunArgument,
    follows: Annotated[
        bool, typer.Option("--follow", "-f", help="Stay until the run ends.")
    ] = False,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Show where a run is; with --follow, its end decides the exit code."""
    target = find_target(app, state)
    if follows:
        return watch(target, run, as_json=as_json)
    status = target.client.get("runs", run)

    def show_it(terminal: Terminal) -> None:
        show_status(status, terminal)
        if status.get("job"):
            draw_losses(read_losses(target.client, run), terminal)

    return answer(status, as_json, show_it)

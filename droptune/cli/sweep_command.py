"""The sweep: what nobody needs any more goes, or is listed with the reason."""

from __future__ import annotations

from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.app_client import Document
from droptune.cli.options import AppOption, JsonOption, StateOption
from droptune.cli.refusals import Exit
from droptune.cli.targets import find_target
from droptune.cli.terminal import Terminal

_KINDS = {"running-job": "job, cancelled", "job": "job"}


def sweep(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what would go and why; touch nothing.")
    ] = False,
    app: AppOption = None,
    state: StateOption = None,
    as_json: JsonOption = False,
) -> int:
    """Delete the deployments, files and running jobs that no run and no champion needs."""
    client = find_target(app, state).client
    swept = client.post("sweep", body={"dry_run": dry_run})
    answer(swept, as_json, lambda terminal: _show(swept, terminal))
    refused = any(each["state"] == "refused" for each in swept["deletions"])
    return Exit.NO if refused else Exit.YES


def _show(swept: Document, terminal: Terminal) -> None:
    for each in swept["deletions"]:
        state = "would go" if each["state"] == "due" else each["state"]
        kind = _KINDS.get(each["what"], each["what"])
        terminal.say(f"{state:<10} {kind:<15} {each['name']}", "bold")
        terminal.say(f"  {each['why']}")
        if each["message"]:
            terminal.say(f"  {each['message']}")
    if not swept["deletions"]:
        terminal.say("Nothing to delete: whatever is there is needed, young or not Droptune's.")

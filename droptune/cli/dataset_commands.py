"""`datasets`: what was dropped, and what became of it before and beside any run."""

from __future__ import annotations

from droptune.cli.answers import answer
from droptune.cli.app_client import Document
from droptune.cli.options import AppOption, JsonOption, StateOption
from droptune.cli.targets import find_target
from droptune.cli.terminal import Terminal

_STYLES = {"rejected": "red", "failed": "red", "waiting": "yellow", "settling": "cyan"}


def datasets(app: AppOption = None, state: StateOption = None, as_json: JsonOption = False) -> int:
    """List what was dropped: what waits and for what, what was refused, what started."""
    listed = find_target(app, state).client.get("datasets")
    return answer(listed, as_json, lambda terminal: _show(listed["datasets"], terminal))


def _show(listed: list[Document], terminal: Terminal) -> None:
    for each in listed:
        name = each.get("path") or f"{each['project']}/{each['version']}"
        state = str(each["state"])
        painted = terminal.paint(f"{state:<10}", _STYLES.get(state, ""))
        terminal.say(f"{name:<48} {painted} {each['message']}")
        if each.get("remedy"):
            terminal.say(f"{'':<48} {'':<10} {each['remedy']}")
    if not listed:
        terminal.say("Nothing was dropped yet: droptune submit DIR.")

"""`docs/cli.md`, written from the command line itself: python -m droptune.cli.reference."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import typer

from droptune.cli.commands import COMMANDS, Command
from droptune.cli.main import build

_HEAD = """\
# The command line

<!-- Written by `python -m droptune.cli.reference`; a test holds it to the commands. -->

From a clone: `python3 -m droptune COMMAND`, which first sets up what is missing. From the wheel:
`droptune COMMAND`. Both speak to the local app of `up` (`--state DIR` names which), or to Azure
with `--app URL` or `DROPTUNE_APP`. `droptune --install-completion` teaches the shell the commands.

| exit code | means |
| --- | --- |
| 0 | yes |
| 1 | a reasoned no: rejected data, a failed run, a refusal of the app |
| 2 | wrong usage |
| 3 | something could not be reached or set up |
| 130 | interrupted |

With `--json` exactly one document stands on stdout (`events`: one a line), as the route answers it.
A refusal is the route's problem document, or one with the same `code`, `detail` and `remedy`; codes
are stable. Text for people is coloured only on a terminal, and not where `NO_COLOR` is set.

| variable | is |
| --- | --- |
| `DROPTUNE_APP` | the app in Azure, as `--app` |
| `DROPTUNE_KEY` | a function key of the app; without one whoever is signed in asks (`az login`) |
| `DROPTUNE_STORAGE` | the storage account of the datasets, as `submit --storage` |
| `NO_COLOR` | no colours |
| `AZURITE` | the program that serves blobs locally, where it is not the set-up's |
"""


def reference() -> str:
    """Return the page."""
    group: Any = typer.main.get_command(build(COMMANDS))
    parts = [_HEAD]
    for panel, commands in groupby(COMMANDS, key=lambda command: command.panel):
        parts.append(f"## {panel}\n")
        parts += [_section(each, group.commands[each.name]) for each in commands]
    return "\n".join(parts)


def _section(command: Command, built: Any) -> str:
    said = str(built.help).split("\n\n\b")[0].replace("\n", " ")
    lines = [f"### {command.name}", "", said, "", "```sh", *command.examples, "```", ""]
    rows = list(_rows(built.params))
    if rows:
        lines += ["| | |", "| --- | --- |", *rows, ""]
    if command.json:
        lines += [f"`--json` prints {command.json}.", ""]
    if command.exits:
        lines += [f"Exit code 1: {command.exits}.", ""]
    return "\n".join(lines)


def _rows(parameters: Sequence[Any]) -> Iterator[str]:
    for each in parameters:
        if each.name == "as_json" or each.name == "help":
            continue
        if each.param_type_name == "argument":
            name = str(each.metavar or each.name.upper()).strip("[]")
        else:
            name = ", ".join([*each.opts, *each.secondary_opts])
            name += f" {each.metavar or 'VALUE'}" if not each.is_flag else ""
        yield f"| `{name}` | {each.help or ''}{_default(each)} |"


def _default(parameter: Any) -> str:
    value = parameter.default
    if isinstance(value, bool) or not isinstance(value, int | float | str) or value == "":
        return ""
    return f" Default: {value}."


if __name__ == "__main__":
    sys.stdout.write(reference())

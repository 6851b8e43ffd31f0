"""`doctor`: what is there, what is missing, and what would help."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from droptune.cli.local_app import ROOT
from droptune.cli.options import AppOption, JsonOption, StateOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.storage import azurite_command
from droptune.cli.targets import find_target
from droptune.cli.terminal import Terminal, show_json


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at; `remedy` is empty when all is well."""

    name: str
    well: bool
    message: str
    remedy: str = ""


def doctor(app: AppOption = None, state: StateOption = None, as_json: JsonOption = False) -> int:
    """Look at this machine and at the app; the exit code is 0 when the app answers."""
    checks = list(look(app, state))
    if as_json:
        show_json({"checks": [asdict(check) for check in checks]})
    else:
        _show(checks, Terminal())
    return Exit.YES if all(check.well for check in checks) else Exit.NOT_REACHED


def look(app: str | None, state: Path | None) -> Iterator[Check]:
    """Yield what is found."""
    yield Check(name="python", well=True, message=f"{platform.python_version()}, {sys.executable}")
    if (ROOT / "pyproject.toml").is_file():
        yield _storage()
    yield _app(app, state)


def _storage() -> Check:
    try:
        command = azurite_command(ROOT)
    except Refusal as refusal:
        return Check(name="azurite", well=False, message=str(refusal), remedy=refusal.remedy)
    there = all(Path(part).exists() for part in command)
    return Check(
        name="azurite",
        well=there,
        message=" ".join(command),
        remedy="" if there else "A file is missing; python3 -m droptune up repairs it.",
    )


def _app(app: str | None, state: Path | None) -> Check:
    try:
        client = find_target(app, state).client
        health = client.get("health")
    except Refusal as refusal:
        return Check(name="app", well=False, message=str(refusal), remedy=refusal.remedy)
    return Check(name="app", well=True, message=f"{client.base_url}, {health.get('version')}")


def _show(checks: list[Check], terminal: Terminal) -> None:
    for check in checks:
        mark = terminal.paint("yes", "green") if check.well else terminal.paint("no ", "red")
        terminal.say(f"{mark}  {check.name:<10} {check.message}")
        if check.remedy:
            terminal.say(f"     {'':<10} {check.remedy}")

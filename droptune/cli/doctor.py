"""`doctor`: what is there, what is missing, and what would help."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path

from droptune.cli.checks import Check
from droptune.cli.local_app import ROOT, is_clone
from droptune.cli.options import AppOption, JsonOption, StateOption
from droptune.cli.refusals import Exit
from droptune.cli.targets import DEFAULT_STATE
from droptune.cli.terminal import Terminal, show_json


def doctor(app: AppOption = None, state: StateOption = None, as_json: JsonOption = False) -> int:
    """Look at this machine and at the app, local or in Azure: what is wrong, and what helps."""
    checks = list(look(app, state))
    if as_json:
        show_json({"checks": [asdict(check) for check in checks]})
    else:
        _show(checks, Terminal())
    return Exit.YES if all(check.well for check in checks) else Exit.NOT_REACHED


def look(
    app: str | None, state: Path | None, environ: Mapping[str, str] = os.environ
) -> Iterator[Check]:
    """Yield what is found, first of this machine, then of the app that commands speak to."""
    from droptune.cli.machine_checks import look_at_clone, look_at_python

    url = app or (None if state else environ.get("DROPTUNE_APP"))
    yield look_at_python()
    if url:
        from droptune.cli.azure_checks import look_at_azure

        yield from look_at_azure(url, environ)
        return
    if is_clone():
        yield from look_at_clone(ROOT)
    from droptune.cli.local_checks import look_at_local_app

    yield from look_at_local_app(state or DEFAULT_STATE)


def _show(checks: list[Check], terminal: Terminal) -> None:
    for check in checks:
        mark = terminal.paint("yes", "green") if check.well else terminal.paint("no ", "red")
        terminal.say(f"{mark}  {check.name:<14} {check.message}")
        if check.remedy:
            terminal.say(f"     {'':<14} {check.remedy}")

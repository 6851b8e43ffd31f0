"""`test`: every check of the repository, one after the other, all of them even if one fails."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import typer

from droptune.cli.local_app import ROOT
from droptune.cli.refusals import Exit
from droptune.cli.terminal import Terminal
from droptune.setup.marker import read_marker

_BICEP = Path("..", "shared", "tools", "bicep", "bicep")
_SIMULATED = {"--seconds": 12 * 60, "--at-least": 6_000, "--longest": 25 * 60}
_AZURITE = Path(".droptune", "azurite", "node_modules", ".bin", "azurite-blob")


def test(context: typer.Context) -> int:
    """Run ruff, mypy, pytest and fresh schedules; with arguments pytest alone, which gets them."""
    terminal = Terminal(sys.stderr)
    failed = []
    for name, command in checks(context.args, simulated()).items():
        terminal.say(f"droptune: {name}", "bold")
        if subprocess.call([sys.executable, "-m", *command], cwd=ROOT, env=environment(ROOT)):
            failed.append(name)
    if failed:
        terminal.say(f"droptune: not passed: {', '.join(failed)}", "red")
    return Exit.NO if failed else Exit.YES


def simulated(environ: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Return how many fresh schedules are run, as the simulation is told.

    As many as fit twelve minutes and at least 6,000, but not beyond 25 minutes; or for
    DROPTUNE_SIMULATE_SECONDS, 0 for none.
    """
    seconds = environ.get("DROPTUNE_SIMULATE_SECONDS")
    if not seconds:
        return _SIMULATED
    return {"--seconds": int(seconds)} if int(seconds) else {}


def checks(pytest_arguments: Sequence[str], simulated: Mapping[str, int]) -> dict[str, list[str]]:
    """Return what is run, by name; schedules that nobody has seen before come last."""
    if pytest_arguments:
        return {"pytest": ["pytest", *pytest_arguments]}
    found = {
        "ruff check": ["ruff", "check"],
        "ruff format": ["ruff", "format", "--check"],
        "mypy": ["mypy"],
        "pytest": ["pytest", "-n", "2"],
    }
    if simulated:
        extent = [word for option in simulated.items() for word in map(str, option)]
        found["simulation"] = ["simulation", "--fresh", *extent]
    return found


def environment(root: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return this environment with the tools that the tests may use, where they are installed."""
    tools = {"AZURITE": root / _AZURITE, "BICEP": root / _BICEP}
    found = {name: str(path) for name, path in tools.items() if path.exists()}
    node = read_marker(root / ".droptune" / "azurite").get("node")
    places = [str(Path(node).parent)] if node else []
    path = os.pathsep.join([*places, environ.get("PATH", "")])
    return {**found, **environ, "PATH": path}

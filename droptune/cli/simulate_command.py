"""`simulate`: the app under virtual time, with everything failing that can, and an audit."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Annotated

import typer

from droptune.cli.local_app import ROOT
from droptune.cli.options import JsonOption


def simulate(
    seeds: Annotated[
        str, typer.Option(help="First and last seed of a range, such as 0-999.")
    ] = "0-199",
    seed: Annotated[int | None, typer.Option(help="Run one schedule alone.")] = None,
    profile: Annotated[
        str | None, typer.Option(help="Kind of troubles; each seed has one of its own.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Tell the story of --seed.")] = False,
    seconds: Annotated[
        float | None, typer.Option(help="Begin no further schedule after so long.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Let everything fail that can, in virtual time, and see whether each promise holds."""
    asked = {"--seeds": seeds, "--seed": seed, "--profile": profile, "--seconds": seconds}
    valued = [part for name, value in asked.items() if value is not None for part in (name, value)]
    flags = [name for name, is_on in (("--trace", trace), ("--json", as_json)) if is_on]
    command = [sys.executable, "-m", "simulation", *map(str, valued), *flags]
    return subprocess.call(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": "0"})

"""`demo`: the whole line on this machine, in three acts, each of which is checked."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.app_client import Document
from droptune.cli.demo_acts import Stage, drop_it_again, refuse_bad_data, train_and_promote
from droptune.cli.demo_story import tell_ending, tell_price
from droptune.cli.local_app import ROOT, LocalApp, require_clone
from droptune.cli.options import JsonOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal, show_json

SAMPLE = ROOT / "samples" / "support-bot"
BROKEN = ROOT / "samples" / "broken"


def demo(
    dataset: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Play act 2 on a folder of your own.")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="DIR", help="Kept; else it is temporary.")
    ] = None,
    time_scale: Annotated[
        float, typer.Option("--time-scale", min=1, max=10_000, help="How fast training goes.")
    ] = 20,
    as_json: JsonOption = False,
) -> int:
    """Play the whole line on this machine: refuse bad data, train through a crash, buy once."""
    require_clone()
    started = time.monotonic()
    terminal = Terminal(sys.stderr) if as_json else Terminal()
    folder = dataset or SAMPLE
    tell_price(folder, terminal)
    with _state(state) as place, LocalApp(state=place, time_scale=time_scale) as app:
        stage = Stage(app=app, terminal=terminal, started=started, is_kept=state is not None)
        terminal.say(f"  Everything runs, after {stage.elapsed():.1f} s: {app.app_url}", "dim")
        status = _play(stage, folder, own=dataset is not None)
        tell_ending(stage, status)
        page = status["links"]["page"]
    terminal.say(f"\n{_way_on(state, folder, page)}", "dim")
    if as_json:
        show_json(status)
    return Exit.YES


def _play(stage: Stage, folder: Path, *, own: bool) -> Document:
    if own:
        return train_and_promote(stage, folder, project=None)
    project = folder.name
    refuse_bad_data(stage, BROKEN, project=project)
    status = train_and_promote(stage, folder, project=project)
    drop_it_again(stage, folder, status)
    return status


def _way_on(state: Path | None, folder: Path, page: str) -> str:
    """Return how to look around now that everything has been stopped."""
    up = "python3 -m droptune up"
    if state is not None:
        return f"Everything was stopped and is kept. {up} --state {state} shows it: {page}"
    return (
        f"Everything was stopped and removed. To look around: {up}, and in another terminal "
        f"python3 -m droptune submit {os.path.relpath(folder)}."
    )


@contextmanager
def _state(state: Path | None) -> Iterator[Path]:
    """Yield the folder for everything that is kept; a temporary one stays only for its logs."""
    if state is not None:
        yield state
        return
    place = Path(tempfile.mkdtemp(prefix="droptune-demo-"))
    try:
        yield place
    except Refusal as refusal:
        refusal.remedy = f"{refusal.remedy} Everything it left is in {place}.".strip()
        raise
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    shutil.rmtree(place, ignore_errors=True)

"""How far an upload is, on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from droptune.cli.terminal import is_live
from droptune.cli.uploads import OnBytes


@contextmanager
def upload_progress(files: Sequence[tuple[str, Path]], *, quiet: bool) -> Iterator[OnBytes]:
    """Yield what an upload tells of its bytes; bars are drawn on stderr where it is a terminal."""
    if quiet or not is_live(sys.stderr):
        yield lambda name, more: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn())
    console = Console(stderr=True)
    with Progress(*columns, TransferSpeedColumn(), console=console, transient=True) as progress:
        tasks = {
            name: progress.add_task(name.rpartition("/")[2], total=path.stat().st_size)
            for name, path in files
        }
        yield lambda name, more: progress.advance(tasks[name], more)

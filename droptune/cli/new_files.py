"""Files that a command writes: never over a source, whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from droptune.cli.refusals import Exit, Refusal


def refuse_used_folder(out: Path, sources: Iterable[Path]) -> None:
    """Refuse a folder that holds a source, or anything at all."""
    for source in sources:
        if out.resolve() in (source.resolve(), source.resolve().parent):
            said = f"{out} is where the data lies; nothing is changed in place."
            raise Refusal(said, "Name another folder.", code=Exit.WRONG_USAGE)
    if out.exists() and not out.is_dir():
        raise Refusal(f"{out} is a file.", "Name a folder.", code=Exit.WRONG_USAGE)
    if out.is_dir() and any(out.iterdir()):
        said = f"The folder {out} is not empty."
        raise Refusal(said, "Name a new one, or empty it.", code=Exit.WRONG_USAGE)


def refuse_used_file(out: Path, source: Path) -> None:
    """Refuse a file that is the source, or exists."""
    if out.exists() and out.resolve() == source.resolve():
        said = f"{out} is the source; nothing is changed in place."
        raise Refusal(said, "Name another file.", code=Exit.WRONG_USAGE)
    if out.exists():
        said = f"There is a {out} already."
        raise Refusal(said, "Name a new file, or remove it.", code=Exit.WRONG_USAGE)


@contextmanager
def new_files(paths: Iterable[Path]) -> Iterator[list[BinaryIO]]:
    """Yield a stream for each file; all get their names once all is well, else none is left."""
    wanted = list(paths)
    parts = [path.with_name(f".{path.name}.part") for path in wanted]
    streams: list[BinaryIO] = []
    try:
        for part in parts:
            part.parent.mkdir(parents=True, exist_ok=True)
            streams.append(part.open("wb"))
        yield streams
        for stream in streams:
            stream.close()
        for part, path in zip(parts, wanted, strict=True):
            os.replace(part, path)
    except OSError as error:
        name = error.filename or wanted[0]
        raise Refusal(f"{name}: {error.strerror or 'it failed'}.") from error
    finally:
        for stream in streams:
            with suppress(OSError):
                stream.close()
        for part in parts:
            with suppress(OSError):
                part.unlink(missing_ok=True)

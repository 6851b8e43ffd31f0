"""`convert`: a file in another tool's shape becomes chat messages, or says which line cannot."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.new_files import new_files, refuse_used_file
from droptune.cli.options import JsonOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal
from droptune.domain.dataset import Role


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL in another shape.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The new file.")],
    as_json: JsonOption = False,
) -> int:
    """Write examples of other tools as messages; nothing is written unless all of them can be."""
    refuse_used_file(out, file)
    counted: Counter[str] = Counter()
    with new_files([out]) as (stream,):
        for shape, line in _converted(file):
            counted[shape] += 1
            stream.write(line)
        if not counted:
            raise Refusal(f"{file} holds no example.", code=Exit.NO)
    document = {"file": str(out), "examples": counted.total(), "shapes": dict(counted)}

    def show(terminal: Terminal) -> None:
        said = ", ".join(f"{count:,} {shape}" for shape, count in sorted(counted.items()))
        terminal.say(f"Wrote {counted.total():,} examples to {out} ({said}).")

    return answer(document, as_json, show)


def _converted(file: Path) -> Iterator[tuple[str, bytes]]:
    from droptune.validation import FileSource
    from droptune.validation.rewriting.converting import NotConvertibleError, convert, to_line
    from droptune.validation.rewriting.lines import BOM, LineTooLongError, read_lines

    try:
        for number, raw, _ in read_lines(FileSource(path=file, role=Role.TRAINING)):
            line = raw.removeprefix(BOM) if number == 1 else raw
            if not line.strip():
                continue
            try:
                shape, example = convert(json.loads(line))
                yield shape, to_line(example)
            except NotConvertibleError as error:
                raise _refusal(file, number, str(error)) from error
            except (ValueError, RecursionError) as error:
                raise _refusal(file, number, "it is not JSON in UTF-8") from error
    except LineTooLongError as error:
        raise Refusal(f"Nothing was written: {error}.", code=Exit.NO) from error
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror}."
        raise Refusal(said, code=Exit.WRONG_USAGE) from error


def _refusal(file: Path, line: int, why: str) -> Refusal:
    return Refusal(
        f"Nothing was written: {file.name}, line {line}: {why}.",
        "Mend or remove that line.",
        code=Exit.NO,
    )

"""`convert`: a file in another tool's shape becomes chat messages, or says which lines cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.answers import answer
from droptune.cli.new_files import new_files, refuse_used_file
from droptune.cli.options import JsonOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal
from droptune.domain.dataset import Role
from droptune.domain.report.wording import number_of

LISTED = 20
_LOST = "which would be lost"


def convert(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSONL in another shape.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The new file.")],
    drop: Annotated[
        list[str] | None, typer.Option(metavar="KEY", help="A key that may get lost; repeatable.")
    ] = None,
    as_json: JsonOption = False,
) -> int:
    """Write examples of other tools as messages; nothing is written unless all of them can be."""
    refuse_used_file(out, file)
    counted: Counter[str] = Counter()
    refused = _Refused(file)
    with new_files([out]) as (stream,):
        for shape, line in _converted(file, drop or (), refused):
            counted[shape] += 1
            stream.write(line + b"\n")
        refused.end()
        if not counted:
            raise Refusal(f"{file} holds no example.", code=Exit.NO)
    document = {"file": str(out), "examples": counted.total(), "shapes": dict(counted)}

    def show(terminal: Terminal) -> None:
        said = ", ".join(f"{count:,} {shape}" for shape, count in sorted(counted.items()))
        terminal.say(f"Wrote {number_of(counted.total(), 'example')} to {out} ({said}).")

    return answer(document, as_json, show)


class _Refused:
    """Lines that cannot be converted: the first twenty with the reason, the others counted."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._count = 0
        self._said: list[str] = []

    def add(self, line: int, why: str) -> None:
        self._count += 1
        if self._count <= LISTED:
            self._said.append(f"line {line}: {why}.")

    def end(self) -> None:
        """Refuse the file if a line was refused."""
        if not self._count:
            return
        more = [f"and {self._count - LISTED:,} more."] if self._count > LISTED else []
        lost = any(_LOST in said for said in self._said)
        remedy = "Mend those lines, or say --drop KEY for what may get lost."
        raise Refusal(
            "\n  ".join([f"Nothing was written of {self._file.name}:", *self._said, *more]),
            remedy if lost else "Mend or remove those lines.",
            code=Exit.NO,
        )


def _converted(file: Path, drop: Collection[str], refused: _Refused) -> Iterator[tuple[str, bytes]]:
    from droptune.validation import FileSource
    from droptune.validation.rewriting.converting import Converter, NotConvertibleError
    from droptune.validation.rewriting.lines import BOM, LineTooLongError, read_lines

    converter = Converter(drop)
    try:
        for number, raw, _ in read_lines(FileSource(path=file, role=Role.TRAINING)):
            line = (raw.removeprefix(BOM) if number == 1 else raw).rstrip(b"\r")
            if not line.strip():
                continue
            try:
                yield converter.convert_line(line)
            except NotConvertibleError as error:
                refused.add(number, str(error))
    except LineTooLongError as error:
        raise Refusal(f"Nothing was written: {error}.", code=Exit.NO) from error
    except OSError as error:
        said = f"{file} cannot be read: {error.strerror}."
        raise Refusal(said, code=Exit.WRONG_USAGE) from error

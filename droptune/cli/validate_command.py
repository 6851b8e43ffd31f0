"""`validate`: the report on files of this machine, without service, network or account."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.given import Given, sort_by_folder, sort_given, spooled
from droptune.cli.options import JsonOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.report_formats import Format, show_reports, write_html
from droptune.cli.terminal import Terminal, leave_pipe
from droptune.cli.validation_report import report_on
from droptune.domain.payload import Payload

_ONE = "Name one dataset, or leave out {}."


def _print_schema(asked: bool) -> None:
    if asked:
        from droptune.api.schemas import REPORT, read_schema

        sys.stdout.write(read_schema(REPORT).decode())
        raise typer.Exit


def validate(
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="JSONL, YAML, a DIR, or - for stdin.",
            readable=False,  # what may not be read is a finding
        ),
    ],
    model: Annotated[str | None, typer.Option(help="Counts tokens as this model does.")] = None,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Processes; 0: as fit.")] = 0,
    output: Annotated[
        Format, typer.Option("--format", help="How the report is printed.")
    ] = Format.TEXT,
    html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Writes the report as one HTML file, too.")
    ] = None,
    fix: Annotated[
        Path | None,
        typer.Option(metavar="OUT", help="Writes a copy into a folder, corrected where safe."),
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option(metavar="DIR", help="An earlier version to compare with.")
    ] = None,
    by_folder: Annotated[
        bool, typer.Option("--by-folder", help="Each file's folder is a dataset of its own.")
    ] = False,
    as_json: JsonOption = False,
    schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Prints the JSON Schema of the report.",
            is_eager=True,
            callback=_print_schema,
        ),
    ] = False,
) -> int:
    """Say what is wrong with a dataset and what training on it would cost; nothing leaves here."""
    shown = Format.JSON if as_json else output
    with ExitStack() as stack:
        datasets = _datasets(files, by_folder, stack)
        for name, value in (("--html", html), ("--fix", fix), ("--earlier", earlier)):
            if value is not None and len(datasets) > 1:
                said = f"{len(datasets)} datasets are named, and {name} is for one."
                raise Refusal(said, _ONE.format(name), code=Exit.WRONG_USAGE)
        if fix is not None:
            _refuse_place(datasets[0], fix)
        reports = [
            report_on(
                given,
                model=model,
                workers=workers,
                earlier=earlier,
                with_samples=html is not None or shown is Format.JSON,
            )
            for given in datasets
        ]
        if fix is not None:
            reports = [reports[0] | {"fixed": _fix(datasets[0], fix, reports[0])}]
        if html is not None:
            write_html(reports[0], html)
        _show(list(zip(reports, datasets, strict=True)), shown)
        if html is not None and shown is Format.TEXT:
            Terminal(sys.stderr).say(f"Report: {html}")
    accepted = all(report["verdict"] == "accept" for report in reports)
    return Exit.YES if accepted else Exit.NO


def _datasets(files: list[Path], by_folder: bool, stack: ExitStack) -> list[Given]:
    paths, names = spooled(files, stack)
    if by_folder:
        return sort_by_folder(paths)
    given = sort_given(paths)
    return [replace(given, labels={**given.labels, **names})]


def _show(reports: list[tuple[Payload, Given]], output: Format) -> None:
    """Print; a reader who has seen enough and left does not change the verdict."""
    try:
        show_reports([(report, given.paths()) for report, given in reports], output)
    except BrokenPipeError:
        leave_pipe()
    except OSError as error:
        leave_pipe()
        raise Refusal(f"The report cannot be printed: {error.strerror}.") from error


def _refuse_place(given: Given, out: Path) -> None:
    from droptune.cli.fixing import refuse_place

    refuse_place(given, out)


def _fix(given: Given, out: Path, report: Payload) -> Payload:
    from droptune.cli.fixing import fix_given

    return fix_given(given, out, report)

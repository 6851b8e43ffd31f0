"""What `validate` prints: a report in the format that was asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path

from droptune import __version__
from droptune.cli.refusals import Refusal
from droptune.cli.terminal import Terminal, show_json
from droptune.cli.validation_report import text_of
from droptune.domain.payload import Payload
from droptune.domain.report.wording import printable

SUMMARY = "GITHUB_STEP_SUMMARY"


class Format(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    GITHUB = "github"


Reports = Sequence[tuple[Payload, Mapping[str, str]]]


def show_reports(reports: Reports, output: Format, environ: Mapping[str, str] = os.environ) -> None:
    """Print reports, each with the paths of its files; one alone as it is, several in a row.

    JSON is a list where several were asked for. For GitHub, the summary of the job grows as well.
    """
    documents = [document for document, _ in reports]
    if output is Format.JSON:
        show_json(documents[0] if len(documents) == 1 else documents)
    elif output is Format.SARIF:
        from droptune.validation.formats.sarif import to_sarif

        show_json(to_sarif(reports, version=__version__))
    elif output is Format.GITHUB:
        _show_on_github(reports, environ)
    else:
        for number, (document, paths) in enumerate(reports):
            terminal = Terminal(live=sys.stdout.isatty())
            if len(reports) > 1:
                terminal.say(("\n" if number else "") + _place(paths), "bold")
            terminal.say(text_of(document))


def _place(paths: Mapping[str, str]) -> str:
    """Return the folder of a dataset, or the file that it is alone."""
    return printable(os.path.commonpath(paths.values()) or ".")


def _show_on_github(reports: Reports, environ: Mapping[str, str]) -> None:
    from droptune.validation.formats.github import job_summary, summary_line, workflow_commands

    for document, paths in reports:
        sys.stdout.write(workflow_commands(document, paths) + summary_line(document) + "\n")
    sys.stdout.flush()
    if summary := environ.get(SUMMARY):
        try:
            with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as into:
                into.writelines(job_summary(document) for document, _ in reports)
        except OSError as error:
            raise Refusal(f"The job summary cannot be written: {error.strerror}.") from error


def write_html(document: Payload, path: Path) -> None:
    """Write the report as one self-contained HTML file."""
    from droptune.api.pages.report_page import render_report

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render_report(document), encoding="utf-8")
    except OSError as error:
        raise Refusal(f"{path} cannot be written: {error.strerror}.") from error

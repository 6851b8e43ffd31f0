"""A report document as GitHub Actions reads it: workflow commands, and a job summary."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from droptune.domain.payload import Payload
from droptune.domain.report.cost_lines import cost_lines
from droptune.domain.report.differences import diff_sentence
from droptune.domain.report.grouping import Group, Places, group
from droptune.domain.report.wording import figure, number_of, printable, verdict

_COMMANDS = {"error": "error", "warning": "warning", "info": "notice"}
_SIGNS = {"error": "🛑", "warning": "⚠️", "info": "ℹ️"}  # noqa: RUF001
_LISTED = 3
_FILES = 20
_SUMMARY_CHARACTERS = 250_000


def workflow_commands(document: Payload, paths: Mapping[str, str]) -> str:
    """Return a command for each finding, worst first, by which GitHub marks the line.

    Source: GitHub docs, workflow commands; escaping as in @actions/core's command.ts.
    """
    findings = (finding for each in group(document) for finding in each.findings)
    return "".join(f"{_command(finding, paths)}\n" for finding in findings)


def _command(finding: Mapping[str, Any], paths: Mapping[str, str]) -> str:
    name = finding.get("file")
    properties = {"file": paths.get(name, name)} if name else {}
    if name and finding.get("line"):
        properties["line"] = str(finding["line"])
    properties["title"] = str(finding["rule"])
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    fix = f" {finding['fix']}" if finding.get("fix") else ""
    return f"::{_COMMANDS[finding['severity']]} {shown}::{_data(finding['message'] + fix)}"


def _data(text: object) -> str:
    return str(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: object) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def job_summary(document: Payload) -> str:
    """Return the report as Markdown in which nothing of the data is markup; 250 kB at most."""
    text = "\n".join(_summary(document)) + "\n\n"
    if len(text) > _SUMMARY_CHARACTERS:
        text = f"{text[:_SUMMARY_CHARACTERS]}\n\n…\n\n"
    return text


def _summary(document: Payload) -> Iterator[str]:
    sign = "✅" if document["verdict"] == "accept" else "❌"
    yield f"## {sign} {verdict(document)}"
    yield ""
    groups = group(document)
    if groups:
        yield "| | rule | where | what would be right |"
        yield "| --- | --- | --- | --- |"
        yield from map(_row, groups)
        yield ""
    yield "| file | examples | tokens | mean | median | max | the assistant's |"
    yield "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"
    for file in document["files"][:_FILES]:
        total, assistant = file["tokens"]["total"], file["tokens"]["assistant"]
        shown = (total["sum"], total["mean"], total["median"], total["max"], assistant["sum"])
        cells = " | ".join(figure(each) for each in shown)
        yield f"| {_inert(file['name'])} | {file['examples']:,} | {cells} |"
    if more := document["files"][_FILES:]:
        yield f"| and {number_of(len(more), 'more file')} | | | | | | |"
    yield ""
    for name, said in cost_lines(document):
        yield f"- **{name}**: {_inert(said)}" if name else f"- {_inert(said)}"
    for each in document.get("diff") or ():
        yield f"- **{each['role']}**, compared: {diff_sentence(each)}"
    if unknown := document.get("unknown"):
        yield ""
        yield "<details><summary>What this report cannot know</summary>"
        yield ""
        yield from (f"- {_inert(said)}" for said in unknown)
        yield ""
        yield "</details>"


def _row(found: Group) -> str:
    places = found.places()
    shown = "<br>".join(_place(each) for each in places[:_LISTED])
    more = f"<br>{found.count:,} places" if len(places) > _LISTED else ""
    says = f"{_SIGNS[found.severity]} {found.severity}"
    return f"| {says} | {_inert(found.rule)} | {shown}{more} | {_inert(found.fix)} |"


def _place(places: Places) -> str:
    file = f"{_inert(places.file)}: " if places.file else ""
    return f"{file}{_inert(places)}"


def _inert(text: object) -> str:
    """Return text of which nothing is markup, link, mention or a cell's end."""
    shown = printable(text)
    return "".join(c if c.isalnum() or c in " .,;()%/?!'" else _entity(c) for c in shown)


def _entity(char: str) -> str:
    return char if ord(char) > 0x7F else f"&#{ord(char)};"


def summary_line(document: Payload) -> str:
    """Return the verdict, for the log after the commands."""
    return f"{verdict(document)} {number_of(len(document['files']), 'file')}."

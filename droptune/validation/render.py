"""A report for a terminal."""

from __future__ import annotations

from droptune.domain.findings import Finding, Severity
from droptune.validation.report import FileReport, Report

_COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36"}


def render_text(report: Report, *, colour: bool) -> str:
    """Return a report as lines of text; `colour` only for a terminal."""
    lines = [_file_line(file) for file in report.files]
    lines += [_finding_line(finding, colour) for finding in report.findings]
    lines.append(_cost_line(report))
    verdict = "accepted" if report.verdict == "accept" else "rejected"
    lines.append(_painted(verdict, "32" if verdict == "accepted" else "31", colour))
    return "\n".join(lines)


def _file_line(file: FileReport) -> str:
    total, assistant = file.tokens["total"], file.tokens["assistant"]
    return (
        f"{file.name}: {file.examples} examples, {total.sum:,} tokens "
        f"(mean {total.mean:.1f}, median {total.median:g}, min {total.min}, max {total.max}; "
        f"assistant {assistant.sum:,})"
    )


def _finding_line(finding: Finding, colour: bool) -> str:
    shown = _printable(finding.message)
    place = "" if shown.startswith("line ") or finding.line is None else f"line {finding.line}: "
    fix = f" {_printable(finding.fix)}" if finding.fix else ""
    severity = _painted(finding.severity.value, _COLOURS[finding.severity], colour)
    return f"{severity} {_printable(finding.file or '')}: {place}{shown}{fix}"


def _cost_line(report: Report) -> str:
    cost = report.cost
    if cost is None or cost.low is None or cost.high is None:
        return f"cost: {cost.message if cost else 'not known'}"
    hosting = f", hosting ${cost.hosting_month:,.2f} a month" if cost.hosting_month else ""
    return (
        f"cost: ${cost.low:.2f} to ${cost.high:.2f} for {cost.training_tokens:,} tokens x "
        f"{cost.epochs_low} to {cost.epochs_high} epochs{hosting} (prices of {cost.as_of})"
    )


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _printable(text: str) -> str:
    """Return hostile text without control characters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)

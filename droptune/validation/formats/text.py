"""A report for a terminal: the verdict, what to mend, the figures, the price."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from droptune.domain.payload import Payload
from droptune.domain.report.cost_lines import cost_lines
from droptune.domain.report.differences import diff_sentence
from droptune.domain.report.grouping import Group, group
from droptune.domain.report.wording import figure, number_of, printable, verdict

_COLOURS = {"error": "31", "warning": "33", "info": "36"}
_HEADS = {"error": "Errors", "warning": "Warnings", "info": "Notes"}
_LISTED = 5
_FILES = 8
_BARS = 12
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_FIGURES = ("sum", "mean", "median", "min", "max", "p5", "p95")
_NARROWEST = 40


def render_text(
    document: Payload, *, colour: bool, width: int | None = None, findings_only: bool = False
) -> str:
    """Return a report document as text.

    `colour` only for a terminal, `width` its columns; without a width no line is broken.
    """
    text = _Text(document, colour, width)
    return "\n".join(text.verdict_and_findings() if findings_only else text.lines())


class _Text:
    def __init__(self, document: Payload, colour: bool, width: int | None) -> None:
        self._document, self._colour = document, colour
        self._width = None if width is None else max(width, _NARROWEST)

    def verdict_and_findings(self) -> Iterator[str]:
        accepted = self._document["verdict"] == "accept"
        for line in self._wrapped(
            f"{'✓' if accepted else '✗'} {verdict(self._document)}", indent=0
        ):
            yield self._painted(self._painted(line, "32" if accepted else "31"), "1")
        yield from self._findings()

    def lines(self) -> Iterator[str]:
        yield from self.verdict_and_findings()
        if any(file["examples"] for file in self._document["files"]):
            yield from self._figures()
        yield from self._section("Cost", cost_lines(self._document))
        yield from self._diff()
        yield from self._fixed()
        unknown = self._document.get("unknown") or ()
        yield from self._section("What this report cannot know", [("", said) for said in unknown])

    def _findings(self) -> Iterator[str]:
        severity = ""
        for each in group(self._document):
            if each.severity != severity:
                severity = each.severity
                yield ""
                yield self._painted(_HEADS[severity], "1")
            yield from self._group(each)

    def _group(self, found: Group) -> Iterator[str]:
        rule = self._painted(found.rule, _COLOURS[found.severity])
        places = f" ({number_of(found.count, 'place')})" if found.count > 1 else ""
        yield f"  {rule}{places}"
        listed = found.places()[:_LISTED]
        for each in listed:
            file = f"{printable(each.file)}: " if each.file else ""
            yield from self._wrapped(f"{file}{printable(each)}", indent=4)
        if rest := found.count - sum(each.count for each in listed):
            yield f"    and {rest:,} more"
        if found.fix:
            yield from self._wrapped(f"→ {printable(found.fix)}", indent=4, hanging=2)

    def _figures(self) -> Iterator[str]:
        files = [file for file in self._document["files"] if file["examples"]]
        yield ""
        yield self._painted("Tokens", "1") + f" ({printable(self._document['encoding'])})"
        table = list(self._wide_figures(files))
        if self._width is None or max(map(len, table)) <= self._width:
            yield from table
        else:
            yield from self._narrow_figures(files)
        if more := files[_FILES:]:
            examples = number_of(sum(file["examples"] for file in more), "example")
            tokens = sum(file["tokens"]["total"]["sum"] for file in more)
            said = f"and {number_of(len(more), 'more file')}: {examples}, {tokens:,} tokens"
            yield from self._wrapped(said, indent=2)
        yield from self._histogram(files[0])

    def _wide_figures(self, files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        rows: list[tuple[str, ...]] = [("", "examples", *_FIGURES)]
        for file in files[:_FILES]:
            shown = (figure(file["tokens"]["total"][name]) for name in _FIGURES)
            rows.append((_short(file["name"]), f"{file['examples']:,}", *shown))
            assistant = (figure(file["tokens"]["assistant"][name]) for name in _FIGURES)
            rows.append(("  of these the assistant's", "", *assistant))
            if file["tokens"]["apart"]["sum"]:
                apart = (figure(file["tokens"]["apart"][name]) for name in _FIGURES)
                rows.append(("  tools, parts, images (estimate)", "", *apart))
        widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
        for row in rows:
            name, *cells = row
            right = "  ".join(
                cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)
            )
            yield f"  {name.ljust(widths[0])}  {right}".rstrip()

    def _narrow_figures(self, files: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for file in files[:_FILES]:
            total, assistant = file["tokens"]["total"], file["tokens"]["assistant"]
            yield from self._wrapped(
                f"{_short(file['name'])}: {number_of(file['examples'], 'example')}, "
                f"{total['sum']:,} tokens: mean {figure(total['mean'])}, "
                f"median {figure(total['median'])}, min {total['min']:,}, max {total['max']:,}; "
                f"the assistant's {assistant['sum']:,}",
                indent=2,
            )

    def _histogram(self, file: Mapping[str, Any]) -> Iterator[str]:
        bins = _joined(file["tokens"].get("whole", file["tokens"]["total"])["histogram"])
        if len(bins) < 2:
            return
        limit, over = self._document.get("example_tokens"), file.get("over_limit") or 0
        more = ""
        if limit is not None:
            more = f"; the model takes {limit:,}"
            more += f", {number_of(over, 'example')} longer" if over else ""
        yield ""
        yield from self._wrapped(f"Tokens in an example of {_short(file['name'])}{more}", indent=2)
        most = max(n for _, _, n in bins)
        labels = [f"{low:,}-{high:,}" if low < high else f"{low:,}" for low, high, _ in bins]
        width = max(map(len, labels))
        room = min(40, (self._width or 80) - width - 16)
        for label, (low, _, n) in zip(labels, bins, strict=True):
            bar = self._painted(_bar(n / most, max(room, 8)), _bar_colour(low, limit))
            yield f"    {label.rjust(width)} {bar} {n:,}"

    def _diff(self) -> Iterator[str]:
        lines = []
        for each in self._document.get("diff") or ():
            lines.append((each["role"], diff_sentence(each)))
        yield from self._section("Compared with the earlier version", lines)

    def _fixed(self) -> Iterator[str]:
        fixed = self._document.get("fixed")
        if not fixed:
            return
        lines = [(_short(each["name"]), each["says"]) for each in fixed["files"]]
        lines += [(_short(name), "left out: it holds no lines") for name in fixed["left_out"]]
        yield from self._section(f"Corrected copy in {printable(fixed['folder'])}", lines)

    def _section(self, head: str, lines: Sequence[tuple[str, str]]) -> Iterator[str]:
        if not lines:
            return
        yield ""
        yield self._painted(head, "1")
        column = max(len(name) for name, _ in lines)
        for name, said in lines:
            label = f"{name.ljust(column)}  " if column else ""
            yield from self._wrapped(f"{label}{printable(said)}", indent=2, hanging=len(label))

    def _wrapped(self, text: str, *, indent: int, hanging: int = 2) -> Iterator[str]:
        first, rest = " " * indent, " " * (indent + hanging)
        if self._width is None:
            yield f"{first}{text}"
            return
        yield from textwrap.wrap(
            text,
            self._width,
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=True,
            break_on_hyphens=False,
        )

    def _painted(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text


def _short(name: str) -> str:
    shown = printable(name)
    return shown if len(shown) <= 36 else f"…{shown[-35:]}"


def _joined(bins: Sequence[Mapping[str, int]]) -> list[tuple[int, int, int]]:
    """Return at most a dozen bins, neighbours taken together, without empty ones at the ends."""
    found = [(each["low"], each["high"], each["n"]) for each in bins]
    while found and not found[-1][2]:
        found.pop()
    while found and not found[0][2]:
        found.pop(0)
    by = -(-len(found) // _BARS) or 1
    parts = [found[at : at + by] for at in range(0, len(found), by)]
    return [(part[0][0], part[-1][1], sum(n for _, _, n in part)) for part in parts]


def _bar(share: float, room: int) -> str:
    eighths = max(round(share * room * 8), 1 if share else 0)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def _bar_colour(low: int, limit: int | None) -> str:
    return "31" if limit is not None and low > limit else "36"

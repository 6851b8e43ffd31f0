"""The report as one HTML file: no script, nothing loaded, every text of the data inert."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from droptune.api.pages.render import markup
from droptune.api.pages.report_charts import histogram_chart, limit_chart
from droptune.domain.payload import Payload
from droptune.domain.report.cost_lines import budget, cost_lines, hosting
from droptune.domain.report.differences import diff_sentence
from droptune.domain.report.grouping import SEVERITIES, Group, Places, group
from droptune.domain.report.wording import counted, dollars, epochs, figure, number_of, verdict

_HEADS = {"error": "Errors", "warning": "Warnings", "info": "Notes"}
_KINDS = {
    "total": "whole text",
    "assistant": "of these the assistant's",
    "apart": "tools, parts and images (estimate)",
}
_FIGURES = ("sum", "mean", "median", "min", "max", "p5", "p95")
_DRAWN = 12
_CARDS = (("budget", "budget_usd"), ("hosting_budget", "hosting_budget_usd_month"))


def render_report(document: Payload) -> str:
    """Return a report document as a page that stands alone."""
    return markup("report.html", report_view(document))


def report_view(document: Payload) -> Payload:
    """Return what the template shows."""
    found = counted(document)
    groups = group(document)
    return {
        "accepted": document["verdict"] == "accept",
        "verdict": verdict(document),
        "next": _next(groups),
        "document": document,
        "sections": [
            {
                "severity": severity,
                "head": _HEADS[severity],
                "count": found[severity],
                "groups": [_group(each, document) for each in groups if each.severity == severity],
            }
            for severity in SEVERITIES
            if found[severity]
        ],
        "files": [
            _file(file, document.get("example_tokens")) for file in document["files"][:_DRAWN]
        ],
        "more_files": [
            {
                "name": file["name"],
                "examples": file["examples"],
                "tokens": file["tokens"]["total"]["sum"],
            }
            for file in document["files"][_DRAWN:]
        ],
        "figures": _FIGURES,
        "cost": _cost(document),
        "diff": [
            {"role": each["role"], "says": diff_sentence(each)}
            for each in document.get("diff") or ()
        ],
        "fixed": document.get("fixed"),
        "unknown": document.get("unknown") or (),
    }


def _next(groups: Sequence[Group]) -> str:
    """Return what there is to do, in a sentence."""
    errors = sum(each.severity == "error" for each in groups)
    warnings = sum(each.severity == "warning" for each in groups)
    if errors:
        return f"{_things(errors)} to mend before anything can be trained."
    if warnings:
        return f"Nothing stands in the way of training; {_things(warnings).lower()} to look at."
    return "Nothing stands in the way of training."


def _things(count: int) -> str:
    return "One thing" if count == 1 else f"{count:,} things"


def _group(found: Group, document: Payload) -> Payload:
    samples = {
        (each["file"], each["line"], each.get("path")): each["text"]
        for each in document.get("samples") or ()
        if each["rule"] == found.rule
    }
    return {
        "title": found.rule.replace("-", " ").capitalize() + (":" if found.fix else ""),
        "rule": found.rule,
        "severity": found.severity,
        "fix": [(text, at % 2 == 1) for at, text in enumerate(found.fix.split("`"))],
        "count": number_of(found.count, "place"),
        "places": [_place(each, samples) for each in found.places()],
    }


def _place(places: Places, samples: Mapping[tuple[str, int, str | None], str]) -> Payload:
    keys = zip(places.lines, places.paths, strict=True)
    found = [(line, samples.get((places.file or "", line, path))) for line, path in keys]
    return {
        "file": places.file,
        "message": str(places),
        "samples": [(line, text) for line, text in found if text],
    }


def _file(file: Mapping[str, Any], limit: int | None) -> Payload:
    rows = [
        (says, [figure(file["tokens"][kind][name]) for name in _FIGURES])
        for kind, says in _KINDS.items()
        if kind != "apart" or file["tokens"][kind]["sum"]
    ]
    return {
        "name": file["name"],
        "role": file["role"],
        "sha256": file["sha256"],
        "bytes": file["bytes"],
        "examples": file["examples"],
        "rows": rows if file["examples"] else [],
        "histogram": histogram_chart(file, limit),
        "limit": limit_chart(file, limit),
    }


def _cost(document: Payload) -> Payload | None:
    cost = document.get("cost")
    if not cost:
        return None
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for name, said in cost_lines(document):
        lines[name].append(said)
    return {
        "known": cost["low"] is not None,
        "message": cost["message"],
        "low": dollars(cost["low"]),
        "likely": dollars(cost["estimate"]),
        "high": dollars(cost["high"]),
        "tokens": cost["training_tokens"],
        "epochs": epochs(cost),
        "rate": dollars(cost["training_usd_per_million"]),
        "training_type": cost.get("training_type"),
        "hosting": [_hosting(cost, whose) for whose in ("production", "candidate")],
        "budgets": [
            {
                "of": "Training" if name == "budget" else "Hosting, 30 days",
                "says": said,
                "is_good": cost.get(name) == "within",
            }
            for name, amount in _CARDS
            if (said := budget(cost, name, amount))
        ],
        "as_of": cost["as_of"],
        "source": cost["source"],
        "notes": cost.get("notes") or (),
        "is_old": (cost.get("price_age_days") or 0) > 90,
    }


def _hosting(cost: Mapping[str, Any], whose: str) -> Payload:
    day, month = (f"hosting_{span}" if whose == "production" else f"candidate_{span}"
                  for span in ("day", "month"))  # fmt: skip
    sku = cost.get(f"{whose}_sku")
    return {
        "of": whose,
        "sku": sku,
        "day": dollars(cost[day]) if cost.get(day) is not None else "",
        "month": dollars(cost[month]) if cost.get(month) is not None else "",
        "says": hosting(cost, whose) if sku else "",
    }

"""Runs as text for people."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import shorten
from typing import Any

from droptune.cli.app_client import Document
from droptune.cli.terminal import Terminal, money
from droptune.domain.report.wording import number_of

_LONGEST_TEXT = 200
_STYLES = {
    "succeeded": "green",
    "rejected": "yellow",
    "failed": "red",
    "cancelled": "yellow",
    "superseded": "yellow",
    "awaiting_approval": "cyan",
    "awaiting_promotion": "cyan",
}


def show_line(status: Document, terminal: Terminal) -> None:
    """Show a phase and the sentence about it."""
    phase = str(status.get("phase"))
    terminal.say(
        f"  {terminal.paint(f'{phase:<18}', _STYLES.get(phase, 'bold'))} {status['message']}"
    )


def show_decision(status: Document, terminal: Terminal) -> None:
    """Show what a person may type where one is asked."""
    if "approve" in (status.get("links") or {}):
        run = status["id"]
        said = f"droptune approve {run}, or droptune reject {run} --reason TEXT"
        terminal.say(f"  {'decide':<18} {said}", "cyan")


def show_rows(rows: Iterable[Document], terminal: Terminal) -> None:
    """Show runs, one a line."""
    empty = True
    for row in rows:
        empty = False
        phase = str(row["phase"])
        painted = terminal.paint(f"{phase:<18}", _STYLES.get(phase, ""))
        terminal.say(f"{row['id']:<48} {painted} {row['message']}")
    if empty:
        terminal.say("No runs. Drop a dataset: droptune submit DIR.")


def show_status(status: Document, terminal: Terminal) -> None:
    """Show a run at length."""
    terminal.say(f"{status['id']}", "bold")
    show_line(status, terminal)
    for label, value in _facts(status):
        terminal.say(f"  {label:<18} {value}")
    show_decision(status, terminal)
    problem = status.get("error") or {}
    if problem.get("message") not in (None, status["message"]):
        terminal.say(f"  {'why':<18} {problem['message']}", "red")
    if problem.get("remedy"):
        terminal.say(f"  {'what helps':<18} {problem['remedy']}")
    if problem.get("evidence"):
        terminal.say(f"  {'the service said':<18} {_in_short(problem['evidence'])}")


def _facts(status: Document) -> Iterable[tuple[str, str]]:
    """Yield what is known so far, a label and a sentence each."""
    dataset, cost = status.get("dataset") or {}, status.get("cost") or {}
    yield "dataset", f"{status['project']}/{status['version']}{_size(dataset)}"
    if isinstance(cost.get("high"), int | float):
        yield "cost", _cost(cost)
    if job := status.get("job"):
        yield "job", _job(job)
    if deployment := status.get("deployment"):
        yield "deployment", f"{deployment['name']} ({deployment['sku']}, {deployment['state']})"
    if test := status.get("test"):
        yield "asked", _in_short(test.get("prompt"))
        yield "answered", _in_short(test.get("answer"))
    for decision in status.get("decisions") or ():
        yield "decided", _decision(decision)
    if status.get("next"):
        yield "next", str(status["next"])
    links = status.get("links") or {}
    yield "status", str(links.get("self"))
    yield "page", str(links.get("page"))


def _decision(decision: Document) -> str:
    """Return who decided what, why, and on which figures."""
    verb = "approved" if decision["approved"] else "rejected"
    figures = (f"{name} {figure:.6g}" for name, figure in (decision.get("metrics") or {}).items())
    said = f"{decision['by']} {verb} the {decision['about']}"
    return "; ".join(part for part in (said, decision.get("reason"), ", ".join(figures)) if part)


def _in_short(text: object) -> str:
    """Return a text in one line; the document has all of it."""
    return shorten(str(text), _LONGEST_TEXT, placeholder=" …")


def _size(dataset: Document) -> str:
    if not isinstance(dataset.get("examples"), int):
        return ""
    findings = dataset.get("findings") or {}
    return (
        f": {number_of(dataset['examples'], 'example')}, "
        f"{number_of(dataset.get('tokens') or 0, 'token')}, "
        f"{number_of(findings.get('error', 0), 'error')}, "
        f"{number_of(findings.get('warning', 0), 'warning')}"
    )


def _cost(cost: Document) -> str:
    spent = cost.get("spent")
    so_far = f"; spent {money(spent)}" if isinstance(spent, int | float) else ""
    hosting = cost.get("hosting_month")
    held = f"; hosting {money(hosting)} for 30 days" if hosting else ""
    low, high = money(cost.get("low") or 0), money(cost["high"])
    return f"{high if low == high else f'{low} to {high}'}{held}{so_far}"


def _job(job: Document) -> str:
    parts: list[Any] = [job.get("id"), job.get("status"), job.get("fine_tuned_model")]
    if job.get("adopted_from"):
        parts.append(f"adopted from {job['adopted_from']}")
    return ", ".join(str(part) for part in parts if part)

"""How figures of a report read, in every format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from droptune.domain.payload import Payload

BUDGETS = {
    "within": "within the budget of {budget}",
    "over": "over the budget of {budget}",
    "unknown": "no price is known, so it passes no budget ({budget}) without approval",
}


def printable(text: object) -> str:
    """Return hostile text without control characters and overrides of direction."""
    said = str(text)
    if said.isprintable():
        return said
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in said)


def number_of(count: int, noun: str) -> str:
    """Return a count with its noun: 1 error, 2 errors."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def dollars(amount: float | None) -> str:
    """Return an amount; one below a cent keeps two digits that say something."""
    if amount is None:
        return "not known"
    if 0 < amount < 0.01:
        return f"${amount:.2g}" if amount >= 0.0001 else "under $0.0001"
    return f"${amount:,.2f}"


def span(low: float | None, high: float | None) -> str:
    """Return what something costs at least and at most."""
    shown_low, shown_high = dollars(low), dollars(high)
    return shown_low if shown_low == shown_high else f"{shown_low} to {shown_high}"


def epochs(cost: Mapping[str, Any]) -> str:
    """Return how many epochs are reckoned with."""
    low, high = cost["epochs_low"], cost["epochs_high"]
    return number_of(low, "epoch") if low == high else f"{low} to {high} epochs"


def figure(value: float) -> str:
    """Return a token figure: whole, or with one digit."""
    shown = round(value, 1)
    return f"{shown:,.0f}" if shown == int(shown) else f"{shown:,.1f}"


def counted(document: Payload) -> dict[str, int]:
    """Return how many places there are of each severity."""
    found = {"error": 0, "warning": 0, "info": 0}
    for finding in document["findings"]:
        found[finding["severity"]] += finding.get("count", 1)
    return found


def verdict(document: Payload) -> str:
    """Return the verdict as a sentence: accepted or rejected, of what, and why."""
    found = counted(document)
    examples = sum(file["examples"] for file in document["files"])
    worst = [number_of(found[kind], kind) for kind in ("error", "warning") if found[kind]]
    says = "Accepted" if document["verdict"] == "accept" else "Rejected"
    why = " and ".join(worst) if worst else "no error, no warning"
    return f"{says}: {why} in {number_of(examples, 'example')}."

"""The price of a run as lines: a name and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from droptune.domain.payload import Payload
from droptune.domain.report.wording import BUDGETS, dollars, epochs, span


def cost_lines(document: Payload) -> list[tuple[str, str]]:
    """Return training, hosting, budgets, prices and notes, each with its name."""
    cost = document.get("cost")
    return list(_lines(cost)) if cost else []


def _lines(cost: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Training", _training(cost)
    if cost.get("production_sku"):
        yield "Hosting", hosting(cost, "production")
    if cost.get("candidate_sku"):
        yield "Candidate", hosting(cost, "candidate")
    if said := budget(cost, "budget", "budget_usd"):
        yield "Budget", said
    if said := budget(cost, "hosting_budget", "hosting_budget_usd_month"):
        yield "", f"hosting is {said} a month"
    yield "Prices", f"of {cost['as_of']}: {cost['source']}"
    for note in cost.get("notes") or ():
        yield "", note


def _training(cost: Mapping[str, Any]) -> str:
    tokens = f"{cost['training_tokens']:,} tokens x {epochs(cost)}"
    if cost["low"] is None:
        return f"{cost['message']} {tokens} would be billed."
    likely = ""
    if cost["low"] != cost["high"] and cost["estimate"] is not None:
        likely = f", likely {dollars(cost['estimate'])}"
    kind = f", {cost['training_type']}" if cost.get("training_type") else ""
    rate = dollars(cost["training_usd_per_million"])
    return f"{span(cost['low'], cost['high'])}{likely}: {tokens} x {rate} a million{kind}"


def hosting(cost: Mapping[str, Any], whose: str) -> str:
    """Return what hosting the production or candidate deployment costs."""
    sku = cost[f"{whose}_sku"]
    day = cost["hosting_day"] if whose == "production" else cost["candidate_day"]
    month = cost["hosting_month"] if whose == "production" else cost["candidate_month"]
    if sku == "auto":
        return "DeveloperTier where the model has it: nothing by the hour, gone after 24 hours"
    if month is None:
        return f"no price is known for {sku}"
    if not month:
        return f"nothing by the hour as {sku}"
    return f"{dollars(day)} a day, {dollars(month)} in 30 days as {sku}"


def budget(cost: Mapping[str, Any], verdict: str, amount: str) -> str:
    """Return a budget's verdict as a clause, "" where there is no budget."""
    said = BUDGETS.get(cost.get(verdict) or "none", "")
    return said.format(budget=dollars(cost.get(amount))) if said else ""

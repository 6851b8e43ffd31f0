"""What is deployed is within the budget of hosting."""

from __future__ import annotations

from datetime import datetime, timedelta

from droptune.domain.budget import BudgetLimits, Decision
from droptune.domain.hosting import (
    gone_hosting,
    hold_hosting,
    hosting_standings,
    let_go_of_hosting,
    retire_hosting,
)
from droptune.domain.ledger import Ledger
from tests.fakes.clock import START

LIMITS = BudgetLimits(project_hosting=1500, app_hosting=2600)


def hold(
    ledger: Ledger,
    deployment: str,
    month_usd: float | None = 1224.0,
    *,
    project: str = "bot",
    replaces: str = "",
    overlap: timedelta = timedelta(0),
    now: datetime = START,
) -> Decision:
    return hold_hosting(
        ledger,
        deployment=deployment,
        project=project,
        month_usd=month_usd,
        limits=LIMITS,
        now=now,
        replaces=replaces,
        overlap=overlap,
    )


def test_second_deployment_of_a_project_is_over_its_budget() -> None:
    """Two of them for a month would cost more than the project may."""
    refusal = hold(hold(Ledger(), "one").ledger, "two").refusal

    assert refusal is not None
    assert refusal.scope == "project_hosting"


def test_all_projects_together_stay_within_the_budget_of_the_app() -> None:
    """The last project that fits nobody's sum is refused, however small its own."""
    ledger = hold(hold(Ledger(), "one", project="a").ledger, "two", project="b").ledger

    refusal = hold(ledger, "three", 200.0, project="c").refusal

    assert refusal is not None
    assert refusal.scope == "app_hosting"


def test_replaced_deployment_counts_for_the_overlap_alone() -> None:
    """A new champion may be made while the old one stays warm for two days."""
    ledger = hold(Ledger(), "old").ledger

    decision = hold(ledger, "new", replaces="old", overlap=timedelta(hours=48))

    assert decision.refusal is None
    retired = retire_hosting(decision.ledger, deployment="old", until=START + timedelta(hours=48))
    shown = hosting_standings(retired, project="bot", limits=LIMITS, now=START)
    assert shown["project_hosting"].reserved == 1224.0 + 1224.0 * 2 / 30


def test_held_deployment_gets_the_same_yes_again() -> None:
    """An activity that runs twice holds once."""
    ledger = hold(Ledger(), "one").ledger

    assert hold(ledger, "one") == Decision(ledger=ledger)


def test_deployment_that_was_to_go_and_is_made_again_counts_whole() -> None:
    """Whoever asks is about to make it."""
    retired = retire_hosting(hold(Ledger(), "one").ledger, deployment="one", until=START)

    again = hold(retired, "one").ledger

    shown = hosting_standings(again, project="bot", limits=LIMITS, now=START)
    assert shown["project_hosting"].reserved == 1224.0


def test_what_was_asked_for_within_the_hour_is_not_gone() -> None:
    """Its maker may be between the question and Azure; asking again begins the hour anew."""
    early = hold(Ledger(), "one", now=START - timedelta(hours=3)).ledger

    again = hold(early, "one").ledger

    assert gone_hosting(early, present=set(), now=START) == ("one",)
    assert gone_hosting(early, present={"one"}, now=START) == ()
    assert gone_hosting(again, present=set(), now=START) == ()


def test_gone_deployment_costs_nothing() -> None:
    """What was deleted makes room, and deleting it twice is no error."""
    ledger = let_go_of_hosting(hold(Ledger(), "one").ledger, deployment="one")

    assert let_go_of_hosting(ledger, deployment="one") == Ledger()


def test_free_deployment_passes_and_one_without_a_price_does_not() -> None:
    """DeveloperTier costs nothing by the hour; an unknown price is not taken for nothing."""
    full = hold(hold(Ledger(), "one", project="a").ledger, "two", project="b").ledger

    assert hold(full, "candidate", 0.0).refusal is None
    refusal = hold(Ledger(), "odd", None).refusal
    assert refusal is not None
    assert refusal.code == "no-price"

"""Money is reserved before it is spent, and never twice."""

from __future__ import annotations

import itertools
import json
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from activities.run_records import change_document
from droptune.domain.budget import (
    BudgetLimits,
    Decision,
    open_reservations,
    release,
    reserve,
    settle,
    standings,
)
from droptune.domain.ledger import LEDGER, MOST_CLOSED, Ledger, compact
from tests.fakes import FakeBlobStore
from tests.fakes.clock import START

LIMITS = BudgetLimits(run=50, project_day=60, project_month=90, app_day=100, app_month=130)


def ask(
    ledger: Ledger,
    run: str = "run-1",
    high_usd: float | None = 10.0,
    *,
    project: str = "bot",
    limits: BudgetLimits = LIMITS,
    now: datetime = START,
    approved: bool = False,
) -> Decision:
    return reserve(
        ledger,
        run=run,
        project=project,
        high_usd=high_usd,
        limits=limits,
        now=now,
        approved=approved,
    )


def test_high_estimate_is_reserved_and_shown() -> None:
    """What a run may cost at most is set aside before it is spent."""
    decision = ask(Ledger(), high_usd=12.5)

    shown = standings(decision.ledger, project="bot", limits=LIMITS, now=START)

    assert decision.refusal is None
    assert (shown["project_day"].reserved, shown["project_day"].limit) == (12.5, 60)
    assert shown["app_month"].reserved == 12.5
    assert open_reservations(decision.ledger) == ("run-1",)


def test_asking_twice_reserves_once() -> None:
    """An activity that runs twice gets the same yes and changes nothing."""
    once = ask(Ledger(), high_usd=40.0).ledger

    twice = ask(once, high_usd=40.0)

    assert twice.refusal is None
    assert twice.ledger == once


def test_settling_replaces_the_reservation_by_the_bill() -> None:
    """What was not needed is free for others again."""
    ledger = settle(
        ask(Ledger(), high_usd=40.0).ledger, run="run-1", project="bot", billed_usd=31.25, now=START
    )

    shown = standings(ledger, project="bot", limits=LIMITS, now=START)["project_day"]

    assert (shown.reserved, shown.spent) == (0, 31.25)


def test_released_money_is_free_again() -> None:
    """A run that spent nothing leaves nothing behind."""
    full = ask(Ledger(), high_usd=50.0).ledger
    assert ask(full, "run-2", 20.0).refusal is not None

    freed = release(full, run="run-1", project="bot", now=START)

    assert ask(freed, "run-2", 20.0).refusal is None


def test_late_word_about_a_closed_run_reserves_nothing() -> None:
    """A worker that comes late with a question long answered does not take money again."""
    closed = release(ask(Ledger()).ledger, run="run-1", project="bot", now=START)

    assert ask(closed, "run-1").ledger == closed


@pytest.mark.parametrize(
    ("project", "asked", "scope"),
    [("bot", 30.0, "project_day"), ("other", 50.0, "app_day"), ("bot", 51.0, "run")],
)
def test_limit_that_does_not_hold_is_named(project: str, asked: float, scope: str) -> None:
    """A refusal says which budget, what is left of it and what was asked."""
    used = ask(ask(Ledger(), "a", 40.0).ledger, "b", 15.0, project="third").ledger

    refusal = ask(used, "c", asked, project=project).refusal

    assert refusal is not None
    assert (refusal.code, refusal.scope) == ("over-budget", scope)
    assert f"${asked:,.2f}" in refusal.message


def test_refusal_says_when_it_may_pass() -> None:
    """A day's budget opens at midnight, a month's at the first, a run's never by itself."""
    day = ask(ask(Ledger(), "a", 50.0).ledger, "b", 20.0).refusal
    spent = settle(Ledger(), run="a", project="bot", billed_usd=85.0, now=START - timedelta(days=2))
    month = ask(spent, "b", 20.0).refusal
    never = ask(Ledger(), "a", 50.01).refusal

    assert day is not None
    assert day.may_pass_at == START.replace(day=24, hour=0)
    assert month is not None
    assert month.may_pass_at == START.replace(month=12, day=1, hour=0)
    assert never is not None
    assert never.may_pass_at is None
    assert not never.can_pass


def test_approval_lifts_the_budget_of_the_run_alone() -> None:
    """A person may allow an expensive run, not break what the installation set."""
    assert ask(Ledger(), high_usd=55.0, approved=True).refusal is None

    refusal = ask(Ledger(), high_usd=61.0, approved=True).refusal

    assert refusal is not None
    assert refusal.scope == "project_day"


def test_run_without_a_price_passes_only_with_approval() -> None:
    """Nothing is compared with an unknown price."""
    refusal = ask(Ledger(), high_usd=None).refusal

    assert refusal is not None
    assert refusal.code == "no-price"
    assert ask(Ledger(), high_usd=None, approved=True).refusal is None


def test_new_day_opens_the_budget_of_the_day() -> None:
    """What was asked for yesterday counts for yesterday and for the month."""
    yesterday = ask(Ledger(), "a", 50.0, now=START - timedelta(days=1)).ledger

    assert ask(yesterday, "b", 40.0).refusal is None
    month = ask(yesterday, "b", 41.0).refusal
    assert month is not None
    assert month.scope == "project_month"


def test_two_runs_that_ask_at_once_do_not_both_get_the_last_dollar() -> None:
    """The one whose write comes second asks again, the ledger that it finds then."""
    store = FakeBlobStore()
    answers: list[tuple[str, bool]] = []
    limits = BudgetLimits(app_day=10)

    def run_b(_: object) -> None:
        store_change("b", lambda: None)

    def store_change(run: str, between: object) -> None:
        def change(known: Ledger | None) -> Ledger | None:
            decision = ask(known or Ledger(), run, 10.0, limits=limits)
            if run == "a" and not answers:
                run_b(None)
            answers.append((run, decision.refusal is None))
            return decision.ledger

        change_document(store, LEDGER, Ledger, change)

    store_change("a", None)

    assert answers == [("b", True), ("a", True), ("a", False)]
    assert open_reservations(Ledger.from_payload(json.loads(store.data(LEDGER)))) == ("b",)


def _words(run: str, project: str) -> list[object]:
    return [
        lambda ledger: ask(ledger, run, 5.0, project=project, limits=BudgetLimits()).ledger,
        lambda ledger: release(ledger, run=run, project=project, now=START),
        lambda ledger: settle(ledger, run=run, project=project, billed_usd=3.0, now=START),
        lambda ledger: settle(
            ledger, run=run, project=project, billed_usd=4.0, now=START + timedelta(days=1)
        ),
    ]


@given(st.data())
def test_order_and_repetition_of_words_change_nothing(data: st.DataObject) -> None:
    """The ledger is the same for every order in which the same things were said, often or once."""
    words = [*_words("a", "bot"), *_words("b", "bot"), *_words("c", "other")]
    said = data.draw(st.lists(st.sampled_from(range(len(words))), max_size=12))
    again = data.draw(st.permutations(said * 2))

    def told(order: list[int]) -> Ledger:
        ledger = Ledger()
        for number in order:
            ledger = words[number](ledger)  # type: ignore[operator]
        return ledger

    assert told(said) == told(again)


def test_document_stays_small_over_two_years() -> None:
    """Closed runs become sums of days, days sums of months, and months of last year go."""
    ledger, now = Ledger(), START
    for day in range(730):
        now = START + timedelta(days=day)
        for number in range(30):
            run = f"run-{day}-{number}"
            ledger = settle(ledger, run=run, project=f"p{number}", billed_usd=1.0, now=now)
        ledger = compact(ledger, now=now)

    stored = json.dumps(ledger.to_payload())

    assert len(ledger.entries) <= 30 * 8
    assert {spent.period for spent in ledger.spent} == {
        *(f"2027-{month:02}" for month in (11, 12)),
        *(f"2028-{month:02}" for month in range(1, 12)),
    }
    assert len(stored) < 100_000


def test_folding_changes_no_sum_of_the_day_or_month() -> None:
    """Whoever asks after the fold gets the answer of before."""
    ledger = Ledger()
    for number in range(MOST_CLOSED + 50):
        at = START - timedelta(days=number % 20)
        ledger = settle(ledger, run=f"r{number}", project="bot", billed_usd=0.01, now=at)
    ledger = ask(ledger, "open", 5.0, now=START - timedelta(days=15)).ledger

    folded = compact(ledger, now=START)

    assert len(folded.entries) <= MOST_CLOSED + 1
    assert "open" in open_reservations(folded)
    assert standings(folded, project="bot", limits=LIMITS, now=START) == standings(
        ledger, project="bot", limits=LIMITS, now=START
    )


class Spending(RuleBasedStateMachine):
    """Runs of several projects reserve, settle, release and repeat themselves while time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger()
        self.now = START
        self.numbers = itertools.count()
        self.open: dict[str, tuple[str, float]] = {}
        self.admitted = False

    @rule(project=st.sampled_from("ab"), dollars=st.integers(0, 60), approved=st.booleans())
    def run_asks(self, project: str, dollars: int, approved: bool) -> None:
        run = f"r{next(self.numbers)}"
        decision = ask(
            self.ledger, run, float(dollars), project=project, now=self.now, approved=approved
        )
        if decision.refusal is None:
            self.open[run] = (project, float(dollars))
            self.within_every_limit(decision.ledger, project, dollars)
        else:
            assert decision.ledger == self.ledger
        self.ledger = decision.ledger

    def within_every_limit(self, ledger: Ledger, project: str, dollars: int) -> None:
        for standing in standings(ledger, project=project, limits=LIMITS, now=self.now).values():
            if dollars and standing.limit is not None:
                assert standing.reserved + standing.spent <= standing.limit

    @precondition(lambda self: self.open)
    @rule(pick=st.integers(0), share=st.sampled_from([0.0, 0.3, 1.0, 1.5]))
    def run_is_billed(self, pick: int, share: float) -> None:
        run = sorted(self.open)[pick % len(self.open)]
        project, dollars = self.open.pop(run)
        for _ in range(2):
            self.ledger = settle(
                self.ledger, run=run, project=project, billed_usd=dollars * share, now=self.now
            )

    @precondition(lambda self: self.open)
    @rule(pick=st.integers(0))
    def run_fails(self, pick: int) -> None:
        run = sorted(self.open)[pick % len(self.open)]
        project, _ = self.open.pop(run)
        self.ledger = release(self.ledger, run=run, project=project, now=self.now)
        assert ask(self.ledger, run, 60.0, project=project, now=self.now).ledger == self.ledger

    @rule(hours=st.integers(1, 24 * 9))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def ledger_is_folded(self) -> None:
        before = standings(self.ledger, project="a", limits=LIMITS, now=self.now)
        self.ledger = compact(self.ledger, now=self.now)
        assert standings(self.ledger, project="a", limits=LIMITS, now=self.now) == before

    @invariant()
    def every_open_run_holds_its_money(self) -> None:
        assert set(open_reservations(self.ledger)) == set(self.open)

    @invariant()
    def document_survives_storage(self) -> None:
        stored = json.dumps(self.ledger.to_payload())
        assert Ledger.from_payload(json.loads(stored)) == self.ledger


TestSpending = Spending.TestCase
TestSpending.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)

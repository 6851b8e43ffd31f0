"""A delivery is written before it is tried, and tried for a day."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

from droptune.domain.notifications import events_of
from droptune.domain.outbox import Delivery, Subscription, deliveries
from droptune.domain.phases import Phase
from tests.domain.records import a_record
from tests.fakes.clock import START

EVENTS = events_of(a_record(Phase.ESTIMATING, Phase.FAILED), app_url="https://droptune.example")
TEAM = Subscription(url_setting="NOTIFY_TEAM", format="teams", events=("run.failed",))
ALL = Subscription(url_setting="NOTIFY_ALL")


def a_delivery() -> Delivery:
    return deliveries(EVENTS[-1:], [ALL], now=START)[0]


def test_each_receiver_gets_the_events_that_it_wants() -> None:
    """One event for two receivers is two deliveries with names of their own."""
    found = deliveries(EVENTS, [TEAM, ALL], now=START)

    assert [(each.event.name, each.to.url_setting) for each in found] == [
        ("run.validated", "NOTIFY_ALL"),
        ("run.failed", "NOTIFY_TEAM"),
        ("run.failed", "NOTIFY_ALL"),
    ]
    assert len({each.name for each in found}) == 3


def test_same_event_and_receiver_have_the_same_name() -> None:
    """An event that is found twice is put in once: its blob exists."""
    later = deliveries(EVENTS, [ALL], now=START + timedelta(hours=5))

    assert [d.name for d in later] == [d.name for d in deliveries(EVENTS, [ALL], now=START)]


def test_new_delivery_is_due_at_once() -> None:
    """Nobody waits for the first try."""
    assert a_delivery().is_due(START)


def test_failing_delivery_is_tried_for_a_day_and_then_shown_as_undelivered() -> None:
    """Waits grow; the last try comes a day after the first."""
    delivery, tries = a_delivery(), []
    while delivery.next_at is not None:
        tries.append(delivery.next_at)
        delivery = delivery.failed(at=delivery.next_at, problem="503")

    waits = [after - before for before, after in pairwise(tries)]
    assert tries[-1] - tries[0] == timedelta(days=1)
    assert waits[:-1] == sorted(waits[:-1])
    assert (delivery.state, delivery.attempts) == ("undelivered", len(tries))
    assert not delivery.is_due(START + timedelta(days=9))


def test_delivered_is_not_tried_again() -> None:
    """A 2xx is the end."""
    done = a_delivery().failed(at=START, problem="timeout").delivered()

    assert (done.state, done.attempts, done.problem) == ("delivered", 2, "")
    assert not done.is_due(START + timedelta(days=9))


def test_receiver_that_is_gone_is_left_alone() -> None:
    """410 asks for no more."""
    gone = a_delivery().failed(at=START, problem="410", status=410)

    assert gone.state == "undelivered"


def test_receiver_may_ask_for_a_longer_wait_within_reason() -> None:
    """Retry-After lengthens a wait, to an hour at most, and never shortens it."""
    first = a_delivery()

    assert first.failed(at=START, problem="429", retry_after=90).next_at == START + timedelta(
        seconds=90
    )
    assert first.failed(at=START, problem="429", retry_after=1).next_at == START + timedelta(
        seconds=5
    )
    assert first.failed(at=START, problem="429", retry_after=1e9).next_at == START + timedelta(
        hours=1
    )


def test_undelivered_is_replayed_with_the_same_id() -> None:
    """A person sends it again after the receiver was mended; who has it knows it by its id."""
    gone = a_delivery().failed(at=START, problem="410", status=410)

    again = gone.replayed(at=START + timedelta(days=2))

    assert again.is_due(START + timedelta(days=2))
    assert (again.attempts, again.event, again.name) == (0, gone.event, gone.name)


def test_delivery_survives_storage() -> None:
    """What is written is what is read."""
    delivery = a_delivery().failed(at=START, problem="503")

    assert Delivery.from_payload(json.loads(json.dumps(delivery.to_payload()))) == delivery

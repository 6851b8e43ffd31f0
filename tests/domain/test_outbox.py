"""A delivery is written before it is tried, and tried for a day."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import pairwise

import pytest

from droptune.domain.notifications import events_of
from droptune.domain.outbox import (
    DUE,
    Delivery,
    Mark,
    Subscription,
    answer_class,
    deliveries,
    subscriptions_of,
)
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
    later = START + timedelta(minutes=1)

    done = a_delivery().failed(at=START, problem="timeout", answer="none").delivered(at=later)

    assert (done.state, done.attempts, done.problem) == ("delivered", 2, "")
    assert (done.answer, done.tried_at) == ("2xx", later)
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


def test_delivery_that_is_tried_late_is_given_up_after_a_day() -> None:
    """Where a receiver took so long that few tries were made, a day is a day."""
    delivery = a_delivery().failed(at=START + timedelta(days=1), problem="timeout")

    again = delivery.replayed(at=START + timedelta(days=2))

    assert (delivery.state, delivery.attempts) == ("undelivered", 1)
    assert again.failed(at=START + timedelta(days=2, hours=1), problem="timeout").state == "waiting"


def test_mark_says_when_and_what_in_its_name() -> None:
    """What is due is known without reading anything; names sort by time."""
    delivery = a_delivery()
    later = delivery.failed(at=START, problem="503")

    mark = Mark.of(delivery)

    assert Mark.read(mark.name) == mark
    assert (mark.at, mark.delivery) == (START, delivery.name)
    assert Mark.of(later).name > mark.name


def test_delivery_that_is_done_has_no_mark() -> None:
    """Nothing is due of it."""
    with pytest.raises(ValueError, match="not to be tried"):
        Mark.of(a_delivery().delivered(at=START))


@pytest.mark.parametrize("name", ["", "x", "2026/a/b", "20260101T000000.000000Z/a"])
def test_name_that_is_no_mark_is_none(name: str) -> None:
    """It is not taken for something due."""
    assert Mark.read(DUE + name) is None


@pytest.mark.parametrize(
    ("status", "was_sent", "answer"),
    [(204, True, "2xx"), (503, True, "5xx"), (404, False, "4xx"), (None, True, "none")],
)
def test_answer_is_a_class_and_no_more(status: int | None, was_sent: bool, answer: str) -> None:
    """What a receiver says beyond its status is never kept."""
    assert answer_class(status, was_sent=was_sent) == answer


def test_target_that_is_not_allowed_was_not_sent_anything() -> None:
    """There is no answer to class."""
    assert answer_class(None, was_sent=False) == "not-sent"


def test_installation_tells_beside_the_configuration() -> None:
    """A file that names the same receiver too takes no event from it; each is told once."""
    notify = [{"url_setting": "NOTIFY_ALL", "events": ["run.failed"]}]
    record = a_record(configuration={"pipeline": {"notify": notify}})
    local = Subscription(url_setting="NOTIFY_LOCAL")

    told = subscriptions_of(record, [ALL, local])

    assert [(each.url_setting, each.events) for each in told] == [
        ("NOTIFY_ALL", ("run.failed", "run.*")),
        ("NOTIFY_LOCAL", ("run.*",)),
    ]
    assert subscriptions_of(a_record(), [local]) == [local]

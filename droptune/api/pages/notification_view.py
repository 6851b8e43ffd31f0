"""What the page of a run shows of its notifications."""

from __future__ import annotations

from collections.abc import Sequence

from droptune.domain.outbox import DELIVERED, UNDELIVERED, WAITING, Delivery
from droptune.domain.payload import Payload

_SECONDS_TO_NEXT_LOOK = 5
_ANSWERS = {
    "none": "no answer",
    "not-sent": "not sent: its setting is missing, not allowed, or its secret is none",
}


def notification_view(deliveries: Sequence[Delivery]) -> Payload:
    """Return a line for each, how many a person may send again, and how soon to look for news.

    What a receiver does not take at once is no reason to go on looking for a day.
    """
    is_under_way = any(each.state == WAITING and each.attempts < 2 for each in deliveries)
    return {
        "tell_seconds": _SECONDS_TO_NEXT_LOOK if is_under_way else None,
        "notifications": [_line(each) for each in deliveries],
        "undelivered": sum(each.state == UNDELIVERED for each in deliveries),
    }


def _line(delivery: Delivery) -> Payload:
    return {
        "event": delivery.event.name,
        "target": delivery.to.url_setting,
        "tone": {DELIVERED: "good", UNDELIVERED: "bad"}.get(delivery.state, "busy"),
        "state": delivery.state,
        "attempts": delivery.attempts,
        "answer": _ANSWERS.get(delivery.answer, delivery.answer),
        "tried_at": delivery.tried_at,
        "next_at": delivery.next_at,
    }

"""The outbox: a delivery is written before it is tried, and tried for a day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from droptune.domain.notifications import Event, wants
from droptune.domain.payload import Model

OUTBOX = "_outbox/"  # in the container `runs`
WAITING, DELIVERED, UNDELIVERED = "waiting", "delivered", "undelivered"
GONE = 410
_DELAYS = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 300, 900, 1800, 3600, 7200, 14_400, 18_000, 21_600, 18_535)
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription(Model):
    """Who is told what: one entry of `pipeline.notify`.

    Attributes:
        url_setting: name of the app setting that holds the URL; it begins with `NOTIFY_`.
        events: such as `run.*`.
    """

    url_setting: str
    format: str = "cloudevents"
    events: tuple[str, ...] = ("run.*",)

    @property
    def secret_setting(self) -> str:
        """Name of the app setting with the secret that signs, if there is one."""
        return f"{self.url_setting}_SECRET"


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery(Model):
    """One event for one receiver; stored under `name` until it is delivered.

    Attributes:
        attempts: tries so far.
        next_at: when to try next; None: no more.
        problem: why the last try failed: a code, never an answer's content.
    """

    event: Event
    to: Subscription
    created_at: datetime
    state: str = WAITING
    attempts: int = 0
    next_at: datetime | None = None
    problem: str = ""

    @property
    def name(self) -> str:
        """Name of its blob: the same for the same event and receiver, so that it is put in once."""
        to = f"{self.to.url_setting}\n{self.to.format}".encode()
        return f"{OUTBOX}{self.event.id}/{hashlib.sha256(to).hexdigest()[:12]}.json"

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be tried now."""
        return self.state == WAITING and self.next_at is not None and self.next_at <= now

    def delivered(self) -> Delivery:
        """Return it after a 2xx: done."""
        return replace(self, state=DELIVERED, attempts=self.attempts + 1, next_at=None, problem="")

    def failed(
        self,
        *,
        at: datetime,
        problem: str,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> Delivery:
        """Return it after anything else: tried again, later each time, until a day has passed.

        410 says that the receiver wants no more. Source: standard-webhooks spec 1.0.0, "Delivery
        success and failure"; its example schedule spans three days, ours one.
        """
        attempts = self.attempts + 1
        if status == GONE or attempts > len(_DELAYS):
            return replace(
                self, state=UNDELIVERED, attempts=attempts, next_at=None, problem=problem
            )
        wait = max(_DELAYS[attempts - 1], timedelta(seconds=min(retry_after or 0, 3600)))
        return replace(self, attempts=attempts, next_at=at + wait, problem=problem)

    def replayed(self, *, at: datetime) -> Delivery:
        """Return it as new, because a person wants it sent again; the event keeps its id."""
        return replace(self, state=WAITING, attempts=0, next_at=at, problem="")


def deliveries(
    events: Iterable[Event], subscriptions: Sequence[Subscription], *, now: datetime
) -> tuple[Delivery, ...]:
    """Return what is to be put into the outbox: each wanted event, once for each receiver."""
    return tuple(
        Delivery(event=event, to=to, created_at=now, next_at=now)
        for event in events
        for to in subscriptions
        if wants(to.events, event)
    )

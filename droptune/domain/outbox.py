"""The outbox: a delivery is written before it is tried, and tried for a day."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from droptune.domain.notifications import Event, wants
from droptune.domain.payload import Model
from droptune.domain.run import RunRecord

OUTBOX = "_outbox/"  # in the container `runs`
DUE = "_due/"
UNTOLD = "_undelivered/"
WAITING, DELIVERED, UNDELIVERED = "waiting", "delivered", "undelivered"
ANSWERS = ("1xx", "2xx", "3xx", "4xx", "5xx", "none", "not-sent")
GONE = 410
LOCAL_TARGET = "NOTIFY_LOCAL"  # the receiver of an installation on a laptop, at this machine
DAY = timedelta(days=1)
_TIME = "%Y%m%dT%H%M%S.%fZ"
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

    @property
    def key(self) -> str:
        """A short name of the receiver."""
        to = f"{self.url_setting}\n{self.format}".encode()
        return hashlib.sha256(to).hexdigest()[:12]


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery(Model):
    """One event for one receiver; stored under `name` until it is delivered.

    Attributes:
        attempts: tries so far, since a person replayed it if one did.
        next_at: when to try next; None: no more.
        problem: why the last try failed: a code, never an answer's content.
        answer: what the receiver answered the last try with, as `answer_class` says it.
        tried_at: when it was tried last.
        replayed_at: when a person wanted it sent again.
    """

    event: Event
    to: Subscription
    created_at: datetime
    state: str = WAITING
    attempts: int = 0
    next_at: datetime | None = None
    problem: str = ""
    answer: str = ""
    tried_at: datetime | None = None
    replayed_at: datetime | None = None

    @property
    def name(self) -> str:
        """Name of its blob: the same for the same event and receiver, so that it is put in once."""
        return f"{OUTBOX}{self.event.id}/{self.to.key}.json"

    @property
    def note(self) -> str:
        """Name of the blob that says that it is undelivered, where it is."""
        return f"{UNTOLD}{self.event.id}/{self.to.key}"

    def is_due(self, now: datetime) -> bool:
        """Whether it is to be tried now."""
        return self.state == WAITING and self.next_at is not None and self.next_at <= now

    def delivered(self, *, at: datetime) -> Delivery:
        """Return it after a 2xx: done."""
        return replace(
            self,
            state=DELIVERED,
            attempts=self.attempts + 1,
            next_at=None,
            problem="",
            answer="2xx",
            tried_at=at,
        )

    def failed(
        self,
        *,
        at: datetime,
        problem: str,
        answer: str = "",
        status: int | None = None,
        retry_after: float | None = None,
    ) -> Delivery:
        """Return it after anything else: tried again, later each time, until a day has passed.

        410 says that the receiver wants no more. Source: standard-webhooks spec 1.0.0, "Delivery
        success and failure"; its example schedule spans three days, ours one.
        """
        tried = replace(
            self, attempts=self.attempts + 1, problem=problem, answer=answer, tried_at=at
        )
        is_old = at - (self.replayed_at or self.created_at) >= DAY
        if status == GONE or is_old or tried.attempts > len(_DELAYS):
            return replace(tried, state=UNDELIVERED, next_at=None)
        asked = timedelta(seconds=min(retry_after or 0, 3600))
        return replace(tried, next_at=at + max(_DELAYS[self.attempts], asked))

    def replayed(self, *, at: datetime) -> Delivery:
        """Return it as new, because a person wants it sent again; the event keeps its id."""
        return replace(self, state=WAITING, attempts=0, next_at=at, problem="", replayed_at=at)


@dataclass(frozen=True, kw_only=True, slots=True)
class Mark:
    """That a delivery is due at a time; its name is all that there is of it.

    Attributes:
        event: id of the event.
        receiver: key of the subscription.
    """

    at: datetime
    event: str
    receiver: str

    @classmethod
    def of(cls, delivery: Delivery) -> Mark:
        """Return the mark of a delivery that is to be tried; ValueError for one that is not."""
        if delivery.next_at is None:
            raise ValueError("the delivery is not to be tried again")
        return cls(at=delivery.next_at, event=delivery.event.id, receiver=delivery.to.key)

    @classmethod
    def read(cls, name: str) -> Mark | None:
        """Return the mark that a blob's name is, or None."""
        try:
            time, event, receiver = name.removeprefix(DUE).split("/")
            at = datetime.strptime(time, _TIME).replace(tzinfo=UTC)
        except ValueError:
            return None
        return cls(at=at, event=event, receiver=receiver)

    @property
    def name(self) -> str:
        """Name of its blob; names sort by time."""
        return f"{DUE}{self.at.astimezone(UTC).strftime(_TIME)}/{self.event}/{self.receiver}"

    @property
    def delivery(self) -> str:
        """Name of the blob of the delivery that is due."""
        return f"{OUTBOX}{self.event}/{self.receiver}.json"


def answer_class(status: int | None, *, was_sent: bool) -> str:
    """Return how a receiver answered: `2xx` and so on, `none` for no answer, `not-sent` where
    nothing was sent because the target or its secret is wrong."""
    if status is not None:
        return f"{status // 100}xx"
    return "none" if was_sent else "not-sent"


def noted(name: str) -> tuple[str, str]:
    """Return the run and the delivery's blob that the name of a note is about."""
    rest = name.removeprefix(UNTOLD)
    return rest.partition(":")[0], f"{OUTBOX}{rest}.json"


def outbox_of(run_id: str) -> str:
    """Return the prefix under which lies what is told of a run."""
    return f"{OUTBOX}{run_id}:"


def subscriptions_of(
    record: RunRecord, always: Sequence[Subscription] = ()
) -> Sequence[Subscription]:
    """Return whom the installation and the run's configuration tell, each once; where that could
    not be resolved, the installation's alone."""
    pipeline = (record.configuration or {}).get("pipeline") or {}
    own = [Subscription.from_payload(each) for each in pipeline.get("notify") or ()]
    found: dict[str, Subscription] = {}
    for each in (*own, *always):
        known = found.get(each.key, replace(each, events=()))
        found[each.key] = replace(known, events=(*known.events, *each.events))
    return list(found.values())


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

"""Telling others: what is due is sent, each receiver in a lane of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from activities.outbox import LOOK_BACK, Outbox
from activities.run_records import RunRecords
from droptune.domain.errors import DroptuneError, TransientError
from droptune.domain.messages import Message, render
from droptune.domain.notifications import stalled
from droptune.domain.outbox import Delivery, Mark, answer_class
from droptune.domain.signatures import signature_headers
from droptune.domain.stalls import bound_of, stall_of

MOST_LANES = 16
LANE_TIME = timedelta(seconds=25)


class Webhooks(Protocol):
    """Posts to the addresses of the installation."""

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """Post a message once; raises DroptuneError unless it was taken."""


def put_missing(outbox: Outbox, records: RunRecords, *, time_scale: float = 1) -> None:
    """Put in what a crash between a record and the outbox left out, and what stands still.

    A stall is told once: its event has the stall's id.
    """
    now = outbox.clock.now()
    for record in records.list_newest():
        if now - record.updated_at < LOOK_BACK:
            outbox.put(record)
    for record in records.list_open():
        if bound_of(record) is not None:
            control = records.control(record.ref)
            if stall := stall_of(record, control, now=now, time_scale=time_scale):
                outbox.put_events(record, [stalled(record, stall, app_url=outbox.app_url)])


def deliver_notifications(
    *, outbox: Outbox, webhooks: Webhooks, settings: Mapping[str, str]
) -> None:
    """Send what is due. A crash after a post and before its note sends the same id again.

    Each receiver has a lane of its own, oldest first, so that a slow one holds up nobody else; what
    a lane has no time for in this round, or a receiver asked to wait with, stays due.

    Args:
        settings: the app settings that begin with NOTIFY_, with the secrets that sign.
    """
    lanes: dict[str, list[Mark]] = defaultdict(list)
    for mark in outbox.due():
        lanes[mark.receiver].append(mark)
    sender = _Sender(outbox=outbox, webhooks=webhooks, settings=settings)
    _side_by_side(sender.send, list(lanes.values()))


@dataclass(frozen=True, kw_only=True)
class _Sender:
    outbox: Outbox
    webhooks: Webhooks
    settings: Mapping[str, str]

    def send(self, lane: Sequence[Mark]) -> None:
        """Send one receiver what is due, until the lane's time is over."""
        until = self.outbox.clock.now() + LANE_TIME
        for mark in lane:
            if self.outbox.clock.now() >= until:
                return
            found = self.outbox.find(mark.delivery)
            if found is None or not found[0].is_due(self.outbox.clock.now()):
                self.outbox.pass_over(mark)
                continue
            tried, asked_to_wait = self._tried(found[0])
            self.outbox.settle(mark, tried, found[1])
            if asked_to_wait:
                return

    def _tried(self, delivery: Delivery) -> tuple[Delivery, bool]:
        """Return a delivery after a try, and whether the receiver asked for a wait."""
        message, clock = render(delivery.event, delivery.to.format), self.outbox.clock
        try:
            secrets = self.settings.get(delivery.to.secret_setting, "")
            signed = signature_headers(message, secrets=secrets, at=clock.now()) if secrets else {}
            self.webhooks.post(delivery.to.url_setting, message, signed)
        except DroptuneError as error:
            status: int | None = getattr(error, "status", None)
            wait = error.retry_after if isinstance(error, TransientError) else None
            failed = delivery.failed(
                at=clock.now(),
                problem=error.code,
                answer=answer_class(status, was_sent=isinstance(error, TransientError)),
                status=status,
                retry_after=wait,
            )
            return failed, wait is not None
        return delivery.delivered(at=clock.now()), False


def _side_by_side(send: Callable[[Sequence[Mark]], None], lanes: Sequence[Sequence[Mark]]) -> None:
    """Send all lanes, several at a time; what one raises is raised once all have ended."""
    if len(lanes) < 2:
        for lane in lanes:
            send(lane)
        return
    with ThreadPoolExecutor(min(MOST_LANES, len(lanes))) as workers:
        begun = [workers.submit(send, lane) for lane in lanes]
    for each in begun:
        each.result()

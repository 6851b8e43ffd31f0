"""Telling others: events are put into the outbox, sent from there, and tried for a day."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from activities.run_records import RunRecords, dump
from droptune.domain.errors import ConflictError, DroptuneError, TransientError
from droptune.domain.messages import Message, render, signature_headers
from droptune.domain.notifications import events_of
from droptune.domain.outbox import DELIVERED, OUTBOX, UNDELIVERED, Delivery, Subscription
from droptune.domain.outbox import deliveries as deliveries_of
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobInfo, BlobStore, Clock

LOOK_BACK = timedelta(days=1)
_logger = logging.getLogger(__name__)
_KEPT = {DELIVERED: timedelta(days=3), UNDELIVERED: timedelta(days=30)}


class Webhooks(Protocol):
    """Posts to the addresses of the installation."""

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """Post a message once; raises DroptuneError unless it was taken."""


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """What is to be told, in the container `runs`.

    Attributes:
        app_url: base of the links in events.
    """

    runs: BlobStore
    clock: Clock
    app_url: str = ""

    def put(self, record: RunRecord) -> None:
        """Write what the record warrants and what is not there; repeating it is safe.

        Only events of the last day: older ones were told, and may have been removed since.
        """
        subscriptions = subscriptions_of(record)
        if not subscriptions:
            return
        now = self.clock.now()
        events = [e for e in events_of(record, app_url=self.app_url) if now - e.time < LOOK_BACK]
        for delivery in deliveries_of(events, subscriptions, now=now):
            if self.runs.find_info(delivery.name) is None:
                self._write_once(delivery)

    def _write_once(self, delivery: Delivery) -> None:
        try:
            self.runs.write(delivery.name, dump(delivery.to_payload()), if_absent=True)
        except ConflictError:
            return

    def deliveries(self, prefix: str = OUTBOX) -> Iterator[tuple[BlobInfo, Delivery, str]]:
        """Iterate over what lies there, with the ETag that was read."""
        for info in self.runs.list(prefix):
            blob = self.runs.find(info.name)
            if blob is None:
                continue
            try:
                delivery = Delivery.from_payload(json.loads(blob.data))
            except ValueError:  # one damaged document must not hold up the others
                _logger.warning("A delivery cannot be read", extra={"blob": info.name})
                continue
            yield info, delivery, blob.etag

    def of_run(self, run_id: str) -> list[Delivery]:
        """Return what was told, or is to be told, of a run."""
        return [delivery for _, delivery, _ in self.deliveries(f"{OUTBOX}{run_id}:")]

    def replay(self, run_id: str) -> list[Delivery]:
        """Try the undelivered of a run again, under the ids that they had; return these."""
        again = []
        for info, delivery, etag in self.deliveries(f"{OUTBOX}{run_id}:"):
            if delivery.state == UNDELIVERED:
                replayed = delivery.replayed(at=self.clock.now())
                self.settle(info.name, replayed, etag)
                again.append(replayed)
        return again

    def settle(self, name: str, delivery: Delivery, etag: str) -> None:
        """Keep what came of a try, unless another worker did meanwhile."""
        try:
            self.runs.write(name, dump(delivery.to_payload()), if_match=etag)
        except ConflictError:
            return


def subscriptions_of(record: RunRecord) -> Sequence[Subscription]:
    """Return whom the run's configuration tells; nobody where it could not be resolved."""
    pipeline = (record.configuration or {}).get("pipeline") or {}
    return [Subscription.from_payload(each) for each in pipeline.get("notify") or ()]


def put_missing(outbox: Outbox, records: RunRecords) -> None:
    """Put in what a crash between a record and the outbox left out; for the sweep."""
    for record in records.list_newest():
        if outbox.clock.now() - record.updated_at < LOOK_BACK:
            outbox.put(record)


def deliver_notifications(
    *, outbox: Outbox, webhooks: Webhooks, settings: Mapping[str, str]
) -> None:
    """Send what is due. A crash after a post and before its note sends the same id again.

    Args:
        settings: the app settings that begin with NOTIFY_, with the secrets that sign.
    """
    for info, delivery, etag in outbox.deliveries():
        now = outbox.clock.now()
        kept = _KEPT.get(delivery.state)
        if kept is not None and now - info.modified_at >= kept:
            _remove(outbox.runs, info.name, etag)
        elif delivery.is_due(now):
            outbox.settle(info.name, _tried(delivery, outbox.clock, webhooks, settings), etag)


def _remove(runs: BlobStore, name: str, etag: str) -> None:
    try:
        runs.delete(name, if_match=etag)
    except ConflictError:
        return  # a person has replayed it


def _tried(
    delivery: Delivery, clock: Clock, webhooks: Webhooks, settings: Mapping[str, str]
) -> Delivery:
    message = render(delivery.event, delivery.to.format)
    try:
        secrets = settings.get(delivery.to.secret_setting, "")
        signed = signature_headers(message, secrets=secrets, at=clock.now()) if secrets else {}
        webhooks.post(delivery.to.url_setting, message, signed)
    except DroptuneError as error:
        return delivery.failed(
            at=clock.now(),
            problem=error.code,
            status=getattr(error, "status", None),
            retry_after=error.retry_after if isinstance(error, TransientError) else None,
        )
    return delivery.delivered()

"""The outbox as it is stored: deliveries, and marks that say when each is due.

A mark is an empty blob whose name carries a time, so that a look at what is due lists only that and
reads nothing else. It is written before the delivery that it belongs to and taken away after the
one that no longer needs it: a crash leaves a mark too many, never one too few. What is undelivered
has a note in the same way, so that it is found without a search.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from activities.run_records import dump
from droptune.domain.errors import ConflictError
from droptune.domain.notifications import Event, events_of
from droptune.domain.outbox import (
    DELIVERED,
    DUE,
    OUTBOX,
    UNDELIVERED,
    UNTOLD,
    Delivery,
    Mark,
    Subscription,
    noted,
    outbox_of,
    subscriptions_of,
)
from droptune.domain.outbox import deliveries as deliveries_of
from droptune.domain.payload import read_document
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock

LOOK_BACK = timedelta(days=1)
_LEFT_BEHIND = timedelta(minutes=10)
_KEPT = {DELIVERED: timedelta(days=3), UNDELIVERED: timedelta(days=30)}
_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Outbox:
    """What is to be told, in the container `runs`.

    Attributes:
        app_url: base of the links in events.
        always: who is told of every run, whatever its configuration says.
    """

    runs: BlobStore
    clock: Clock
    app_url: str = ""
    always: Sequence[Subscription] = ()

    def put(self, record: RunRecord) -> None:
        """Write what the record warrants and what is not there; repeating it is safe.

        Only events of the last day: older ones were told, and may have been removed since.
        """
        self.put_events(record, events_of(record, app_url=self.app_url))

    def put_events(self, record: RunRecord, events: Sequence[Event]) -> None:
        """Write those of a run's events that are of the last day, for everybody who wants them."""
        to = subscriptions_of(record, self.always)
        now = self.clock.now()
        recent = [event for event in events if now - event.time < LOOK_BACK] if to else []
        wanted = deliveries_of(recent, to, now=now)
        there = {info.name for info in self.runs.list(outbox_of(record.id))} if wanted else set()
        for delivery in wanted:
            if delivery.name not in there:
                self._mark(delivery)
                self._write(delivery, if_absent=True)

    def due(self) -> Iterator[Mark]:
        """Iterate over the marks whose time has come, the longest due first."""
        now = self.clock.now()
        for info in self.runs.list(DUE):
            mark = Mark.read(info.name)
            if mark is None:
                self._remove(info.name)
            elif mark.at > now:
                return
            else:
                yield mark

    def find(self, name: str) -> tuple[Delivery, str] | None:
        """Return a delivery and its ETag; None for one that is gone or cannot be read."""
        blob = self.runs.find(name)
        if blob is None:
            return None
        try:
            return read_document(Delivery, blob.data), blob.etag
        except ValueError:  # one damaged document must not hold up the others
            _logger.warning("A delivery cannot be read", extra={"blob": name})
            return None

    def settle(self, mark: Mark, delivery: Delivery, etag: str) -> None:
        """Keep what came of a try, unless another worker did meanwhile."""
        self._mark(delivery)
        if self._write(delivery, if_match=etag):
            self._remove(mark.name)

    def pass_over(self, mark: Mark) -> None:
        """Take away a mark that belongs to nothing due, once whatever it was written for is done
        or has died."""
        if self.clock.now() - mark.at > _LEFT_BEHIND:
            self._remove(mark.name)

    def replay(self, run_id: str) -> int:
        """Try the undelivered of a run again, under the ids that they had; return how many."""
        again = 0
        for info in self.runs.list(outbox_of(run_id)):
            found = self.find(info.name)
            if found is not None and found[0].state == UNDELIVERED:
                delivery = found[0].replayed(at=self.clock.now())
                self._mark(delivery)
                if self._write(delivery, if_match=found[1]):
                    self._remove(delivery.note)
                    again += 1
        return again

    def forget_old(self) -> None:
        """Delete what was told three days ago, and what could not be thirty days ago."""
        now = self.clock.now()
        for info in self.runs.list(OUTBOX):
            age = now - info.modified_at
            found = self.find(info.name) if age >= min(_KEPT.values()) else None
            kept = _KEPT.get(found[0].state) if found else None
            if found is not None and kept is not None and age >= kept:
                self._remove(info.name, found[1])
        for info in self.runs.list(UNTOLD):
            found = self.find(noted(info.name)[1])
            if found is None or found[0].state != UNDELIVERED:  # a crash left the note behind
                self._remove(info.name)

    def _mark(self, delivery: Delivery) -> None:
        if delivery.next_at is not None:
            self.runs.write(Mark.of(delivery).name, b"")
        if delivery.state == UNDELIVERED:
            self.runs.write(delivery.note, b"")

    def _write(
        self, delivery: Delivery, *, if_match: str | None = None, if_absent: bool = False
    ) -> bool:
        try:
            data = dump(delivery.to_payload())
            self.runs.write(delivery.name, data, if_match=if_match, if_absent=if_absent)
        except ConflictError:
            return False
        return True

    def _remove(self, name: str, etag: str | None = None) -> None:
        try:
            self.runs.delete(name, if_match=etag)
        except ConflictError:
            return  # a person has replayed it

"""What others are told, and that none of it is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from activities.notifications import Outbox, deliver_notifications, put_missing
from activities.run_records import RunRecords
from droptune.domain.errors import TransientError
from droptune.domain.messages import Message
from droptune.domain.outbox import OUTBOX, UNDELIVERED
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord
from tests.builders import World, a_job_file, examples, until_done

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = {"NOTIFY_TEAM": "https://example.org/hook", "NOTIFY_TEAM_SECRET": SECRET}
CANARY = "canary-7d1f"


@dataclass
class Receiver:
    """Takes what is posted, unless it is broken."""

    is_broken: bool = False
    taken: list[tuple[Message, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """See Webhooks."""
        if self.is_broken:
            raise TransientError("broken")
        self.taken.append((message, headers))


def outbox_of(world: World) -> Outbox:
    """Return a world's outbox."""
    return Outbox(runs=world.runs, clock=world.clock, app_url="https://app.example")


def a_told_run(world: World) -> RunRecord:
    """Return a run whose configuration tells the team."""
    job = a_job_file(notify=[{"url_setting": "NOTIFY_TEAM"}])
    return world.a_run(job=job, training=examples(answer=CANARY))


def end(world: World, run: RunRecord) -> None:
    """Let a run succeed, as a worker does whose records tell the outbox."""
    records = RunRecords(world.runs, world.clock, outbox_of(world).put)
    now = world.clock.now()
    records.update(
        run.ref,
        lambda r: r.ended(Phase.SUCCEEDED, Outcome.TRAINED, at=now, message=CANARY, error=None),
    )


def deliver(world: World, receiver: Receiver) -> None:
    """Send once what is due."""
    deliver_notifications(outbox=outbox_of(world), webhooks=receiver, settings=SETTINGS)


def test_end_of_a_run_is_told_once_signed_and_without_its_data() -> None:
    """The published package verifies it; a second look sends nothing."""
    world, receiver = World(), Receiver()
    run = a_told_run(world)
    end(world, run)

    deliver(world, receiver)
    deliver(world, receiver)

    [(message, headers)] = receiver.taken
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    expected = Webhook(SECRET).sign(message.id, at, message.body.decode())
    assert headers["webhook-signature"] == expected
    assert message.id == f"{run.id}:1:succeeded"
    assert json.loads(message.body)["type"] == "droptune.run.completed.v1"
    told = b"".join(world.runs.data(name) for name in world.runs.names(OUTBOX)) + message.body
    assert CANARY.encode() not in told
    assert SECRET.encode() not in told


def test_crash_at_any_point_loses_nothing_and_keeps_the_id() -> None:
    """Between the record, the outbox, the post and its note: told at least once, under one id."""
    died, point = True, 0
    while died:
        world, receiver = World(), Receiver()
        run = a_told_run(world)
        fuse = world.kill_at(point)

        until_done(world, lambda: end(world, run))  # noqa: B023
        until_done(world, lambda: put_missing(outbox_of(world), world.records))  # noqa: B023
        until_done(world, lambda: deliver(world, receiver))  # noqa: B023

        world.survive()
        assert {message.id for message, _ in receiver.taken} == {f"{run.id}:1:succeeded"}, point
        died, point = fuse.is_burnt, point + 1
    assert point > 5


def test_receiver_that_is_down_for_a_day_is_undelivered_until_a_person_replays() -> None:
    """It is kept, shown, and sent again under its id."""
    world, receiver = World(), Receiver(is_broken=True)
    run = a_told_run(world)
    end(world, run)
    for _ in range(30):
        deliver(world, receiver)
        world.clock.advance(3600 * 2)
    [given_up] = outbox_of(world).of_run(run.id)
    receiver.is_broken = False

    deliver(world, receiver)
    silent = list(receiver.taken)
    outbox_of(world).replay(run.id)
    deliver(world, receiver)

    assert (given_up.state, given_up.problem) == (UNDELIVERED, "transient")
    assert silent == []
    assert [message.id for message, _ in receiver.taken] == [f"{run.id}:1:succeeded"]


@pytest.mark.parametrize(("broken", "days"), [(False, 3), (True, 32)])
def test_told_and_undelivered_go_in_time_and_do_not_come_back(broken: bool, days: int) -> None:
    """Three days, and thirty; the sweep puts in only what is of the last day."""
    world, receiver = World(), Receiver(is_broken=broken)
    run = a_told_run(world)
    end(world, run)
    for _ in range(days * 12 + 1):
        deliver(world, receiver)
        world.clock.advance(7200)
    world.records.update(run.ref, lambda r: replace(r, updated_at=world.clock.now()))

    deliver(world, receiver)
    put_missing(outbox_of(world), world.records)

    assert world.runs.names(OUTBOX) == []


def test_damaged_delivery_holds_up_no_other() -> None:
    """What cannot be read is passed over, and named in the log."""
    world = World()
    outbox = Outbox(runs=world.runs, clock=world.clock)
    world.runs.put(f"{OUTBOX}a:1:failed/0.json", "{")

    assert list(outbox.deliveries()) == []

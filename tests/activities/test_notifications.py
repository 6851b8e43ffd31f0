"""What others are told, and that none of it is lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from activities.notifications import LANE_TIME, deliver_notifications, put_missing
from activities.outbox import Outbox
from activities.run_records import RunRecords
from droptune.domain import outbox
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import TransientError
from droptune.domain.messages import Message
from droptune.domain.outbox import DUE, OUTBOX, UNDELIVERED, UNTOLD, Delivery, Subscription
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
    wait: float | None = None
    asked: int = 0
    taken: list[tuple[Message, Mapping[str, str]]] = field(default_factory=list)

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """See Webhooks."""
        self.asked += 1
        if self.is_broken or self.wait:
            raise TransientError("broken", retry_after=self.wait)
        self.taken.append((message, headers))


def outbox_of(world: World) -> Outbox:
    """Return a world's outbox."""
    return Outbox(runs=world.runs, clock=world.clock, app_url="https://app.example")


def a_told_run(world: World, version: str = "v1") -> RunRecord:
    """Return a run whose configuration tells the team."""
    job = a_job_file(notify=[{"url_setting": "NOTIFY_TEAM"}])
    dataset = DatasetRef(project="shop", version=version)
    return world.a_run(dataset, job=job, training=examples(answer=CANARY))


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


def told_of(world: World, run: RunRecord) -> list[Delivery]:
    """Return what lies in the outbox of a run."""
    names = world.runs.names(f"{OUTBOX}{run.id}:")
    return [Delivery.from_payload(json.loads(world.runs.data(name))) for name in names]


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
    [given_up] = told_of(world, run)
    noted = [outbox.noted(name) for name in world.runs.names(UNTOLD)]
    receiver.is_broken = False

    deliver(world, receiver)
    silent = list(receiver.taken)
    replayed = [outbox_of(world).replay(run.id) for _ in range(2)]
    deliver(world, receiver)

    assert noted == [(run.id, given_up.name)]
    assert world.runs.names(UNTOLD) == []
    assert (given_up.state, given_up.problem) == (UNDELIVERED, "transient")
    assert given_up.answer == "none"
    assert replayed == [1, 0]
    assert silent == []
    assert [message.id for message, _ in receiver.taken] == [f"{run.id}:1:succeeded"]


@pytest.mark.parametrize(("broken", "days"), [(False, 3), (True, 32)])
def test_told_and_undelivered_go_in_time_and_do_not_come_back(broken: bool, days: int) -> None:
    """Three days, and thirty; the sweep puts in only what is of the last day."""
    world, receiver = World(), Receiver(is_broken=broken)
    run = a_told_run(world)
    end(world, run)
    kept = []
    for _ in range(days * 12 + 1):
        deliver(world, receiver)
        outbox_of(world).forget_old()
        kept.append(len(world.runs.names(OUTBOX)))
        world.clock.advance(7200)
    world.records.update(run.ref, lambda r: replace(r, updated_at=world.clock.now()))

    outbox_of(world).forget_old()
    put_missing(outbox_of(world), world.records)

    assert set(kept[: days * 12 - 24]) == {1}
    assert world.runs.names(OUTBOX) == world.runs.names(DUE) == world.runs.names(UNTOLD) == []


def test_note_that_a_crash_left_behind_goes_at_night() -> None:
    """What was delivered or is gone is not called undelivered for ever."""
    world = World()
    world.runs.put(f"{UNTOLD}gone:1:failed/0123456789ab", "")

    outbox_of(world).forget_old()

    assert world.runs.names(UNTOLD) == []


def test_damaged_delivery_holds_up_no_other() -> None:
    """What cannot be read is passed over, and named in the log."""
    world, receiver = World(), Receiver()
    run = a_told_run(world)
    end(world, run)
    [mark] = world.runs.names(DUE)
    _, at, event, receiver_key = mark.split("/")
    world.runs.put(f"{OUTBOX}a:1:failed/0.json", "{")
    world.runs.put(f"{DUE}{at}/a:1:failed/0", "")

    deliver(world, receiver)

    assert [message.id for message, _ in receiver.taken] == [event]
    assert receiver_key


def test_look_at_what_is_due_reads_nothing_else() -> None:
    """What was told, and what waits for its next try, costs one listing and no reading."""
    world, receiver = World(), Receiver()
    for number in range(5):
        end(world, a_told_run(world, f"v{number}"))
    deliver(world, receiver)
    receiver.is_broken = True
    end(world, a_told_run(world, "late"))
    deliver(world, receiver)
    before = world.runs.calls.count("find"), world.runs.calls.count("list")

    deliver(world, receiver)

    assert len(receiver.taken) == 5
    calls = world.runs.calls
    assert (calls.count("find"), calls.count("list")) == (before[0], before[1] + 1)


def test_mark_that_was_left_behind_is_taken_away_later() -> None:
    """For a while it may belong to a delivery that is being written at this moment."""
    world = World()
    outbox = outbox_of(world)
    at = world.clock.now().strftime("%Y%m%dT%H%M%S.%fZ")
    world.runs.put(f"{DUE}{at}/gone:1:failed/0123456789ab", "")
    world.runs.put(f"{DUE}nonsense", "")

    deliver(world, Receiver())
    soon = world.runs.names(DUE)
    world.clock.advance(601)
    deliver(world, Receiver())

    assert [name for name in soon if "gone" in name]
    assert list(outbox.due()) == []


class SlowReceivers:
    """Some hang until they are let go; the others answer at once."""

    def __init__(self, *, hanging: int) -> None:
        self._together = threading.Barrier(hanging + 1)
        self.taken: list[str] = []

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """See Webhooks."""
        self._together.wait(timeout=20)  # nobody is answered before everybody is asked
        self.taken.append(url_setting)


def test_receiver_that_hangs_holds_up_nobody_else() -> None:
    """All receivers are asked at the same time, each in a lane of its own."""
    world, receivers = World(), SlowReceivers(hanging=2)
    everybody = [Subscription(url_setting=f"NOTIFY_{name}") for name in ("A", "B", "C")]
    outbox = replace(outbox_of(world), always=everybody)
    run = world.a_run(job=a_job_file(), training=examples())
    RunRecords(world.runs, world.clock, outbox.put).update(
        run.ref,
        lambda r: r.ended(Phase.FAILED, Outcome.NONE, at=world.clock.now(), message="", error=None),
    )

    deliver_notifications(outbox=outbox, webhooks=receivers, settings={})

    assert sorted(receivers.taken) == ["NOTIFY_A", "NOTIFY_B", "NOTIFY_C"]


class Tardy(Receiver):
    """Takes so long for each that a lane's time is over."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """See Webhooks."""
        self.world.clock.advance(LANE_TIME.total_seconds())
        super().post(url_setting, message, headers)


def test_lane_leaves_for_the_next_round_what_it_has_no_time_for() -> None:
    """A receiver that is asked too much does not keep a round from ending; nothing is lost."""
    world = World()
    receiver = Tardy(world)
    for number in range(3):
        end(world, a_told_run(world, f"v{number}"))

    after = []
    for _ in range(3):
        deliver(world, receiver)
        after.append(len(receiver.taken))

    assert after == [1, 2, 3]


def test_receiver_that_asks_to_wait_is_asked_no_more_in_this_round() -> None:
    """Who has too much to do is not sent the rest at once; nothing is lost."""
    world, receiver = World(), Receiver(wait=30)
    for number in range(3):
        end(world, a_told_run(world, f"v{number}"))

    deliver(world, receiver)
    asked = receiver.asked
    receiver.wait = None
    world.clock.advance(60)
    deliver(world, receiver)

    assert asked == 1
    assert len(receiver.taken) == 3


def test_job_that_is_silent_is_told_once() -> None:
    """The sweep sees the stall again and again; its event has one id."""
    world, receiver = World(), Receiver()
    run = a_told_run(world)
    world.records.update(run.ref, lambda r: r.entered(Phase.TRAINING, at=world.clock.now()))
    for _ in range(8):
        world.clock.advance(6 * 3600)
        put_missing(outbox_of(world), world.records)
        deliver(world, receiver)

    told = [json.loads(message.body)["type"] for message, _ in receiver.taken]
    assert told == ["droptune.run.stalled.v1"]

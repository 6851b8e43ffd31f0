"""What others are told of a run, and what they never are."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from droptune.domain.findings import Problem
from droptune.domain.notifications import EVENT_NAMES, Event, events_of, stalled, wants
from droptune.domain.payload import parse_time
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import Promotion
from droptune.domain.run import RunRecord
from droptune.domain.stalls import Stall
from tests.domain.records import a_record
from tests.fakes.clock import START

APP = "https://droptune.example"
CANARY = "canary-7f3a"
PROMOTED = a_record(
    Phase.RECEIVED,
    Phase.VALIDATING,
    Phase.ESTIMATING,
    Phase.AWAITING_APPROVAL,
    Phase.TRAINING,
    Phase.DEPLOYING,
    Phase.TESTING,
    Phase.AWAITING_PROMOTION,
    Phase.SUCCEEDED,
    outcome=Outcome.PROMOTED,
    job={"id": "ftjob-1", "fine_tuned_model": "gpt-4.1.ft-1"},
)


def told(record: RunRecord) -> list[str]:
    return [event.name for event in events_of(record, app_url=APP)]


def test_run_that_was_promoted_tells_its_story_in_order() -> None:
    """Each step that others care for is one event."""
    assert told(PROMOTED) == [
        "run.validated",
        "run.approval_requested",
        "run.submitted",
        "run.trained",
        "run.approval_requested",
        "run.promoted",
    ]


@pytest.mark.parametrize(
    ("phase", "outcome", "name"),
    [
        (Phase.REJECTED, Outcome.NONE, "run.rejected"),
        (Phase.FAILED, Outcome.NONE, "run.failed"),
        (Phase.CANCELLED, Outcome.NONE, "run.cancelled"),
        (Phase.SUPERSEDED, Outcome.NONE, "run.superseded"),
        (Phase.SUCCEEDED, Outcome.TRAINED, "run.completed"),
        (Phase.SUCCEEDED, Outcome.NOT_PROMOTED, "run.not_promoted"),
        (Phase.SUCCEEDED, Outcome.PLANNED, "run.planned"),
    ],
)
def test_every_end_is_told(phase: Phase, outcome: Outcome, name: str) -> None:
    """Good or bad, a run that has ended says so, in its type and in a sentence."""
    last = events_of(a_record(Phase.RECEIVED, phase, outcome=outcome), app_url=APP)[-1]

    assert last.name == name
    assert last.type == f"droptune.{name}.v1"
    assert "bot-v1-0a1b2c3d" in last.sentence


def test_submission_is_told_once_there_is_a_job() -> None:
    """The phase begins before the job exists; the event does not."""
    assert told(a_record(Phase.TRAINING)) == []
    assert told(a_record(Phase.TRAINING, job={"id": "ftjob-1"})) == ["run.submitted"]


@pytest.mark.parametrize("event", events_of(PROMOTED, app_url=APP), ids=lambda event: event.name)
def test_event_has_every_required_attribute(event: Event) -> None:
    """CloudEvents 1.0: names, types and forms of the attributes, as its specification has them."""
    document = json.loads(json.dumps(event.to_payload()))

    for attribute in ("id", "source", "specversion", "type"):
        assert isinstance(document[attribute], str)
        assert document[attribute]
    assert document["specversion"] == "1.0"
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in document)
    assert urlsplit(document["source"]).scheme == "https"
    assert document["source"] == f"{APP}/projects/bot"
    assert document["subject"] == "bot-v1-0a1b2c3d"
    assert parse_time(document["time"]) >= START
    assert document["datacontenttype"] == "application/json"


def test_ids_are_run_attempt_and_phase_and_differ() -> None:
    """The same event has the same id whenever it is found; no two events share one."""
    ids = [event.id for event in events_of(PROMOTED, app_url=APP)]

    assert ids[-1] == "bot-v1-0a1b2c3d:1:succeeded"
    assert len(set(ids)) == len(ids)
    assert ids == [event.id for event in events_of(PROMOTED, app_url=APP + "/")]
    assert not any("." in each for each in ids)


def test_later_record_warrants_the_same_events_and_more() -> None:
    """An event that was not sent when it happened is found again by looking at the record."""
    earlier = a_record(*[change.phase for change in PROMOTED.history[:5]], job=PROMOTED.job)

    ids = [event.id for event in events_of(PROMOTED, app_url=APP)]

    assert [event.id for event in events_of(earlier, app_url=APP)] == ids[:3]


def test_second_question_is_an_event_of_its_own() -> None:
    """A run that asks again, because the service chose more epochs, is told again."""
    record = a_record(
        Phase.AWAITING_APPROVAL, Phase.TRAINING, Phase.AWAITING_APPROVAL, job={"id": "ftjob-1"}
    )

    ids = [event.id.rpartition(":")[2] for event in events_of(record, app_url=APP)]

    assert ids == ["awaiting_approval", "training", "awaiting_approval-2"]


@pytest.mark.parametrize("outcome", [Outcome.NOT_PROMOTED, Outcome.TRAINED])
def test_promotion_after_the_end_leaves_the_event_of_the_end_as_it_was(outcome: Outcome) -> None:
    """Its id was told already: a receiver that knows it would never hear of another content."""
    asked = Promotion(attempt=1, by="ann", asked_at=START, outcome_before=outcome)
    run = a_record(Phase.SUCCEEDED, outcome=outcome, promotion=asked)
    ended = asked.ended(at=START + timedelta(hours=1), message="", error=None)

    promoted = replace(run, outcome=Outcome.PROMOTED, promotion=ended)

    [told] = events_of(run, app_url=APP)
    [again, later] = events_of(promoted, app_url=APP)
    assert (again.id, again.type) == (told.id, told.type)
    assert later.name == "run.promoted"


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (None, "run.promoted"),
        (Problem(code="taken", message=CANARY, remedy=""), "run.not_promoted"),
    ],
)
def test_promotion_after_the_end_is_told_once_it_has_ended(
    error: Problem | None, name: str
) -> None:
    """Not while it is under way; each attempt has an id of its own."""
    asked = Promotion(attempt=2, by="ann", asked_at=START)
    run = a_record(Phase.SUCCEEDED, outcome=Outcome.NOT_PROMOTED, promotion=asked)
    ended = asked.ended(at=START + timedelta(hours=1), message=CANARY, error=error)

    [_, event] = events_of(replace(run, promotion=ended), app_url=APP)

    assert len(events_of(run, app_url=APP)) == 1
    assert (event.name, event.id) == (name, "bot-v1-0a1b2c3d:1:promotion-2")
    assert event.data["error"] == (error.code if error else None)
    assert CANARY not in json.dumps(event.to_payload())


def test_stall_is_an_event_with_the_id_of_the_stall() -> None:
    """Seen twice it is one; a run that moved and stands still again is another."""
    stall = Stall(phase=Phase.TRAINING, since=START, at=START + timedelta(days=1))
    later = replace(stall, since=START + timedelta(days=2))

    event = stalled(PROMOTED, stall, app_url=APP)

    assert (event.name, event.id) == (
        "run.stalled",
        f"bot-v1-0a1b2c3d:1:stalled-training-{int(START.timestamp())}",
    )
    assert event.sentence == "bot-v1-0a1b2c3d has not moved for a long time: it is still training."
    assert stalled(PROMOTED, later, app_url=APP).id != event.id
    assert event.id not in [each.id for each in events_of(PROMOTED, app_url=APP)]


def test_nothing_that_quotes_data_answers_or_people_is_told() -> None:
    """Sentences of the record may hold training data, the smoke test, a reason or a secret."""
    full = a_record(
        Phase.ESTIMATING,
        Phase.DEPLOYING,
        Phase.FAILED,
        message=CANARY,
        waiting_for=CANARY,
        dropped_by=CANARY,
        approval_reasons=(CANARY,),
        test={"prompt": CANARY, "answer": CANARY},
        job={"id": "ftjob-1", "fine_tuned_model": "m", "error_message": CANARY},
        configuration={"model": "gpt-4.1", "pipeline": {"smoke_test": {"messages": [CANARY]}}},
        error=Problem(code="training-data", message=CANARY, remedy=CANARY),
    )

    events = events_of(full, app_url=APP)

    assert len(events) == 3
    assert CANARY not in json.dumps([event.to_payload() for event in events])
    assert events[-1].data["error"] == "training-data"


@pytest.mark.parametrize(
    ("patterns", "wanted"),
    [
        (["run.*"], True),
        (["*"], True),
        (["run.promoted"], True),
        (["droptune.run.promoted.v1"], True),
        (["run.failed", "run.promoted"], True),
        (["run.failed"], False),
        (["run.prom"], False),
        (["project.*"], False),
        ([], False),
    ],
)
def test_subscription_chooses_by_name_or_prefix(patterns: list[str], wanted: bool) -> None:
    """`run.*` is everything of runs; a name is that event alone."""
    assert wants(patterns, events_of(PROMOTED, app_url=APP)[-1]) is wanted


def test_event_survives_storage() -> None:
    """What lies in the outbox is what was meant."""
    event = events_of(PROMOTED, app_url=APP)[-1]

    assert Event.from_payload(json.loads(json.dumps(event.to_payload()))) == event


def test_every_event_is_explained_to_people() -> None:
    """The page on notifications has a row for each, and for nothing else."""
    page = (Path(__file__).parents[2] / "docs/notifications.md").read_text(encoding="utf-8")

    rows = re.findall(r"^\| `run\.([a-z_]+)` \|", page, re.MULTILINE)

    assert sorted(rows) == sorted(EVENT_NAMES)

"""Parts of a run's page: its line, what may be done now, what happened, where values came from."""

from __future__ import annotations

from datetime import timedelta

import pytest

from droptune.api.pages.offers import offers
from droptune.api.pages.phase_line import phase_line
from droptune.api.pages.story import failures, story
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import Promotion
from droptune.domain.run import Control, Word

from .world import NOW, a_champion, a_kept_model, a_run

COST = {"low": 4.1, "high": 6.2, "hosting_month": 1224.0}


def shown(line):
    return [(each["name"], each["state"], each["seconds"]) for each in line]


def test_line_shows_past_present_and_what_lies_ahead():
    """Past phases with the time that they took, the present one with the time so far."""
    record = a_run(phase=Phase.VALIDATING, entered_at=NOW - timedelta(minutes=59))
    record = record.entered(Phase.QUEUED, at=NOW - timedelta(minutes=50))

    line = phase_line(record, NOW)

    assert shown(line)[:3] == [
        ("settling", "past", 60),
        ("validating", "past", 540),
        ("queued", "current", 3000),
    ]
    assert [name for name, state, _ in shown(line) if state == "ahead"] == [
        "uploading",
        "training",
        "deploying",
        "testing",
        "succeeded",
    ]
    assert [each["name"] for each in line if each["is_current"]] == ["queued"]


def test_promotion_lies_ahead_only_where_production_is_configured():
    """A run that never promotes does not promise it."""
    deploy = {"production": {"sku": "GlobalStandard", "capacity": 50}}
    record = a_run(configuration={"pipeline": {"deploy": deploy}})

    assert "promoting" in [each["name"] for each in phase_line(record, NOW)]
    assert "promoting" not in [each["name"] for each in phase_line(a_run(), NOW)]


def test_line_of_a_failed_run_marks_where_it_stopped():
    """Nothing lies ahead; the last phase is marked, and the end says how long all took."""
    record = a_run().ended(Phase.FAILED, Outcome.NONE, at=NOW, message="x", error=None)

    line = shown(phase_line(record, NOW))

    assert line[-2:] == [("training", "stopped", 2460), ("failed", "bad", 3600)]


@pytest.mark.parametrize(
    ("phase", "words"),
    [
        (Phase.TRAINING, ["pause", "cancel"]),
        (Phase.AWAITING_APPROVAL, ["approve", "reject", "pause", "cancel"]),
        (Phase.FAILED, ["retry"]),
    ],
)
def test_only_what_is_allowed_now_is_offered(phase, words):
    """Each button says what it does and what it costs."""
    made = offers(a_run(phase=phase, cost=COST), Control(), None)

    assert [each["word"] for each in made] == words
    assert all(each["says"].endswith((".", "?")) for each in made)


def test_approval_of_a_training_names_its_price():
    """Nobody approves without the figure."""
    [approve, *_] = offers(a_run(phase=Phase.AWAITING_APPROVAL, cost=COST), Control(), None)

    assert "Costs $4.10 to $6.20." in approve["says"]


def test_approval_of_a_promotion_names_what_it_replaces_and_the_rent():
    """The champion that goes, how soon callers follow, and 30 days of hosting."""
    champion = dict(a_champion().to_document())
    record = a_run(phase=Phase.AWAITING_PROMOTION, cost=COST)

    [approve, *_] = offers(record, Control(), champion)

    assert "It replaces shop-1" in approve["says"]
    assert "Hosting costs $1,224 for 30 days." in approve["says"]


def test_promoting_later_is_offered_only_where_it_can_be_done():
    """A run without a production SKU keeps its model, and only a new training is offered."""
    able = offers(a_kept_model(cost=COST), Control(), None)
    unable = offers(a_kept_model(cost=COST, configuration={}), Control(), None)

    assert [each["word"] for each in able] == ["promote", "again"]
    assert [each["word"] for each in unable] == ["again"]


def test_promotion_under_way_can_be_cancelled_and_nothing_else():
    """What was asked for after the run's end takes minutes, or waits for room."""
    promotion = Promotion(attempt=1, by="Ada", asked_at=NOW)
    record = a_kept_model(promotion=promotion)
    said = Word(word="cancel", at=NOW, by="Bo", about="promotion")

    made = offers(record, Control(), None)
    cancelled = offers(record, Control(words=(said,)), None)

    assert [each["label"] for each in made] == ["Cancel the promotion"]
    assert cancelled == []


def test_rollback_is_offered_by_the_champion_that_replaced_another():
    """Only the present champion's run, and only with somebody to go back to."""
    champion = dict(a_champion().to_document())
    with_way_back = champion | {"previous": champion | {"deployment": "shop-0"}}
    record = a_run(phase=Phase.SUCCEEDED, outcome=Outcome.PROMOTED)

    without = offers(record, Control(), champion)
    made = offers(record, Control(), with_way_back)

    assert [each["word"] for each in without] == ["again"]
    assert [each["word"] for each in made] == ["rollback", "again"]
    assert "shop-0 becomes the champion again" in made[0]["says"]


def test_story_mixes_phases_people_and_job_newest_first():
    """One list tells what happened; figures of steps belong to the curve."""
    word = Word(word="approve", about="training", by="ann", at=NOW, reason="fine")
    events = [
        {"created_at": "2026-05-04T11:30:00Z", "message": "Enqueued", "level": "info"},
        {"created_at": "2026-05-04T11:31:00Z", "type": "metrics", "data": {"step": 1}},
        {"created_at": "never", "message": "undated"},
    ]

    told = [entry["text"] for entry in story(a_run(), Control(words=(word,)), events, NOW)]

    assert told == [
        "ann approved the training: fine",
        "Enqueued",
        "Training",
        "The dataset settled and was taken up",
    ]


def test_service_whose_clock_is_ahead_tells_nothing_of_the_future():
    """What it says of the job stands in order, before what came after the training."""
    record = a_run().entered(Phase.DEPLOYING, at=NOW - timedelta(minutes=5))
    ahead = [
        {"created_at": f"2026-05-04T13:0{n}:00Z", "message": message}
        for n, message in enumerate(("Started", "Succeeded"))
    ]

    told = story(record, Control(), ahead, NOW)

    assert [entry["text"] for entry in told][:3] == ["Deploying", "Succeeded", "Started"]
    assert all(entry["at"] <= NOW for entry in told)


def test_evidence_of_a_failed_job_is_its_last_errors():
    """Newest first, and only a few."""
    events = [{"created_at": NOW, "level": "error", "message": str(n)} for n in range(9)]

    assert [each["text"] for each in failures(events, 2)] == ["8", "7"]


def test_story_tells_who_asked_for_a_promotion_and_what_came_of_it():
    """What happened after the run's end stands above its end."""
    asked = Promotion(attempt=1, by="Ada", asked_at=NOW + timedelta(days=1), reason="after all")
    ended = asked.ended(at=NOW + timedelta(days=2), message="Promoted: shop-1.", error=None)

    told = story(a_kept_model(promotion=ended), Control(), [], NOW + timedelta(days=3))

    texts = [entry["text"] for entry in told]
    assert texts[:2] == ["Promoted: shop-1.", "Ada asked for the promotion: after all"]

"""The status document: its fields, and its sentence for a person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from droptune.api.sentences import duration, money
from droptune.api.status import status_document
from droptune.domain.findings import Problem
from droptune.domain.payload import format_time
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import Promotion
from droptune.domain.run import Control, Word

from .world import NOW, URL, a_kept_model, a_run

FIELDS = [
    *("schema_version", "id", "project", "version", "attempt", "phase", "phase_index"),
    *("phase_count", "outcome", "message", "waiting_for", "next", "dropped_by", "dataset"),
    *("configuration", "cost", "job", "deployment", "test", "champion", "decisions"),
    *("paused", "promotion", "error", "links", "created_at", "updated_at", "ended_at"),
]

SINCE = f"{NOW:%Y-%m-%d %H:%M} UTC"
ASKED = Promotion(attempt=1, by="Ada", asked_at=NOW, reason="why not", message="Deploying.")
KEPT = {key: getattr(a_kept_model(), key) for key in ("phase", "outcome", "job", "configuration")}


def show(record, *words):
    return status_document(record, Control(words=words), URL, NOW)


def said(word, reason="", about=""):
    return Word(word=word, at=NOW, by="ann", reason=reason, about=about)


def test_paused_run_shows_who_paused_it_when_and_why_and_what_to_do():
    """It stands there as long as nobody resumes it."""
    record = a_run(phase=Phase.TRAINING)

    paused = show(record, said("pause", "lunch"))
    resumed = show(record, said("pause", "lunch"), said("resume"))

    assert paused["paused"] == {"by": "ann", "at": format_time(NOW), "reason": "lunch"}
    assert (
        paused["next"]
        == f"Once it is resumed (droptune resume {record.id}), it goes on where it stands."
    )
    assert resumed["paused"] is None


def test_fresh_run_shows_every_field():
    """The document has the published fields, null where nothing is known."""
    document = show(a_run(phase=Phase.VALIDATING))

    assert list(document) == FIELDS
    assert document["cost"] == {
        "currency": "USD",
        "estimate": None,
        "low": None,
        "high": None,
        "hosting_month": None,
        "spent": None,
        "as_of": None,
    }
    assert document["dataset"]["files"] == [
        {"role": "training", "name": "training.jsonl", "bytes": 9, "sha256": "ab"}
    ]
    assert document["dataset"]["findings"] == {"error": 0, "warning": 0}
    assert (document["job"], document["test"]) == (None, None)


def test_training_run_says_how_long_how_much_and_that_there_is_nothing_to_do():
    """The sentence of a training run is DESIGN's own."""
    finish = format_time(NOW + timedelta(minutes=20))
    record = a_run(
        job={"id": "j", "estimated_finish": finish},
        cost={"spent": 3.1},
        configuration={"pipeline": {"budget": {"run_usd": 50}}},
    )

    message = show(record)["message"]

    assert message == ("Training for 41 min, about 20 left; $3.10 of $50; nothing for you to do.")


@pytest.mark.parametrize(
    ("changes", "words", "waiting_for", "start"),
    [
        ({"phase": Phase.UPLOADING}, [], None, "Uploading the files for 41 min; nothing"),
        ({"phase": Phase.QUEUED}, [], "azure", "Waiting for a place at Azure OpenAI"),
        ({}, [said("pause", "lunch")], "resume", f"Paused by ann since {SINCE} (lunch); resume"),
        ({}, [said("cancel")], None, "Being cancelled by ann"),
        (
            {"phase": Phase.AWAITING_APPROVAL, "approval_reasons": ("$60 is over $50.",)},
            [],
            "approval",
            "Waiting for your approval of the training: $60 is over $50. Approve or reject",
        ),
        ({"phase": Phase.REJECTED, "message": "Bad data."}, [], None, "Bad data."),
        ({"phase": Phase.FAILED}, [], None, "The run ended failed."),
    ],
)
def test_sentence_says_what_a_run_waits_for(changes, words, waiting_for, start):
    """Whoever reads the message knows whether it is their turn."""
    document = show(a_run(**changes), *words)

    assert document["message"].startswith(start)
    assert document["waiting_for"] == waiting_for


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase is not Phase.UNRECOGNISED])
def test_every_phase_has_a_sentence_and_what_comes_next(phase):
    """No phase is silent; only an end has nothing next."""
    document = show(a_run(phase=phase))

    assert document["message"]
    assert (document["next"] is None) == phase.is_terminal
    assert 1 <= document["phase_index"] <= document["phase_count"]


@pytest.mark.parametrize(
    ("changes", "words", "actions"),
    [
        ({}, [], {"pause", "cancel"}),
        ({}, [said("pause")], {"resume", "cancel"}),
        ({}, [said("cancel")], set()),
        ({"phase": Phase.AWAITING_PROMOTION}, [], {"approve", "reject", "pause", "cancel"}),
        (KEPT, [], {"promote"}),
        (KEPT | {"promotion": ASKED}, [], {"cancel"}),
        (KEPT | {"promotion": ASKED}, [said("cancel", about="promotion")], set()),
        ({"phase": Phase.SUCCEEDED, "outcome": Outcome.TRAINED}, [], set()),
        ({"phase": Phase.SUCCEEDED, "outcome": Outcome.PROMOTED}, [], set()),
    ],
)
def test_links_offer_what_may_be_said_now(changes, words, actions):
    """A program finds each possible action among the links, and no impossible one."""
    lasting = {"self", "report", "events", "metrics", "answers", "page", "dataset", "project"}

    assert set(show(a_run(**changes), *words)["links"]) - lasting == actions


@pytest.mark.parametrize(
    ("promotion", "sentence"),
    [
        (ASKED, "Being promoted, as Ada (why not) asked: Deploying."),
        (
            ASKED.ended(at=NOW, message="Promoted: shop-1 answers.", error=None),
            "Promoted later, as Ada (why not) asked: shop-1 answers.",
        ),
        (
            ASKED.ended(at=NOW, message="No room.", error=Problem(code="x", message="No room.")),
            "Not promoted, though Ada (why not) asked: No room. Nobody approved the promotion "
            "within 72 hours.",
        ),
    ],
)
def test_later_promotion_is_shown_with_who_and_why(promotion, sentence):
    """The run has ended; what was asked for since is said first."""
    document = show(a_kept_model(promotion=promotion))

    assert document["message"] == sentence
    assert document["promotion"]["by"] == "Ada"
    assert document["promotion"]["state"] == promotion.state.value


def test_rejected_run_shows_its_problem_and_adopted_job():
    """Error and job have their published fields; whose job it was is said."""
    problem = Problem(code="training-data", message="m", remedy="r")
    document = show(
        a_run(phase=Phase.REJECTED, error=problem, job={"id": "j"}, adopted_from="shop-v0-bb")
    )

    assert document["error"] == {
        "code": "training-data",
        "message": "m",
        "remedy": "r",
        "evidence": "",
    }
    assert document["job"]["adopted_from"] == "shop-v0-bb"
    assert document["job"]["train_loss"] is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (7_000, "117 min"), (7_200, "2 h"), (2e5, "2 days")],
)
def test_durations_read_as_people_say_them(seconds, text):
    """Seconds, minutes, hours, days: one unit is enough."""
    assert duration(seconds) == text


def test_money_shows_cents_only_where_there_are_any():
    """Whole dollars need no cents; less than a cent is not nothing."""
    assert (money(50), money(3.1), money(1234.5)) == ("$50", "$3.10", "$1,234.50")
    assert money(0.0034) == "$0.0034"


@pytest.mark.parametrize(
    ("changes", "hosting"),
    [
        ({"phase": Phase.TRAINING}, 1_240),
        ({"phase": Phase.SUCCEEDED, "outcome": Outcome.PROMOTED}, 1_240),
        ({"phase": Phase.SUCCEEDED, "outcome": Outcome.PLANNED}, 1_240),
        ({"phase": Phase.REJECTED}, None),
        ({"phase": Phase.CANCELLED}, None),
    ],
)
def test_hosting_is_shown_only_where_something_may_be_hosted(changes, hosting):
    """A run that ended with nothing will cost nothing by the hour."""
    document = show(a_run(cost={"hosting_month": 1_240}, **changes))

    assert document["cost"]["hosting_month"] == hosting

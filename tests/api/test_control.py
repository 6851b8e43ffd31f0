"""What a person may say of a run, and what comes of it."""

from __future__ import annotations

import json

import pytest

from droptune.domain.phases import Phase
from droptune.domain.run import Word
from droptune.domain.steps import waiting_instances

from .world import NOW, World, a_kept_model, a_run, read

ID = "shop-v1-aa"


def said(word: str, about: str = "") -> Word:
    return Word(word=word, at=NOW, by="ann", about=about)


def test_word_is_written_before_everything_that_sleeps_is_woken():
    """A word goes into control.json with who said it and why; then all sleepers are woken."""
    world = World()
    record = world.keep(a_run())

    response = world.post(f"runs/{ID}/cancel", {"reason": "too dear", "by": "ann"})

    [word] = world.control(record).words
    assert response.status == 202
    assert (word.word, word.reason) == ("cancel", "too dear")
    assert word.by == "ann (holder of the key)"
    assert response.wake == waiting_instances(ID)
    assert read(response)["message"].startswith("Being cancelled by ann")


@pytest.mark.parametrize("word", ["cancel", "pause", "resume", "approve"])
def test_word_said_twice_is_recorded_once(word):
    """A repeated word answers 202 like the first, and wakes again."""
    world = World()
    phase = Phase.AWAITING_APPROVAL if word == "approve" else Phase.TRAINING
    record = world.keep(a_run(phase=phase), *([said("pause")] if word == "resume" else []))

    first = world.post(f"runs/{ID}/{word}")
    count = len(world.control(record).words)
    second = world.post(f"runs/{ID}/{word}")

    assert (first.status, second.status) == (202, 202)
    assert len(world.control(record).words) == count
    assert second.wake


@pytest.mark.parametrize(
    ("phase", "about"),
    [(Phase.AWAITING_APPROVAL, "training"), (Phase.AWAITING_PROMOTION, "promotion")],
)
def test_decision_is_about_what_is_waited_for(phase, about):
    """An approval is recorded for the thing that waits, though another was approved before."""
    world = World()
    before = [said("approve", "training")] if about == "promotion" else []
    record = world.keep(a_run(phase=phase), *before)

    response = world.post(f"runs/{ID}/approve")

    assert response.status == 202
    assert world.control(record).decision(about).word == "approve"


def test_late_repetition_of_an_approval_does_not_approve_the_promotion():
    """A decision that names what it is about is never taken for one about something else."""
    world = World()
    record = world.keep(a_run(phase=Phase.AWAITING_PROMOTION), said("approve", "training"))

    response = world.post(f"runs/{ID}/approve", {"about": "training"})

    assert response.status == 202
    assert world.control(record).decision("promotion") is None


@pytest.mark.parametrize(
    ("phase", "before", "word", "code"),
    [
        (Phase.SUCCEEDED, [], "cancel", "ended"),
        (Phase.FAILED, [], "pause", "ended"),
        (Phase.REJECTED, [], "approve", "ended"),
        (Phase.TRAINING, [], "approve", "nothing-waits"),
        (Phase.TRAINING, [], "resume", "not-paused"),
        (Phase.TRAINING, [said("cancel")], "pause", "cancelled"),
        (Phase.AWAITING_APPROVAL, [said("cancel")], "approve", "cancelled"),
        (Phase.AWAITING_APPROVAL, [said("approve", "training")], "reject", "decided-otherwise"),
        (Phase.TRAINING, [said("approve", "training")], "reject", "decided-otherwise"),
    ],
)
def test_word_that_cannot_be_said_is_refused_with_the_reason(phase, before, word, code):
    """What cannot be said any more is a 409 that says why; nothing is recorded."""
    world = World()
    record = world.keep(a_run(phase=phase), *before)

    response = world.post(f"runs/{ID}/{word}")

    assert (response.status, read(response)["code"]) == (409, code)
    assert list(world.control(record).words) == before


@pytest.mark.parametrize(
    ("phase", "before", "word"),
    [
        (Phase.CANCELLED, [said("cancel")], "cancel"),
        (Phase.CANCELLED, [], "cancel"),
        (Phase.TRAINING, [said("approve", "training")], "approve"),
        (Phase.SUCCEEDED, [said("approve", "training")], "approve"),
    ],
)
def test_word_that_came_true_already_is_accepted(phase, before, word):
    """A repetition after the word took effect is a 202, also when the run has ended."""
    world = World()
    record = world.keep(a_run(phase=phase), *before)

    response = world.post(f"runs/{ID}/{word}")

    assert response.status == 202
    assert list(world.control(record).words) == before


def test_word_meets_somebody_faster_and_is_written_after_it():
    """A lost conditional write reads again and decides again."""
    world = World()
    record = world.keep(a_run())
    world.runs.conflicts_to_come = 3

    response = world.post(f"runs/{ID}/pause")

    assert response.status == 202
    assert world.control(record).is_paused


def test_control_that_everybody_writes_asks_to_come_back():
    """After a few lost writes the answer is a 503 with Retry-After."""
    world = World()
    world.keep(a_run())
    world.runs.conflicts_to_come = 100

    response = world.post(f"runs/{ID}/pause")

    assert response.status == 503
    assert "Retry-After" in response.headers


@pytest.mark.parametrize(
    "body", [{"reason": "x" * 2001}, {"reason": 1}, {"reson": "x"}, {"about": "tea"}]
)
def test_wrong_body_of_a_word_is_refused(body):
    """A reason is text of at most 2,000 characters, and no other key is known."""
    world = World()
    world.keep(a_run())

    assert world.post(f"runs/{ID}/cancel", body).status == 400


def test_post_from_another_site_is_refused():
    """A foreign page cannot decide in the browser of somebody who may."""
    world = World()
    record = world.keep(a_run())

    response = world.post(f"runs/{ID}/cancel", origin="https://evil.example")

    assert response.status == 403
    assert world.control(record).words == ()


def test_post_with_a_key_may_come_from_anywhere():
    """What carries a function key is no page's trick."""
    world = World()
    world.keep(a_run())

    headers = {"origin": "https://tool.example", "x_functions_key": "k"}
    assert world.post(f"runs/{ID}/cancel", None, **headers).status == 202


METRICS = {"accuracy": 0.93, "f1 (macro)": 0.9, "cost/1k": 2}


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_figures_of_a_teams_own_evaluation_are_kept_and_shown(word):
    """They stand in the control document and in the status, with who, when and why."""
    world = World()
    record = world.keep(a_run(phase=Phase.AWAITING_PROMOTION))
    body = {"by": "nightly-eval", "reason": "better on 400 cases", "metrics": METRICS}

    response = world.post(f"runs/{record.id}/{word}", body)

    [decision] = read(response)["decisions"]
    assert response.status == 202
    assert decision["metrics"] == METRICS
    assert decision["by"] == "nightly-eval (holder of the key)"
    assert (decision["about"], decision["approved"]) == ("promotion", word == "approve")
    assert json.loads(world.runs.blobs[record.ref.control])["words"][0]["metrics"] == METRICS


@pytest.mark.parametrize(
    "metrics",
    [
        "accuracy",
        [0.9],
        {"accuracy": "0.9"},
        {"accuracy": True},
        {"accuracy": None},
        {"accuracy": float("nan")},
        {"accuracy": float("inf")},
        {"accuracy": 10**400},
        {"accuracy": {"value": 1}},
        {"": 1},
        {" a": 1},
        {"a" * 65: 1},
        {"<script>": 1},
        {f"m{n}": n for n in range(51)},
    ],
    ids=lambda metrics: str(metrics)[:30],
)
def test_what_is_no_figure_is_refused_with_a_sentence(metrics):
    """Nothing is kept of a decision whose figures cannot be."""
    world = World()
    record = world.keep(a_run(phase=Phase.AWAITING_PROMOTION))

    response = world.post(f"runs/{record.id}/approve", {"metrics": metrics})

    assert (response.status, read(response)["code"]) == (400, "bad-metrics")
    assert record.ref.control not in world.runs.blobs


def test_other_words_take_no_figures():
    """Figures belong to a decision."""
    world = World()
    record = world.keep(a_run())

    response = world.post(f"runs/{record.id}/cancel", {"metrics": METRICS})

    assert (response.status, read(response)["code"]) == (400, "unknown-key")


def test_page_shows_who_decided_on_which_figures():
    """The evidence of the decision stands on the run's page, inert."""
    world = World()
    word = Word(
        word="approve", at=NOW, by="<b>Ada</b>", about="promotion", metrics={"accuracy": 0.93}
    )
    record = world.keep(a_run(phase=Phase.AWAITING_PROMOTION), word)

    page = world.get(f"dashboard/runs/{record.id}").body.decode()

    assert "Approved: promotion" in page
    assert "<b>Ada</b>" not in page
    assert "accuracy" in page
    assert "0.93" in page


def test_promotion_after_the_end_is_cancelled_once_and_woken():
    """The run has ended; what was asked for since can be stopped."""
    world = World()
    record = world.keep(a_kept_model(promotion=world.promotion))

    first = world.post(f"runs/{record.id}/cancel", {"reason": "no more"})
    second = world.post(f"runs/{record.id}/cancel")

    [word] = json.loads(world.runs.blobs[record.ref.control])["words"]
    assert (first.status, second.status) == (202, 202)
    assert (word["word"], word["about"]) == ("cancel", "promotion")
    assert "shop-v1-aa:promotion-1:create_deployment:production" in first.wake

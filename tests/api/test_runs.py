"""Starting runs, listing them, and showing what they stored."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from droptune.domain.errors import WishRefusedError
from droptune.domain.phases import Phase
from droptune.domain.registration import Cause, Registration

from .world import NOW, URL, World, a_kept_model, a_run, read


def test_dataset_asked_for_starts_its_run():
    """A wish for a dataset answers 202 with where to look, and asks for the orchestration."""
    world = World()

    response = world.post("runs", {"dataset": "shop/v1"})

    assert response.status == 202
    assert response.headers["Location"] == f"{URL}/api/runs/shop-v1-new"
    assert response.headers["Retry-After"] == "5"
    assert read(response)["pageUrl"] == f"{URL}/api/dashboard/runs/shop-v1-new"
    assert response.start.name == "fine_tune_model"
    assert response.start.payload == {"project": "shop", "id": "shop-v1-new"}
    assert world.wishes[0].cause is Cause.REQUEST


@pytest.mark.parametrize("cause", ["retry", "again"])
def test_run_asked_for_anew_names_the_run_it_repeats(cause):
    """Retry and again name a run; its dataset is the one that is wanted."""
    world = World()
    world.keep(a_run())

    response = world.post("runs", {cause: "shop-v1-aa"})

    assert response.status == 202
    [wish] = world.wishes
    assert (str(wish.dataset), wish.cause, wish.repeats) == ("shop/v1", cause, "shop-v1-aa")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not-json"),
        (b"[" * 9_000, 400, "not-json"),
        (b"[]", 400, "not-an-object"),
        (b"{}", 400, "one-wish"),
        ({"dataset": "a/b", "retry": "c"}, 400, "one-wish"),
        ({"datset": "a/b"}, 400, "unknown-key"),
        ({"dataset": 5}, 400, "wrong-type"),
        ({"dataset": ""}, 400, "empty"),
        ({"dataset": "shop"}, 400, "bad-dataset"),
        ({"dataset": "../x"}, 404, "dataset-not-found"),
        ({"retry": "no-such"}, 404, "run-not-found"),
        ({"retry": "../../etc"}, 404, "run-not-found"),
        (b" " * 20_000, 413, "body-too-long"),
    ],
)
def test_wrong_wish_is_refused_with_a_remedy(body, status, code):
    """What is wrong with a body is said with code, cause and remedy; nothing is registered."""
    world = World()

    response = world.post("runs", body)

    problem = read(response)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status, problem["status"], problem["code"]) == (status, status, code)
    assert problem["detail"]
    assert problem["remedy"]
    assert world.wishes == []


@pytest.mark.parametrize(
    ("code", "status"), [("not-found", 404), ("waiting", 409), ("not-ended", 409), ("other", 422)]
)
def test_refused_registration_is_a_problem(code, status):
    """A registration without a run is answered by its code."""
    world = World()
    world.answer = Registration(run=None, started=False, code=code, message="Because.")

    response = world.post("runs", {"dataset": "shop/v1"})

    assert response.status == status
    assert read(response)["detail"] == "Because."
    assert response.start is None


def test_succeeded_run_asked_for_again_is_not_started():
    """The same drop after its run succeeded starts nothing and says so."""
    world = World()
    world.answer = replace(world.answer, started=False, code="already-succeeded")

    response = world.post("runs", {"dataset": "shop/v1"})

    assert (response.status, response.start) == (202, None)


def test_list_of_runs_is_paged_newest_first():
    """Each page says where the next one begins, and the last page says that it is the last."""
    world = World()
    for minute in range(4):
        world.keep(a_run(f"shop-v1-{minute}", created_at=NOW + timedelta(minutes=minute)))

    pages, after = [], ""
    while after is not None:
        page = read(world.get(f"runs?limit=2&after={after}"))
        pages.append([run["id"] for run in page["runs"]])
        after = page["next"]

    assert pages == [["shop-v1-3", "shop-v1-2"], ["shop-v1-1", "shop-v1-0"]]


def test_list_of_runs_is_filtered_by_project_and_phase():
    """A project whose name begins like another's is not taken for it."""
    world = World()
    world.keep(a_run("shop-v1-a"))
    world.keep(a_run("shop-v1-b", phase=Phase.TESTING))
    world.keep(a_run("shop-two-v1-c", project="shop-two"))

    response = world.get("runs?project=shop&phase=training")

    assert [run["id"] for run in read(response)["runs"]] == ["shop-v1-a"]


@pytest.mark.parametrize("query", ["limit=0", "limit=201", "limit=x", "phase=y", "after=../x"])
def test_wrong_query_is_refused(query):
    """A query that means nothing is a 400, never a guess."""
    assert World().get(f"runs?{query}").status == 400


def test_row_without_a_record_is_left_out():
    """A run whose record is not written yet is not listed."""
    world = World()
    record = world.keep(a_run())
    world.runs.delete(record.ref.record)

    assert read(world.get("runs"))["runs"] == []


def test_unchanged_status_answers_304():
    """The ETag ignores the sentence that ages, and follows everything else."""
    world = World()
    record = world.keep(a_run())
    etag = world.get("runs/shop-v1-aa").headers["ETag"]
    world.clock.at += timedelta(minutes=10)

    unchanged = world.get("runs/shop-v1-aa", if_none_match=f'W/"x", W/{etag}')
    world.keep(replace(record, tokens=5))
    changed = world.get("runs/shop-v1-aa", if_none_match=etag)

    assert (unchanged.status, unchanged.body) == (304, b"")
    assert changed.status == 200


@pytest.mark.parametrize("run_id", ["nobody", "A-B", "a%2Fb", "a.b", "x" * 101])
def test_id_that_names_no_run_is_not_found(run_id):
    """A hostile id is a 404 and never reaches the storage."""
    assert read(World().get(f"runs/{run_id}"))["code"] == "run-not-found"


@pytest.mark.parametrize(
    ("what", "name", "kind"),
    [
        ("report", "report.json", "application/json"),
        ("events", "events.jsonl", "application/jsonl"),
        ("metrics", "metrics.json", "application/json"),
    ],
)
def test_stored_document_is_shown_as_stored(what, name, kind):
    """Report, events and metrics are passed on byte by byte, and are a 404 until they exist."""
    world = World()
    record = world.keep(a_run())

    before = world.get(f"runs/{record.id}/{what}")
    world.runs.put(record.ref.folder + name, b'{"x": 1}\n')
    after = world.get(f"runs/{record.id}/{what}")

    assert (before.status, read(before)["code"]) == (404, "not-yet")
    assert (after.body, after.headers["Content-Type"]) == (b'{"x": 1}\n', kind)


def test_kept_model_is_handed_on_with_who_and_why():
    """The answer names the run; the promotion is an orchestration of its own."""
    world = World()
    world.keep(a_kept_model())

    body = {"by": "Ada", "reason": "better after all"}
    response = world.post("runs/shop-v1-aa/promote", body)

    assert (response.status, read(response)["code"]) == (202, "promoting")
    assert response.start.name == "promote_model"
    assert response.start.instance_id == "shop-v1-aa:promotion-1"
    assert world.promotions == [("shop-v1-aa", "Ada (holder of the key)", "better after all")]


def test_model_that_is_promoted_already_starts_nothing():
    """Asking twice is answered twice."""
    world = World()
    world.keep(a_kept_model())
    world.promotion = world.promotion.ended(at=NOW, message="Promoted: shop-1.", error=None)

    response = world.post("runs/shop-v1-aa/promote")

    assert (response.status, read(response)["code"]) == (202, "already-promoted")
    assert response.start is None


def test_promotion_that_cannot_be_is_refused_with_its_reason():
    """The refusal is a problem document with a remedy."""
    world = World()
    world.keep(a_kept_model())
    world.refusal = WishRefusedError("It is gone.", code="model-gone", remedy="Train anew.")

    response = world.post("runs/shop-v1-aa/promote")

    assert (response.status, read(response)["code"]) == (409, "model-gone")
    assert read(response)["remedy"] == "Train anew."

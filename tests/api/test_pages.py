"""Pages for people: guarded, inert, and with what is wrong first."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from droptune.api.messages import ApiRequest
from droptune.api.routes import dispatch
from droptune.domain.findings import Problem
from droptune.domain.phases import Phase
from droptune.domain.run import Word

from .world import NOW, URL, World, a_champion, a_kept_model, a_run, find_route

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>"
ID = "shop-v1-aa"


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def sign_in(world: World, key: str = "secret", target: str = "/api/dashboard"):
    return world.post("dashboard/session", form(key=key, next=target), origin=URL)


def test_page_shows_the_whole_run():
    """Message, findings, job, loss, smoke test and events are all on the page."""
    world = World()
    record = world.keep(
        a_run(
            job={"id": "ftjob-1", "status": "running"},
            test={"prompt": "Hello?", "answer": "Good day.", "latency_ms": 12},
        )
    )
    folder = record.ref.folder
    finding = {"rule": "r", "severity": "warning", "message": "Odd line", "line": 17, "file": "t"}
    world.runs.put(f"{folder}report.json", {"findings": [finding]})
    world.runs.put(f"{folder}metrics.json", [{"step": s, "train_loss": 2 / s} for s in (1, 2)])
    world.runs.put(
        f"{folder}events.jsonl",
        b'{"message": "Step 1", "created_at": "2026-05-04T11:00:00Z"}\nbroken\n',
    )

    html = world.get(f"dashboard/runs/{ID}").body.decode()

    for part in ("Training for 41 min", "line 17", "Odd line", "ftjob-1", "Good day.", "Step 1"):
        assert part in html
    assert '<noscript><meta http-equiv="refresh"' in html
    assert "<polyline" in html


def test_hostile_content_stays_text():
    """Nothing that a file, a service or a person wrote becomes markup."""
    world = World()
    record = world.keep(
        a_run(
            phase=Phase.REJECTED,
            message=HOSTILE,
            error=Problem(code="x", message=HOSTILE, remedy=HOSTILE),
            test={"prompt": HOSTILE, "answer": HOSTILE, "latency_ms": 1},
            dropped_by=HOSTILE,
        )
    )
    finding = {"severity": HOSTILE, "message": HOSTILE, "file": HOSTILE, "fix": HOSTILE}
    world.runs.put(f"{record.ref.folder}report.json", {"findings": [finding]})
    world.datasets.put(f"shop/{HOSTILE.replace('/', '')}.x", b"")

    for path in (f"dashboard/runs/{ID}", "dashboard"):
        html = world.get(path).body.decode()
        assert html.count("<script") == 1  # our own
        assert "<script>" not in html
        assert "<img" not in html


def test_policy_allows_nothing_but_own_files():
    """Nothing inline, nothing from elsewhere; every file that a page names is served."""
    world = World()
    response = world.get("dashboard")

    policy = response.headers["Content-Security-Policy"]
    files = re.findall('(?:src|href)="/api/(dashboard/assets/[^"]+)"', response.body.decode())
    served = [world.get(file) for file in files]

    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert len(files) == 3
    assert {answer.status for answer in served} == {200}
    assert all("immutable" in answer.headers["Cache-Control"] for answer in served)


@pytest.mark.parametrize("name", ["style.css", "../session.py", "style-000000000000.css"])
def test_file_that_is_not_an_asset_is_not_served(name):
    """Only the names that a page of this version holds exist."""
    route, _ = find_route("GET", "dashboard/assets/x")
    request = ApiRequest(method="GET", path="/api/x", url=URL, params={"name": name})

    response = dispatch(route, request, World().services)

    assert response.status == 404


def test_page_with_a_decision_offers_it_and_does_not_reload():
    """A reason that somebody types is not lost to a refresh."""
    world = World()
    world.keep(a_run(phase=Phase.AWAITING_APPROVAL))

    html = world.get(f"dashboard/runs/{ID}").body.decode()

    assert 'value="approve"' in html
    assert 'name="about" value="training"' in html
    assert 'http-equiv="refresh"' not in html


def test_list_links_runs_and_shows_what_did_not_start():
    """The first page leads to each run, and names what was dropped in vain."""
    world = World()
    world.keep(a_run())
    world.datasets.put("shop/v2/notes.txt", b"x")

    html = world.get("dashboard").body.decode()

    assert f'href="/api/dashboard/runs/{ID}"' in html
    assert "Waiting for training.jsonl." in html


def test_decision_on_the_page_is_recorded_with_the_principal():
    """A form is a POST that records who decided, wakes the run and leads back to its page."""
    world = World()
    record = world.keep(a_run(phase=Phase.AWAITING_APPROVAL))
    body = form(word="approve", about="training", reason="fine")

    response = world.ask(
        "POST", f"dashboard/runs/{ID}", body=body, headers={"origin": URL}, principal="ann@x"
    )

    assert (response.status, response.headers["Location"]) == (303, f"/api/dashboard/runs/{ID}")
    assert response.wake
    decision = world.control(record).decision("training")
    assert (decision.word, decision.by, decision.reason) == ("approve", "ann@x", "fine")


@pytest.mark.parametrize("headers", [{}, {"origin": "null"}, {"origin": "http://127.0.0.1:81"}])
def test_form_of_another_site_decides_nothing(headers):
    """Without the app's own Origin a form is refused."""
    world = World()
    record = world.keep(a_run())

    response = world.post(f"dashboard/runs/{ID}", form(word="cancel"), **headers)

    assert response.status == 403
    assert world.control(record).words == ()


def test_loopback_names_are_one_place():
    """A page opened as localhost may post to 127.0.0.1, on the same port only."""
    world = World()
    world.keep(a_run())

    headers = {"origin": "http://localhost:7071"}
    response = world.post(f"dashboard/runs/{ID}", form(word="cancel"), **headers)

    assert response.status == 303


@pytest.mark.parametrize("path", ["dashboard", f"dashboard/runs/{ID}"])
def test_guarded_page_asks_to_sign_in(path):
    """Where a key guards the app, a page without a session shows only the form."""
    world = World(app_key="secret")
    world.keep(a_run())

    response = world.get(path)

    assert response.status == 401
    assert f'name="next" value="/api/{path}"'.encode() in response.body
    assert b"Training" not in response.body


def test_key_buys_a_cookie_that_opens_the_pages_until_it_expires():
    """The cookie is HttpOnly and SameSite=Strict, does not hold the key, and ends."""
    world = World(app_key="secret")
    signed_in = sign_in(world)
    header = signed_in.headers["Set-Cookie"]
    cookie = header.split(";")[0]

    now = world.get("dashboard", cookie=cookie)
    world.clock.at += timedelta(hours=13)
    later = world.get("dashboard", cookie=cookie)

    assert (signed_in.status, signed_in.headers["Location"]) == (303, "/api/dashboard")
    assert "HttpOnly" in header
    assert "SameSite=Strict" in header
    assert "secret" not in header
    assert (now.status, later.status) == (200, 401)


def test_wrong_key_buys_nothing():
    """A wrong key shows the form again."""
    response = sign_in(World(app_key="secret"), key="guess")

    assert response.status == 401
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize(
    "cookie",
    [
        "droptune_session=x",
        f"droptune_session=99999999999.{'0' * 64}",
        f"droptune_session=9.{'0' * 64}",
        "\x00;;=",
    ],
)
def test_forged_cookie_opens_nothing(cookie):
    """Only the app can sign a cookie."""
    assert World(app_key="secret").get("dashboard", cookie=cookie).status == 401


def test_way_back_leads_only_to_own_pages():
    """The form's `next` cannot send anybody elsewhere."""
    response = sign_in(World(app_key="secret"), target="https://evil.example/")

    assert response.headers["Location"] == "/api/dashboard"


def test_principal_that_entra_vouches_for_needs_no_cookie():
    """App Service Authentication opens the pages without a key."""
    response = World(app_key="secret").ask("GET", "dashboard", principal="ann@example.com")

    assert response.status == 200


def test_missing_run_is_a_page_that_says_so():
    """People get their problems as pages."""
    response = World().get("dashboard/runs/nobody")

    assert response.status == 404
    assert response.headers["Content-Type"].startswith("text/html")
    assert b"There is no run" in response.body


def test_key_is_needed_where_the_network_reaches():
    """Without a key and without Entra, pages open at the machine itself and nowhere else."""
    world = World()
    route, _ = find_route("GET", "dashboard")
    request = ApiRequest(method="GET", path="/api/dashboard", url="https://droptune.example")

    response = dispatch(route, request, world.services)

    assert response.status == 403
    assert b"pages-closed" in response.body


def test_sign_out_gives_the_cookie_back():
    """A form of our own page ends the session; no other site can."""
    world = World(app_key="secret")

    done = world.post("dashboard/session/end", b"", origin=URL)
    foreign = world.post("dashboard/session/end", b"", origin="https://evil.example")

    assert (done.status, done.headers["Location"]) == (303, "/api/dashboard")
    assert "Max-Age=0" in done.headers["Set-Cookie"]
    assert foreign.status == 403


@pytest.mark.parametrize("path", ["dashboard", f"dashboard/runs/{ID}", "dashboard/projects/shop"])
def test_unchanged_page_is_not_made_again(path):
    """The ETag that a page carries answers 304 until something that it shows changes."""
    world = World()
    record = world.keep(a_run())
    first = world.get(path)
    etag = first.headers["ETag"]

    same = world.get(path, if_none_match=etag)
    world.runs.put(record.ref.record, a_run(phase=Phase.DEPLOYING).to_payload())
    changed = world.get(path, if_none_match=etag)

    assert (same.status, same.body) == (304, b"")
    assert changed.status == 200
    assert changed.headers["ETag"] != etag
    assert re.search('data-etag="([^"]+)"', first.body.decode())[1] == etag.replace('"', "&#34;")


@pytest.mark.parametrize("word", ["retry", "again"])
def test_repetition_asked_for_on_the_page_leads_to_the_new_run(word):
    """Start again and train anew register a run in the person's name and show its page."""
    world = World()
    world.keep(a_run(phase=Phase.FAILED))

    response = world.post(f"dashboard/runs/{ID}", form(word=word), origin=URL)

    assert response.status == 303
    assert response.headers["Location"] == "/api/dashboard/runs/shop-v1-new"
    assert response.start.instance_id == "shop-v1-new"
    assert [(wish.cause.value, wish.repeats) for wish in world.wishes] == [(word, ID)]


def test_promotion_asked_for_on_the_page_is_started():
    """What was trained and not promoted can be promoted from its page, with the reason given."""
    world = World()
    world.keep(a_kept_model())
    said = form(word="promote", reason="better after all")

    response = world.post(f"dashboard/runs/{ID}", said, origin=URL)

    assert response.status == 303
    assert response.start.name == "promote_model"
    assert world.promotions == [(ID, "holder of the key", "better after all")]


def test_second_question_about_the_training_is_put_though_the_first_was_answered():
    """More epochs than were approved: an earlier yes is no answer."""
    world = World()
    record = a_run(phase=Phase.AWAITING_APPROVAL, entered_at=NOW - timedelta(hours=2))
    record = record.entered(Phase.TRAINING, at=NOW - timedelta(hours=1))
    record = record.asking(Phase.AWAITING_APPROVAL, at=NOW - timedelta(minutes=1))
    early = Word(word="approve", at=NOW - timedelta(hours=2), by="Ada", about="training")
    world.keep(record, early)

    page = world.get(f"dashboard/runs/{ID}").body.decode()

    assert "Your decision" in page


def test_answers_side_by_side_are_shown_inert():
    """Candidate, champion, base model and the data's own answer stand beside each other."""
    world = World()
    record = world.keep(a_run(phase=Phase.AWAITING_PROMOTION, test={"prompt": "?", "answer": "!"}))
    said = {"candidate": HOSTILE, "champion": "The champion's words."}
    exchange = {"line": 1, "prompt": "Which tea?", "expected": "Green.", "answers": said}
    comparison = {"role": "test", "exchanges": [exchange | {"missing": {"base": "not-found"}}]}
    world.runs.put(f"{record.ref.folder}answers.json", comparison)

    page = world.get(f"dashboard/runs/{ID}").body.decode()

    assert "Which tea?" in page
    assert "The champion&#39;s words." in page
    assert "Green." in page
    assert "No answer: <code>not-found</code>" in page
    assert "<script>alert(1)" not in page
    assert world.get(f"runs/{ID}/answers").status == 200


def test_page_of_a_promotion_under_way_moves_and_says_what_is_done():
    """The run has ended, and the page goes on looking."""
    world = World()
    world.keep(a_kept_model(promotion=replace(world.promotion, message="Deploying the model.")))

    page = world.get(f"dashboard/runs/{ID}").body.decode()

    assert "Being promoted, as Ada asked: Deploying the model." in page
    assert 'data-poll="3"' in page
    assert "Cancel the promotion" in page


def test_rollback_on_the_page_of_a_project_changes_the_champion():
    """The form says who and why; without a previous champion it says that there is none."""
    world = World()
    body = form(word="rollback", reason="worse answers")

    refused = world.post("dashboard/projects/shop", body, origin=URL)
    world.rolled_back = a_champion()
    done = world.post("dashboard/projects/shop", body, origin=URL)

    assert refused.status == 409
    assert (done.status, done.headers["Location"]) == (303, "/api/dashboard/projects/shop")


def test_dataset_that_was_only_seen_can_be_started_from_the_dashboard():
    """A form names the dataset; the run's page follows."""
    world = World()

    response = world.post("dashboard/runs", form(dataset="shop/v1"), origin=URL)

    assert response.headers["Location"] == "/api/dashboard/runs/shop-v1-new"
    assert str(world.wishes[0].dataset) == "shop/v1"


def test_word_that_nobody_can_say_is_refused_with_those_that_can_be_said():
    """A form with another word is a page with status 400."""
    world = World()
    world.keep(a_run())

    response = world.post(f"dashboard/runs/{ID}", form(word="explode"), origin=URL)

    assert response.status == 400
    assert b"approve" in response.body


def test_stored_documents_are_served_inert():
    """The report may bring a style and nothing that runs; everything else is a download."""
    world = World()
    record = world.keep(a_run())
    for name in ("report.html", "results.csv"):
        world.runs.put(record.ref.folder + name, b"<script>alert(1)</script>")

    report = world.get(f"dashboard/runs/{ID}/files/report.html")
    results = world.get(f"dashboard/runs/{ID}/files/results.csv")
    record_itself = world.get(f"dashboard/runs/{ID}/files/run.json")

    assert "sandbox" in report.headers["Content-Security-Policy"]
    assert "script-src" not in report.headers["Content-Security-Policy"]
    assert results.headers["Content-Disposition"].startswith("attachment")
    assert record_itself.status == 404


def test_stored_document_is_not_shown_without_a_session():
    """Reports hold samples of the data; they are guarded as the pages are."""
    world = World(app_key="secret")
    record = world.keep(a_run())
    world.runs.put(f"{record.ref.folder}report.html", b"sample")

    response = world.get(f"dashboard/runs/{ID}/files/report.html")

    assert response.status == 401
    assert b"sample" not in response.body


def test_entra_is_offered_where_app_service_signs_people_in():
    """The link leads back to the page that was asked; without a key there is no form for one."""
    world = World()
    world.services = replace(
        world.services, sign_in_path="/.auth/login/aad", app_url="https://droptune.example"
    )

    response = world.get("dashboard")

    html = response.body.decode()
    assert response.status == 401
    assert "/.auth/login/aad?post_login_redirect_uri=%2Fapi%2Fdashboard" in html
    assert 'name="key"' not in html

"""Pages for people: guarded, inert, and with what is wrong first."""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from droptune.api.pages.run_view import losses
from droptune.domain.findings import Problem
from droptune.domain.phases import Phase

from .world import URL, World, a_run

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
    world.runs.put(f"{folder}events.jsonl", b'{"message": "Step 1"}\nbroken\n')

    html = world.get(f"dashboard/runs/{ID}").body.decode()

    for part in ("Training for 41 min", "line 17", "Odd line", "ftjob-1", "Good day.", "Step 1"):
        assert part in html
    assert 'http-equiv="refresh"' in html
    assert "<polyline" in html
    assert "<script" not in html


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
        assert "<script" not in html
        assert "<img" not in html


def test_policy_allows_nothing_but_the_own_style():
    """The policy names the hash of the style that is on the page, and no script at all."""
    response = World().get("dashboard")

    style = re.search(r"<style>(.*?)</style>", response.body.decode(), re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = response.headers["Content-Security-Policy"]
    assert f"style-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "script-src" not in policy


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


@pytest.mark.parametrize("metrics", [None, 5, [], {"x": 1}, [1], {"metrics": "x"}])
def test_metrics_of_another_shape_show_nothing(metrics):
    """What is not a list of steps is left out, never a failure."""
    assert losses(metrics)["rows"] == []


def test_long_table_of_losses_is_thinned():
    """A long training fits on the page, and its curve has every step."""
    shown = losses([{"step": n, "train_loss": 1.0} for n in range(1, 1001)])

    assert len(shown["rows"]) == 50
    assert shown["curve"].count(",") == 1000

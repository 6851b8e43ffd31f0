"""Every door asks for its key, bounds what it is handed, and reads no name that leads elsewhere."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.security.doors import KEY, App, Door, doors

# These answer anybody: health, the pages' looks, and the doors that take or give back the cookie.
OPEN = {"get_health", "get_asset", "open_session", "close_session"}
DOORS = [pytest.param(door, id=str(door)) for door in doors()]
KEYED = [pytest.param(door, id=str(door)) for door in doors() if not door.is_anonymous]
GUARDED = [
    pytest.param(door, id=str(door))
    for door in doors()
    if door.is_anonymous and door.name not in OPEN
]
POSTS = [pytest.param(door, id=str(door)) for door in doors() if door.method == "POST"]
WITH_NAMES = [
    pytest.param(door, name, id=f"{door} {name}") for door in doors() for name in door.parameters
]
HOSTILE = (
    "%2e%2e", "%2E%2E%2F%2E%2E", "..%2f..%2fregistry", "..%5c..", "%252e%252e%252f",
    "a%2f..%2f..%2fb", "x%00", "x%0a", "x%0d%0aSet-Cookie:%20a=b", "x%09", "x%1b[31m", "%7f",
    "%c0%ae%c0%ae", "%ff%fe", "%e2%80%ae", "%ef%bc%8e%ef%bc%8e", "_index", "_ids", "_rejected",
    ".git", "*", "x%3f", "x%23", "x%20y", "%20", "a" * 300, "%27%20OR%201=1", "<script>",
    "%7b%7b7*7%7d%7d", "${jndi:x}", "x;y", "x:y", "x%7cy",
)  # fmt: skip
CLEAN = re.compile(r"[A-Za-z0-9._/-]*")


@pytest.fixture(scope="module")
def app() -> App:
    return App()


@pytest.fixture
def asked(app: App) -> list[str]:
    app.client.cookies.clear()
    app.asked.clear()
    return app.asked


def test_only_health_and_pages_have_no_function_key() -> None:
    """A new route wants a key unless it is a page, and a page guards itself."""
    anonymous = {door for door in doors() if door.is_anonymous}

    assert {door.path for door in anonymous if not door.path.startswith("dashboard")} == {"health"}
    assert {door.name for door in anonymous} >= OPEN
    assert len(doors()) >= 25


@pytest.mark.parametrize("door", KEYED)
@pytest.mark.parametrize("key", [None, "", "wrong", f"{KEY} ", KEY[:-1]])
def test_route_answers_nobody_without_the_right_key(
    app: App, asked: list[str], door: Door, key: str | None
) -> None:
    """Nothing is read before the key was seen."""
    headers = {} if key is None else {"x-functions-key": key}

    answer = app.client.request(door.method, door.url(), headers=headers)

    assert (answer.status_code, answer.content) == (401, b"")
    assert asked == []


@pytest.mark.parametrize("door", KEYED)
def test_route_answers_who_has_the_key(app: App, door: Door) -> None:
    """So that the test above means something."""
    answer = app.ask(door, door.url())

    assert answer.status_code not in (401, 500)


@pytest.mark.parametrize("door", GUARDED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cookie": "droptune_session=99999999999." + "0" * 64},
        {"Cookie": "droptune_session=x"},
        {"X-MS-CLIENT-PRINCIPAL-NAME": "ann@example.com"},
        {"x-functions-key": "wrong"},
    ],
    ids=["nothing", "forged cookie", "broken cookie", "name in a header", "wrong key"],
)
def test_page_shows_nothing_to_who_bought_no_cookie(
    app: App, asked: list[str], door: Door, headers: dict[str, str]
) -> None:
    """It asks to sign in and reads nothing; a name that anybody may send signs nobody in."""
    answer = app.client.request(door.method, door.url(), headers=headers)

    assert answer.status_code == 401
    assert asked == []


@pytest.mark.parametrize(("door", "parameter"), WITH_NAMES)
def test_name_in_a_path_leads_nowhere_else(
    app: App, asked: list[str], door: Door, parameter: str
) -> None:
    """Traversal, control characters and our own folders are refused with a sentence, never read."""
    app.sign_in()
    answers = {}

    for hostile in HOSTILE:
        answer = app.ask(door, door.url(**{parameter: hostile}))
        answers[hostile] = (answer.status_code, answer.headers.get("set-cookie"))

    assert {status for status, _ in answers.values()} <= {400, 401, 404, 405, 307}
    assert not [cookie for _, cookie in answers.values() if cookie and "a=b" in cookie]
    assert not [name for name in asked if not CLEAN.fullmatch(name)]
    assert not [name for name in asked if ".." in name.split("/")]


@pytest.mark.parametrize("key", ["dataset", "retry", "again"])
@pytest.mark.parametrize(
    "name",
    ["../v1", "a/..", "../../registry/x", "a/b\x00", "a/b\n", "_index/x", ".git/x", "a/b/c", "/",
     "", "\u202ea/b", "a" * 5000 + "/v", "a\\b/v", "..", "%2e%2e/v"],
)  # fmt: skip
def test_name_in_a_wish_leads_nowhere_else(app: App, asked: list[str], key: str, name: str) -> None:
    """Neither does one in a body."""
    answer = app.client.post("/api/runs", json={key: name}, headers={"x-functions-key": KEY})

    assert answer.status_code in (400, 404, 409, 422)
    assert answer.json()["detail"]
    assert not [each for each in asked if not CLEAN.fullmatch(each) or ".." in each.split("/")]


@pytest.mark.parametrize(
    "query",
    ["project=..", "project=a%00b", "project=a/b", "after=../x", "after=%0a", "phase=../x",
     "limit=1e9", "limit=-1", "limit=%D9%A1", "text=%00", "nonsense=1"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["runs", "datasets", "dashboard"])
def test_query_leads_nowhere_else(app: App, asked: list[str], path: str, query: str) -> None:
    """Nor one in a query; what is not known is refused, or for people ignored."""
    app.sign_in()

    answer = app.client.get(f"/api/{path}?{query}", headers={"x-functions-key": KEY})

    assert answer.status_code in (200, 400)
    assert not [name for name in asked if ".." in name.split("/") or "\x00" in name]


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
def test_body_without_end_is_refused(app: App, door: Door, kind: str) -> None:
    """413 with the limit, before anything of it is understood or done."""
    app.sign_in()
    before = app.world.registry.names() + app.world.runs.names()
    body = json.dumps({"reason": "x" * 2_000_000}).encode()

    answer = app.ask(door, door.url(), content=body, headers={"content-type": kind})

    expected = {404, 413} if door.parameters else {413}
    assert answer.status_code in expected | ({303} if door.name == "close_session" else set())
    assert app.world.registry.names() + app.world.runs.names() == before


@pytest.mark.parametrize("door", POSTS)
@pytest.mark.parametrize(
    "body",
    [b"[" * 15_000, b"{" * 15_000, b'{"reason": "\xff"}', b"\x00", b"null", b'{"a": 1e999}',
     b'{"reason": {"$ref": "#"}}', b"reason=%00&word=cancel", b'"\\ud800"'],
    ids=["deep list", "deep object", "not UTF-8", "NUL", "null", "huge number", "object for text",
         "form", "half a surrogate"],
)  # fmt: skip
def test_body_of_any_shape_is_answered_with_a_reason(app: App, door: Door, body: bytes) -> None:
    """Never a stack trace, never a 500."""
    app.sign_in()

    answer = app.ask(door, door.url(), content=body)

    assert answer.status_code < 500
    assert b"Traceback" not in answer.content


@pytest.mark.parametrize("door", DOORS)
def test_every_answer_says_what_it_is(app: App, door: Door) -> None:
    """No browser guesses a type, and no other site's page may read an answer."""
    answer: Any = app.ask(door, door.url())

    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in answer.headers

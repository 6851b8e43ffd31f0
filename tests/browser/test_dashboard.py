"""The dashboard: what needs a person, how to find a run, and how to get in and out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from playwright.sync_api import expect

from droptune.domain.phases import Phase
from tests.api.world import NOW, World

from .conftest import let_it_look
from .stories import ID, a_failure, a_story, a_success, champions, keep_documents

KEY = "a-function-key-of-the-app"


def a_busy_world(*, app_key: str | None = None) -> World:
    """Return a world with two projects, runs at every stage, and drops that led nowhere."""
    world = World(app_key=app_key)
    for number, phase in enumerate((Phase.TRAINING, Phase.AWAITING_APPROVAL, Phase.QUEUED)):
        begun = NOW - timedelta(minutes=5 * number + 2)
        world.keep(a_story(phase, run_id=f"shop-v{number + 3}-4f1c09a{number}", created_at=begun))
    promoted = world.keep(replace(a_success(), created_at=NOW - timedelta(hours=3)))
    keep_documents(world, promoted, last_step=450)
    rejected = replace(a_failure(), id="docs-v1-12345678", project="docs", version="v1")
    world.keep(replace(rejected, created_at=NOW - timedelta(hours=30)))
    old = replace(promoted, id="shop-v1-3b12cd34", created_at=NOW - timedelta(days=20))
    world.keep(replace(old, version="v1"))
    champions(world, old.id, ID)
    world.datasets.put("docs/v2/trainin.jsonl", b"x")
    world.datasets.put("my project/v1/a.jsonl", b"x")
    world.runs.put(f"_undelivered/{rejected.id}:1:rejected/0123456789ab", b"")
    return world


def test_dashboard_shows_what_needs_a_person_and_every_project(serve, open_page):
    """Approvals first, then champion, spend and budget of each project, then what led nowhere."""
    page = open_page(serve(a_busy_world()).url)

    expect(page.locator("#needs")).to_contain_text("1 run needs you")
    shop = page.locator("#projects article", has_text="shop").last
    expect(shop).to_contain_text("shop-1ab12cd34ef5")
    expect(shop).to_contain_text("$12.39 and up to $18.60 under way")
    expect(shop).to_contain_text("$50 a run")
    expect(page.locator("#datasets")).to_contain_text("Is 'trainin.jsonl' meant?")
    expect(page.locator("#datasets")).to_contain_text("'my project' cannot name a project")


def test_filters_stand_in_the_address(serve, open_page):
    """A search can be sent to somebody else: project, phase and text are in the URL."""
    page = open_page(serve(a_busy_world()).url)

    page.get_by_label("Phase").select_option("open")
    page.get_by_label("Text").fill("v4")
    page.get_by_role("button", name="Show").click()

    assert urlsplit(page.url).query == "project=&phase=open&text=v4"
    expect(page.locator("#runs tbody tr")).to_have_count(1)
    expect(page.get_by_label("Text")).to_have_value("v4")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("#runs tbody tr")).to_have_count(6)


def test_pages_of_runs_stay_where_they_are_when_new_runs_come(serve, open_page):
    """The cursor is a run: what was on page two is on page two, however many came meanwhile."""
    world = World()
    for number in range(40):
        at = NOW - timedelta(minutes=number)
        world.keep(a_story(Phase.QUEUED, run_id=f"shop-n{number:02}-aa", created_at=at))
    page = open_page(serve(world).url)

    world.keep(a_story(Phase.QUEUED, run_id="shop-new-aa", created_at=NOW + timedelta(minutes=1)))
    page.get_by_role("link", name="Older").click()

    expect(page.locator("#runs tbody tr")).to_have_count(15)
    expect(page.locator("#runs tbody a").first).to_have_text("shop-n25-aa")


def test_new_run_appears_by_itself(serve, open_page):
    """Nobody has to load the page again."""
    world = World()
    page = open_page(serve(world).url)
    expect(page.get_by_text("Nothing was dropped yet.")).to_be_visible()

    world.keep(a_story(Phase.VALIDATING))
    page.clock.fast_forward(30_000)

    expect(page.locator("#runs")).to_contain_text(ID)


def test_key_buys_a_session_and_never_stands_in_an_address(serve, open_page, watched):
    """Sign in, come to the page that was asked for, sign out; script cannot read the cookie."""
    served = serve(a_busy_world(app_key=KEY))
    page = open_page(f"{served.url}/runs/{ID}")

    page.get_by_label("Key of the app").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("This is not the app's key.")
    page.get_by_label("Key of the app").fill(KEY)
    page.get_by_role("button", name="Sign in").click()

    expect(page.locator("h1")).to_have_text(ID)
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Key of the app")).to_be_visible()
    assert not any(KEY in url for url in watched.requests)


def test_page_whose_session_ended_says_so(serve, open_page):
    """An open page does not pretend to be live when it is signed out."""
    world = a_busy_world(app_key=KEY)
    page = open_page(f"{serve(world).url}/runs/shop-v3-4f1c09a0")
    page.get_by_label("Key of the app").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("h1")).to_have_text("shop-v3-4f1c09a0")

    world.clock.at += timedelta(hours=13)
    let_it_look(page)

    expect(page.locator("#away")).to_contain_text("You are signed out")
    page.locator("#away").get_by_role("link", name="Sign in").click()
    expect(page.get_by_label("Key of the app")).to_be_visible()


def test_every_link_leads_somewhere_and_carries_no_key(serve, open_page):
    """From the dashboard on, all pages that links lead to are there, and links change nothing."""
    world = a_busy_world(app_key=KEY)
    page = open_page(serve(world).url)
    page.get_by_label("Key of the app").fill(KEY)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/api/dashboard")
    before = {name: dict(store.blobs) for name, store in stores(world)}

    seen: set[str] = set()
    waiting = [page.url]
    while waiting:
        url = waiting.pop()
        answer = page.request.get(url)
        seen.add(url)
        assert answer.status == 200, url
        assert KEY not in url
        assert "code=" not in url
        if "/files/" in url:
            continue
        page.goto(url)
        links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.href.split('#')[0])")
        waiting += [link for link in links if link not in seen and link not in waiting]

    assert len(seen) > 10
    assert {name: dict(store.blobs) for name, store in stores(world)} == before


def stores(world: World):
    """Return the containers of a world by name."""
    return (("datasets", world.datasets), ("runs", world.runs), ("registry", world.registry))


def test_rollback_is_offered_where_there_is_a_way_back(serve, open_page):
    """The page of a project shows who was champion, and says what a rollback does."""
    page = open_page(f"{serve(a_busy_world()).url}/projects/shop")

    page.locator("#do-rollback-button").click()

    expect(page.locator("#says-rollback")).to_contain_text("becomes the champion again")
    expect(page.locator("#history tbody tr")).to_have_count(2)

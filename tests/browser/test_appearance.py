"""Pages are accessible, light, inert whatever a dataset says, and fit every screen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import expect

from droptune.domain.findings import Problem
from droptune.domain.phases import Outcome, Phase
from tests.api.world import NOW, World

from .stories import (
    ERROR,
    ID,
    WARNING,
    a_failure,
    a_story,
    a_success,
    champions,
    keep_documents,
    keep_notifications,
)
from .test_dashboard import KEY, a_busy_world

SIZES = {"desktop": (1280, 800), "tablet": (820, 1180), "phone": (360, 740)}
BYTES_OF_A_FIRST_VIEW = 100_000
PAGES = ("dashboard", "project", "training", "approval", "promotion", "rejected", "success", "key")
HOSTILE = (
    "<script>window.hurt=1</script><img src=x onerror=window.hurt=1>"
    "<a href='javascript:window.hurt=1'>go</a>\"'>{{ 7*7 }}\u202etxt.exe\u2066" + "W" * 400
)


def world_of(name: str) -> tuple[World, str]:
    """Return the world that a page shows, and the page's path below the dashboard."""
    if name in ("dashboard", "project", "key"):
        return a_busy_world(app_key=KEY if name == "key" else None), (
            "/projects/shop" if name == "project" else ""
        )
    world = World()
    made = {
        "training": (a_story(Phase.TRAINING), 260, (WARNING,)),
        "approval": (a_story(Phase.AWAITING_APPROVAL, approval_reasons=("Over budget.",)), 0, ()),
        "promotion": (a_story(Phase.AWAITING_PROMOTION), 450, (WARNING,)),
        "rejected": (a_failure(), 0, (ERROR, WARNING)),
        "success": (a_success(), 450, ()),
    }
    record, last_step, findings = made[name]
    keep_documents(world, world.keep(record), last_step=last_step, findings=findings)
    keep_notifications(world, record)
    champions(world, "shop-v0-x", record.id if name == "success" else "shop-v1-y")
    return world, f"/runs/{ID}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_accessibility_violation(serve, open_page, name, scheme):
    """Checked by axe with everything opened, WCAG AA contrast among it, light and dark."""
    world, path = world_of(name)
    page = open_page(f"{serve(world).url}{path}", color_scheme=scheme)
    page.eval_on_selector_all("details", "all => all.forEach(each => each.open = true)")

    found = Axe().run(page)["violations"]

    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


BROKEN_WORDS = """() => {
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const broken = [], range = document.createRange();
  while (texts.nextNode()) {
    range.selectNodeContents(texts.currentNode);
    const word = texts.currentNode.data.trim();
    if (/^[A-Za-z]{3,10}$/.test(word) && range.getClientRects().length > 1) broken.push(word);
  }
  return broken;
}"""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", ["dashboard", "project"])
def test_short_words_stand_on_one_line(serve, open_page, name, size):
    """ "promoted" is never "promot" and "ed", however narrow its column may be."""
    world, path = world_of(name)
    width, height = SIZES[size]
    page = open_page(f"{serve(world).url}{path}", viewport={"width": width, "height": height})

    assert page.evaluate(BROKEN_WORDS) == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_page_fits_the_screen(serve, open_page, tmp_path_factory, name, size):
    """Nothing has to be scrolled sideways; a picture of each page is kept with the output."""
    world, path = world_of(name)
    width, height = SIZES[size]
    page = open_page(f"{serve(world).url}{path}", viewport={"width": width, "height": height})

    picture = Path(tmp_path_factory.getbasetemp()) / f"{name}-{size}.png"
    page.screenshot(path=picture, full_page=True)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert picture.stat().st_size > 5_000


@pytest.mark.parametrize("name", PAGES)
def test_first_view_is_light_and_wholly_our_own(serve, open_page, watched, name):
    """Page, style, script and icon together; nothing else is loaded."""
    world, path = world_of(name)
    page = open_page("about:blank")
    sizes: dict[str, int] = {}
    page.on("response", lambda answer: sizes.setdefault(answer.url, len(answer.body())))

    page.goto(f"{serve(world).url}{path}", wait_until="networkidle")

    assert sum(sizes.values()) < BYTES_OF_A_FIRST_VIEW
    assert 3 <= len(sizes) <= 4


def a_hostile_world() -> World:
    """Return a world in which everything that others wrote is an attack."""
    world = World()
    problem = Problem(code="x", message=HOSTILE, remedy=HOSTILE)
    record = replace(
        a_story(Phase.TESTING),
        dropped_by=HOSTILE,
        message=HOSTILE,
        test={"prompt": HOSTILE, "answer": HOSTILE, "base_answer": HOSTILE, "latency_ms": 1},
        deployment={"name": HOSTILE, "sku": HOSTILE, "state": HOSTILE, "endpoint": HOSTILE},
        configuration={"model": HOSTILE, HOSTILE: HOSTILE, "origins": {"model": HOSTILE}},
    )
    ended = record.ended(Phase.FAILED, Outcome.NONE, at=NOW, message=HOSTILE, error=problem)
    world.keep(ended)
    finding = ERROR | {"message": HOSTILE, "file": HOSTILE, "path": HOSTILE, "fix": HOSTILE}
    keep_documents(world, ended, last_step=260, findings=(finding | {"severity": HOSTILE}, finding))
    world.runs.put(f"{ended.ref.folder}report.html", HOSTILE.encode())
    world.datasets.put(f"shop/v9/{HOSTILE.replace('/', '')}.jsonl", b"x")
    world.datasets.put(f"{HOSTILE.replace('/', '')}.txt", b"x")
    return world


@pytest.mark.parametrize("path", ["", f"/runs/{ID}"])
def test_hostile_content_does_nothing(serve, open_page, path):
    """Script, handlers, addresses, templates, overrides of direction and endless words are text."""
    page = open_page(
        f"{serve(a_hostile_world()).url}{path}", viewport={"width": 360, "height": 740}
    )
    page.wait_for_load_state("networkidle")

    assert page.evaluate("window.hurt") is None
    assert page.locator("main img, main a[href^=javascript], main script").count() == 0
    assert "\u202e" not in page.content()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(page.locator("main")).to_contain_text("window.hurt=1")
    expect(page.locator("main")).to_contain_text("{{ 7*7 }}")


def test_stored_report_runs_nothing_even_if_it_holds_script(serve, new_context):
    """Its policy is a sandbox: whatever got into a stored report stays dead."""
    page = new_context().new_page()

    page.goto(f"{serve(a_hostile_world()).url}/runs/{ID}/files/report.html")
    page.wait_for_load_state("networkidle")

    assert page.evaluate("window.hurt") is None
    assert page.locator("img").count() == 1

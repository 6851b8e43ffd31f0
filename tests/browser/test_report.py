"""The report as a page: accessible, printable, for every screen, inert whatever the data says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from droptune.api.pages.report_page import render_report
from droptune.cli.given import sort_given
from droptune.cli.validation_report import report_on
from droptune.domain.payload import Payload
from tests.api.world import World

from .stories import ID, a_story, keep_documents

ROOT = Path(__file__).parents[2]
REPORTS = ("accepted", "rejected", "hostile", "empty", "everything")
HOSTILE = (
    "</pre></script><script>window.hurt=1</script><img src=x onerror=window.hurt=1>"
    "<svg onload=window.hurt=1><a href='javascript:window.hurt=1'>go</a>\"'>{{ 7*7 }}"
    "</style><style>body{display:none}</style>\u202etxt.exe\u2066\x00" + "W" * 400
)
JOB = """\
model: gpt-4.1-mini
pipeline:
  budget: {run_usd: 0.001, hosting_usd_month: 10}
  deploy: {production: {sku: Standard, capacity: 1}}
"""


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Payload]:
    """Makes reports, each once."""
    place = tmp_path_factory.mktemp("reports")
    return cache(lambda name: report_named(name, place / name))


def report_named(name: str, place: Path) -> Payload:
    """Return a report by what it is to show."""
    place.mkdir()
    if name == "accepted":
        return read(ROOT / "samples" / "support-bot")
    if name == "rejected":
        return read(ROOT / "samples" / "broken")
    if name == "empty":
        (place / "training.jsonl").write_text("\n")
        return read(place)
    (place / "training.jsonl").write_text("".join(map(hostile_line, range(60))))
    (place / "fine-tune-job.yaml").write_text(JOB)
    if name == "hostile":
        return read(place)
    report = read(place, earlier=ROOT / "samples" / "support-bot")
    fixed = {"name": f"{HOSTILE}.jsonl", "says": "nothing to correct; 1 of 1 lines kept"}
    return report | {"fixed": {"folder": HOSTILE, "files": [fixed], "left_out": [HOSTILE]}}


def read(place: Path, earlier: Path | None = None) -> Payload:
    """Return the report on a folder, samples in it."""
    return report_on(sort_given([place]), earlier=earlier, with_samples=True)


def hostile_line(number: int) -> str:
    """Return a line that attacks with its texts, names and keys."""
    long = " word" * 70_000 if number == 7 else ""
    messages = [
        {"role": HOSTILE if number % 2 else "user", "content": f"{number} {HOSTILE}{long}"},
        {"role": "assistant", "content": HOSTILE},
    ]
    line = json.dumps({"messages": messages, HOSTILE: number})
    return f"{line}\n"


@pytest.fixture
def show(
    make: Callable[[str], Payload], tmp_path: Path, new_context: Callable[..., BrowserContext]
) -> Iterator[Callable[..., Page]]:
    """Opens a report as a file of this machine; fails if anything ran, loaded or went wrong."""
    wrong: list[str] = []

    def opened(name: str, *, guarded: bool = True, **options: object) -> Page:
        html = render_report(make(name))
        if not guarded:
            html = html.replace("Content-Security-Policy", "X-No-Policy")
        file = tmp_path / f"{name}.html"
        file.write_text(html, encoding="utf-8")
        page = new_context(**options).new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.on("request", lambda request: wrong.append(request.url))
        page.goto(file.as_uri())
        wrong.remove(file.as_uri())
        return page

    yield opened
    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1100, 360])
@pytest.mark.parametrize("name", REPORTS)
def test_report_has_no_accessibility_violation(show, name, width, scheme):
    """Checked by axe, contrast among it, in both colour schemes and on a phone."""
    page = show(name, color_scheme=scheme, viewport={"width": width, "height": 800})

    found = Axe().run(page)["violations"]

    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []


@pytest.mark.parametrize("guarded", [True, False])
@pytest.mark.parametrize("name", ["hostile", "everything"])
def test_nothing_that_the_data_says_can_run(show, name, guarded):
    """Not even where the page's own policy is taken away: all of it is text."""
    page = show(name, guarded=guarded)

    assert page.evaluate("window.hurt") is None
    assert page.locator("script, img, iframe, object, embed, link, form, a").count() == 0
    assert page.locator("style").count() == 1
    attributes = "e => [...e.attributes].some(a => /^on|^src|href/i.test(a.name))"
    assert not page.evaluate(f"[...document.querySelectorAll('*')].some({attributes})")
    assert "<script>window.hurt=1</script>" in page.inner_text("main")


def test_report_is_whole_without_script(show):
    """Verdict first, then what to mend, figures, price, and what cannot be known."""
    page = show("rejected", java_script_enabled=False)

    heads = page.locator("h1, h2").all_inner_texts()

    assert heads[0].startswith("Rejected: 1 error")
    assert [head.split(" ")[0] for head in heads[1:]] == ["Errors", "Tokens", "What", "What"]
    assert "line 17" in page.inner_text("article.group")


@pytest.mark.parametrize("width", [320, 768, 1100])
@pytest.mark.parametrize("name", REPORTS)
def test_report_fits_every_screen(show, name, width):
    """Nothing makes the page wider than the screen."""
    page = show(name, viewport={"width": width, "height": 800})

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_report_prints_all_of_it_dark_on_light(show):
    """On paper nothing hides behind a scroll bar, and a dark screen makes no dark paper."""
    page = show("everything", color_scheme="dark", viewport={"width": 700, "height": 900})
    page.emulate_media(media="print", color_scheme="dark")

    cut = "[...document.querySelectorAll('pre')].filter(e => e.scrollHeight > e.clientHeight + 1)"

    assert page.evaluate(f"{cut}.length") == 0
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf().startswith(b"%PDF")


def test_app_serves_the_report_as_it_is(serve, new_context, make):
    """Under the app's own policy the page keeps its style, and still nothing runs."""
    world = World()
    record = a_story()
    keep_documents(world, world.keep(record))
    html = render_report(make("hostile")).encode()
    world.runs.put(f"{record.ref.folder}report.html", html)
    page = new_context().new_page()

    page.goto(f"{serve(world).url}/runs/{ID}/files/report.html")

    assert page.locator("h1").inner_text().startswith("Rejected")
    colour = page.locator(".verdict").evaluate("e => getComputedStyle(e).borderLeftWidth")
    assert colour == "5px"

"""A headless browser whose pages must stay free of errors, and a served world to look at."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.api.world import World

from .serving import ServedWorld, serving

# What the browser itself logs when a test takes the server away or is refused on purpose.
_EXPECTED = ("Failed to load resource",)


class Watched:
    """What went wrong on any page of a test: errors, violations, requests to elsewhere."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.errors: list[str] = []
        self.requests: list[str] = []

    def watch(self, page: Page) -> Page:
        """Gather what happens on a page."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._hear(message.type, message.text))
        page.on("dialog", lambda dialog: self.errors.append(f"dialog {dialog.message}"))
        page.on("request", lambda request: self.requests.append(request.url))
        return page

    def _hear(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(_EXPECTED):
            self.errors.append(text)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window."""
    found = (
        os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    )
    if found is None:
        pytest.skip("Chromium is not installed: apt-get install chromium, or name it in CHROMIUM")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    """Fails the test that let anything go wrong on a page, or load from elsewhere."""
    watched = Watched()
    yield watched
    assert watched.errors == []
    assert [url for url in watched.requests if not url.startswith("http://127.0.0.1:")] == []


@pytest.fixture
def serve() -> Iterator[Callable[[World], ServedWorld]]:
    """Serves worlds until the test ends."""
    with ExitStack() as stack:
        yield lambda world: stack.enter_context(serving(world))


@pytest.fixture
def new_context(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Opens contexts, each a browser of its own with its own cookies and size."""
    with ExitStack() as stack:

        def opened(**options: Any) -> BrowserContext:
            context = browser.new_context(**options)
            stack.callback(context.close)
            return context

        yield opened


@pytest.fixture
def open_page(new_context: Callable[..., BrowserContext], watched: Watched) -> Callable[..., Page]:
    """Opens an address in a browser whose time a test can move."""

    def opened(url: str, **options: Any) -> Page:
        page = watched.watch(new_context(**options).new_page())
        page.clock.install()
        page.goto(url)
        return page

    return opened


def let_it_look(page: Page) -> None:
    """Let the page's own time pass until it has asked the server again."""
    page.clock.fast_forward(20_000)

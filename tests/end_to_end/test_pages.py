"""Runs followed in a real browser on a real installation, by looking at the page alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.end_to_end.browser import clean_page
from tests.end_to_end.line import Line, an_example, write_dataset

LONGEST_MS = 60_000
_AWAY = ("Failed to load resource",)  # what the browser logs while the server is killed


@pytest.fixture
def page() -> Iterator[Page]:
    """A page whose console must stay free of errors."""
    with clean_page(*_AWAY) as page:
        yield page


def expect_phase(page: Page, phase: str) -> None:
    """Wait until the page itself says that its run is in a phase."""
    expect(page.locator("#head .chip").first).to_have_text(phase, timeout=LONGEST_MS)


def test_run_is_followed_to_success_through_a_killed_host(
    line: Line, page: Page, tmp_path: Path
) -> None:
    """The open page shows the champion although the host was killed under it."""
    folder = write_dataset(tmp_path / "seen", [an_example(n) for n in range(25)])
    run = line.drop(folder, project="seen")

    page.goto(run["links"]["page"])
    page.evaluate("window.stillHere = true")
    line.app.kill_host()
    line.app.start_host()
    expect_phase(page, "succeeded")

    expect(page.locator("main")).to_contain_text("Promoted")
    assert page.evaluate("window.stillHere") is True


def test_bad_data_shows_the_line_that_is_wrong(line: Line, page: Page, tmp_path: Path) -> None:
    """A wrong role in line 17 is named first on the page of the rejected run."""
    examples = [an_example(n) for n in range(25)]
    examples[16]["messages"][2]["role"] = "bot"
    run = line.drop(write_dataset(tmp_path / "wrong", examples), project="wrong")

    page.goto(run["links"]["page"])

    expect_phase(page, "rejected")
    expect(page.locator("#error")).to_contain_text("line 17")

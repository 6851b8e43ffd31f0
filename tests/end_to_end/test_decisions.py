"""What a person decides, decided in a real browser on a real installation by the page alone.

A picture of each question, and of what came of it, is kept with the tests' output.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from droptune.cli.app_client import Document
from droptune.cli.follow import has_ended
from tests.end_to_end.browser import clean_page
from tests.end_to_end.line import JOB_FILE, Line, an_example, write_dataset

LONGEST_MS = 60_000
Picture = Callable[[str], Path]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """A page whose console must stay free of errors, open from one test to the next."""
    with clean_page() as page:
        yield page


@pytest.fixture
def picture(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Picture:
    """Keeps what the page shows now."""

    def keep(name: str) -> Path:
        path = tmp_path_factory.getbasetemp() / f"decision-{name}.png"
        page.screenshot(path=path, full_page=True)
        return path

    return keep


def write_version(folder: Path, numbers: range, *, held_out: int = 0, **approval: str) -> Path:
    """Write a dataset whose approvals are as given, some of its examples held out."""
    job_file = JOB_FILE + f"  approval: {json.dumps(approval)}\n"
    write_dataset(folder, [an_example(number) for number in numbers], job_file=job_file)
    if held_out:
        lines = [json.dumps(an_example(1000 + number)) + "\n" for number in range(held_out)]
        (folder / "test.jsonl").write_text("".join(lines))
    return folder


def expect_phase(page: Page, phase: str | re.Pattern[str]) -> None:
    """Wait until the page itself says that its run is in a phase."""
    expect(page.locator("#head .chip").first).to_have_text(phase, timeout=LONGEST_MS)


def decide(page: Page, label: str, reason: str) -> None:
    """Say why, and press the button."""
    form = page.locator("form", has=page.get_by_role("button", name=label, exact=True))
    form.get_by_label("Reason").fill(reason)
    form.get_by_role("button", name=label, exact=True).click()


def jobs_of(line: Line, run: Document) -> list[Document]:
    """Return the jobs that a run's training has led to."""
    return line.jobs_of(line.client.get("runs", str(run["id"])))


def test_training_and_promotion_are_approved_on_the_page(
    line: Line, page: Page, picture: Picture, tmp_path: Path
) -> None:
    """Each question stands with its evidence and its price; a click and a reason answer it."""
    first = write_version(tmp_path / "v1", range(25))
    line.follow(line.drop(first, project="asked")["id"])
    folder = write_version(
        tmp_path / "v2", range(25, 60), held_out=4, training="always", promotion="always"
    )
    run = line.drop(folder, project="asked", version="v2")

    page.goto(run["links"]["page"])
    expect_phase(page, "awaiting approval")
    assert jobs_of(line, run) == []
    picture("training-asked")
    decide(page, "Approve the training", "within this month's budget")

    expect_phase(page, "awaiting promotion")
    answers = page.locator("#answers .exchange")
    expect(answers).to_have_count(4)
    expect(answers.first).to_contain_text("Which number comes after 1000?")
    expect(answers.first).to_contain_text("Present champion")
    expect(answers.first.locator(".answer pre")).to_have_count(3)
    expect(answers.first).to_contain_text("Aye, captain: 1001 it is!")
    picture("promotion-asked")
    decide(page, "Approve the promotion", "better on what was held out")

    expect_phase(page, "succeeded")
    expect(page.locator("#head")).to_contain_text("champion")
    expect(page.locator("#story")).to_contain_text("better on what was held out")
    picture("promoted")
    champion = line.client.get("projects", "asked", "champion")
    assert champion["run_id"] == run["id"]
    assert champion["reason"] == "better on what was held out"
    assert len(jobs_of(line, run)) == 1


def test_promotion_that_was_rejected_is_promoted_later_on_the_page(
    line: Line, page: Page, picture: Picture, tmp_path: Path
) -> None:
    """The model is kept when somebody says no; days later the same page puts it to use."""
    folder = write_version(tmp_path / "kept", range(25), promotion="always")
    run = line.drop(folder, project="later")

    page.goto(run["links"]["page"])
    expect_phase(page, "awaiting promotion")
    decide(page, "Reject the promotion", "not before the holidays")
    expect_phase(page, "succeeded")
    expect(page.locator("#head")).to_contain_text("not promoted")
    status = line.client.get("runs", str(run["id"]))
    assert status["outcome"] == "not_promoted"
    picture("not-promoted")

    page.locator("#do-promote-button").click()
    decide(page, "Promote", "the holidays are over")
    expect(page.locator("#head .message")).to_contain_text("Promoted later", timeout=LONGEST_MS)
    picture("promoted-later")

    ended = line.wait_for(lambda: line.client.get("runs", str(run["id"])), until=has_ended)
    champion = line.client.get("projects", "later", "champion")
    again = line.client.post("runs", str(run["id"]), "promote", body={})
    assert ended["outcome"] == "promoted"
    assert ended["promotion"]["reason"] == "the holidays are over"
    assert champion["run_id"] == run["id"]
    assert again["code"] == "already-promoted"
    assert len(jobs_of(line, run)) == 1


def test_training_run_is_cancelled_on_the_page(
    line: Line, page: Page, picture: Picture, tmp_path: Path
) -> None:
    """A click ends the run and its job; the page says who and why, and that it may begin again."""
    line.change_service(training_seconds=100_000, training_cap_seconds=100_000)
    folder = write_version(tmp_path / "stopped", range(40))
    run = line.drop(folder, project="stopped")

    page.goto(run["links"]["page"])
    expect_phase(page, "training")
    page.locator("#do-cancel-button").click()
    picture("cancel-asked")
    decide(page, "Cancel the run", "the wrong file")
    expect_phase(page, "cancelled")

    expect(page.locator("#story")).to_contain_text("the wrong file")
    expect(page.locator("#decide")).to_contain_text("Start again")
    picture("cancelled")
    [job] = jobs_of(line, run)
    assert job["status"] == "cancelled"

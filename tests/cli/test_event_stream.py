"""Following the events of a run's job."""

from __future__ import annotations

import json

import pytest

from droptune.cli.app_client import AppClient
from droptune.cli.event_stream import follow_events
from droptune.cli.main import main
from tests.cli.canned_app import CannedApp, a_status

RUN = "bot-v1-0a1b2c3d"
STATUS, EVENTS = f"GET /api/runs/{RUN}", f"GET /api/runs/{RUN}/events"
JOB = {"id": "ftjob-1", "status": "running"}


def a_line(number: int) -> str:
    """Return an event as it is stored."""
    return json.dumps({"created_at": "2026-11-24T08:05:00Z", "message": f"Step {number}"}) + "\n"


def tell(app: CannedApp, *phases: str) -> None:
    """Let the app tell of phases, one a look, each with one more event from the second on."""
    for number, phase in enumerate(phases):
        job = JOB if number else None
        app.answer(STATUS, a_status(phase, job=job, updated_at=str(number)))
        if job:
            app.answer(EVENTS, "".join(map(a_line, range(number))))


def followed(app: CannedApp) -> tuple[list[str], str]:
    """Follow the run to its end; return the lines shown, and the phase in which it ended."""
    said: list[str] = []
    client = AppClient(app.url)
    ended = follow_events(client, RUN, every=5, show=said.append, sleep=lambda seconds: None)
    return said, str(ended["phase"])


def test_each_event_is_shown_once_as_it_is_stored(app: CannedApp) -> None:
    """What a look finds is shown at that look, the last events with the end."""
    tell(app, "queued", "training", "failed")

    assert followed(app) == ([a_line(0).strip(), a_line(1).strip()], "failed")


def test_events_are_asked_for_only_when_the_run_has_news(app: CannedApp) -> None:
    """A look at a record that has not changed reads no events."""
    for phase in ("training", "training", "succeeded"):
        app.answer(STATUS, a_status(phase, job=JOB, updated_at="the same"))
    app.answer(EVENTS, a_line(0))

    followed(app)

    assert [asked.path for asked in app.asked].count(EVENTS.partition(" ")[2]) == 1


@pytest.mark.parametrize(("end", "code"), [("succeeded", 0), ("failed", 1)])
@pytest.mark.parametrize("option", ["--follow", "-f"])
def test_run_that_has_ended_shows_its_events_and_decides_the_code(
    app: CannedApp, end: str, code: int, option: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Piped, nothing is said but the events."""
    tell(app, "queued", end)
    app.answers[STATUS].pop(0)

    assert main(["events", RUN, option, "--app", app.url]) == code
    assert capsys.readouterr().out == "24 Nov 2026, 08:05:00 UTC  Step 0\n"


def test_events_as_json_are_one_object_a_line(
    app: CannedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program reads what the route answers."""
    tell(app, "queued", "succeeded")
    app.answers[STATUS].pop(0)

    main(["events", RUN, "--follow", "--json", "--app", app.url])

    assert capsys.readouterr().out == a_line(0)


def test_run_without_a_job_is_followed_without_events(
    app: CannedApp, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rejected run never had any; that is no error of its own."""
    app.answer(STATUS, a_status("rejected"))

    assert main(["events", RUN, "-f", "--app", app.url]) == 1
    assert capsys.readouterr().out == ""
    assert [asked.path for asked in app.asked] == [STATUS.partition(" ")[2]]

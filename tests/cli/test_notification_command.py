"""The command that shows what others were told of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from droptune.cli.main import main
from tests.cli.canned_app import CannedApp

RUN = "bot-v1-0a1b2c3d"
ROUTE = f"/api/runs/{RUN}/notifications"


def a_notification(**fields: Any) -> dict[str, Any]:
    """Return one that was taken."""
    return {
        "id": f"{RUN}:1:training",
        "event": "run.submitted",
        "target": "NOTIFY_TEAM",
        "state": "delivered",
        "attempts": 1,
        "answer": "2xx",
        "next_at": None,
        "tried_at": "2026-11-24T08:05:00Z",
    } | fields


def test_each_notification_is_a_line(app: CannedApp, capsys) -> None:
    """What was taken says when; what was not says how often it was tried and what is next."""
    waiting = a_notification(
        state="waiting", attempts=3, answer="5xx", next_at="2026-11-24T09:00:00Z"
    )
    given_up = a_notification(state="undelivered", attempts=12, answer="none")
    app.answer(f"GET {ROUTE}", {"notifications": [a_notification(), waiting, given_up]})

    code = main(["notifications", RUN, "--app", app.url])

    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert said == [
        "delivered run.submitted NOTIFY_TEAM 24 Nov 2026, 08:05:00 UTC",
        "waiting run.submitted NOTIFY_TEAM 3 attempts, the last: 5xx, "
        "next 24 Nov 2026, 09:00:00 UTC",
        "undelivered run.submitted NOTIFY_TEAM 12 attempts, the last: no answer",
    ]


def test_run_that_tells_nobody_says_how_to_tell(app: CannedApp, capsys) -> None:
    """An empty list is a sentence."""
    app.answer(f"GET {ROUTE}", {"notifications": []})

    main(["notifications", RUN, "--app", app.url])

    assert "`notify` in fine-tune-job.yaml" in capsys.readouterr().out


def test_replay_is_posted_and_says_how_many(app: CannedApp, capsys) -> None:
    """One is one notification."""
    told = {"replayed": 1, "notifications": [a_notification(state="waiting", answer="")]}
    app.answer(f"POST {ROUTE}/replay", told, 202)

    code = main(["notifications", RUN, "--replay", "--app", app.url])

    assert code == 0
    assert "1 notification will be tried again" in capsys.readouterr().out
    assert [(each.method, each.path) for each in app.asked] == [("POST", f"{ROUTE}/replay")]


@pytest.mark.parametrize("option", [[], ["--replay"]])
def test_json_is_what_the_route_answers(app: CannedApp, option: list[str], capsys) -> None:
    """Alone on stdout."""
    told = {"notifications": [a_notification()]}
    app.answer(f"GET {ROUTE}", told)
    app.answer(f"POST {ROUTE}/replay", told, 202)

    main(["notifications", RUN, *option, "--json", "--app", app.url])

    assert json.loads(capsys.readouterr().out) == told

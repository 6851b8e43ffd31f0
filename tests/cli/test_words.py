"""Decisions with figures, and promotions that are asked for after a run's end."""

from __future__ import annotations

import pytest

from droptune.cli.follow import has_ended
from droptune.cli.main import main
from tests.cli.canned_app import CannedApp, a_status
from tests.cli.test_run_commands import RUN

BEGUN = {"id": RUN, "statusUrl": "http://s", "pageUrl": "http://p", "message": "Being promoted."}


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_figures_go_with_the_decision(app: CannedApp, word: str) -> None:
    """Each --metric is a figure of the evaluation that decides."""
    app.answer(f"POST /api/runs/{RUN}/{word}", a_status(), 202)

    code = main([word, RUN, "--metric", "accuracy=0.93", "--metric", "a=b=2e3", "--app", app.url])

    assert code == 0
    assert app.asked[0].body == {"reason": "", "metrics": {"accuracy": 0.93, "a=b": 2000.0}}


@pytest.mark.parametrize("given", ["accuracy", "accuracy=good", "=0.9", "accuracy=nan"])
def test_what_is_no_figure_is_wrong_usage(app: CannedApp, given: str, capsys) -> None:
    """The app is not asked."""
    code = main(["approve", RUN, "--metric", given, "--app", app.url])

    assert code == 2
    assert "not NAME=FIGURE" in capsys.readouterr().err
    assert app.asked == []


def test_show_says_who_decided_on_which_figures(app: CannedApp, capsys) -> None:
    """One line a decision."""
    decision = {
        "about": "promotion",
        "approved": True,
        "by": "nightly-eval",
        "at": "2026-11-24T10:00:00Z",
        "reason": "better",
        "metrics": {"accuracy": 0.93},
    }
    app.answer(f"GET /api/runs/{RUN}", a_status(decisions=[decision]))

    main(["show", RUN, "--app", app.url])

    assert "nightly-eval approved the promotion; better; accuracy 0.93" in capsys.readouterr().out


@pytest.mark.parametrize(("state", "code"), [("promoted", 0), ("not_promoted", 1)])
def test_promotion_is_waited_for_to_its_own_end(app: CannedApp, state: str, code: int) -> None:
    """The run has ended long ago; what was asked for decides the exit code."""
    app.answer(f"POST /api/runs/{RUN}/promote", BEGUN, 202)
    app.answer(f"GET /api/runs/{RUN}", a_status("succeeded", promotion={"state": state}))

    asked = main(["promote", RUN, "--reason", "after all", "--wait", "--app", app.url])

    assert asked == code
    assert app.asked[0].body == {"reason": "after all"}


def test_run_whose_promotion_is_under_way_is_followed_on() -> None:
    """The phase is terminal, and what was asked for since has not come to its end."""
    under_way = a_status("succeeded", promotion={"state": "under_way", "message": "Deploying."})
    ended = a_status("succeeded", promotion={"state": "promoted", "message": "Promoted."})

    assert [has_ended(status) for status in (under_way, ended)] == [False, True]

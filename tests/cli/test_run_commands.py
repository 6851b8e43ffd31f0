"""Commands about runs: what is asked, what is printed, how the program ends."""

from __future__ import annotations

import json

import pytest

from droptune.cli.main import main
from droptune.cli.targets import find_target
from tests.cli.canned_app import CannedApp, a_status

RUN = "bot-v1-0a1b2c3d"
PROBLEM = {"detail": "There is no run 'x'.", "remedy": "GET /api/runs lists them.", "code": "no"}


def test_runs_as_json_are_what_the_route_answers(app: CannedApp, capsys) -> None:
    """--json prints the route's document alone on stdout."""
    page = {"runs": [a_status()], "next": None}
    app.answer("GET /api/runs", page)

    code = main(["runs", "--project", "bot", "--json", "--app", app.url])

    assert code == 0
    assert json.loads(capsys.readouterr().out) == page
    assert app.asked[0].path == "/api/runs?project=bot&limit=20"


def test_runs_for_people_are_a_line_each(app: CannedApp, capsys) -> None:
    """Every run is one line with its phase and its sentence, without colours off a terminal."""
    app.answer("GET /api/runs", {"runs": [a_status(), a_status("failed")], "next": None})

    main(["runs", "--app", app.url])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[RUN, "training"], [RUN, "failed"]]
    assert "\x1b" not in "".join(lines)


def test_status_for_people_says_what_helps(app: CannedApp, capsys) -> None:
    """An error is shown with its sentence and its remedy; showing it is no error."""
    error = {"code": "training-data", "message": "line 3 is bad", "remedy": "Mend line 3."}
    app.answer(f"GET /api/runs/{RUN}", a_status("rejected", error=error))

    code = main(["show", RUN, "--app", app.url])

    said = capsys.readouterr().out
    assert code == 0
    assert "line 3 is bad" in said
    assert "Mend line 3." in said


@pytest.mark.parametrize(
    ("phase", "code"),
    [("succeeded", 0), ("rejected", 1), ("failed", 1), ("cancelled", 1), ("superseded", 1)],
)
def test_following_ends_as_the_run_ends(app: CannedApp, phase: str, code: int, capsys) -> None:
    """show --follow exits 0 for a success and 1 for every other end."""
    app.answer(f"GET /api/runs/{RUN}", a_status(phase))

    assert main(["show", RUN, "--follow", "--json", "--app", app.url]) == code
    assert json.loads(capsys.readouterr().out)["phase"] == phase


@pytest.mark.parametrize("word", ["cancel", "pause", "resume", "approve", "reject"])
def test_a_word_is_posted_with_its_reason(app: CannedApp, word: str) -> None:
    """A person's word goes to its route with the reason."""
    app.answer(f"POST /api/runs/{RUN}/{word}", a_status(), 202)

    code = main([word, RUN, "--reason", "too dear", "--app", app.url])

    assert code == 0
    assert app.asked[0].body == {"reason": "too dear"}


@pytest.mark.parametrize("wish", ["retry", "again"])
def test_a_wish_names_the_run_that_it_repeats(app: CannedApp, wish: str, capsys) -> None:
    """retry and again post their wish and show the run that it leads to."""
    begun = {
        "id": "bot-v1-2",
        "statusUrl": "http://s",
        "pageUrl": "http://p",
        "message": "Started.",
    }
    app.answer("POST /api/runs", begun, 202)

    code = main([wish, RUN, "--app", app.url])

    assert code == 0
    assert app.asked[0].body == {wish: RUN}
    assert "bot-v1-2" in capsys.readouterr().out


def test_rollback_names_the_champion(app: CannedApp, capsys) -> None:
    """rollback shows the deployment that callers get now."""
    app.answer("POST /api/projects/bot/rollback", {"deployment": "bot-1"}, 202)

    code = main(["rollback", "bot", "--app", app.url])

    assert code == 0
    assert "bot-1" in capsys.readouterr().out


def test_a_no_of_the_app_is_a_sentence_and_1(app: CannedApp, capsys) -> None:
    """A problem document becomes cause and remedy on stderr; nothing is on stdout."""
    app.answer("GET /api/runs/x", PROBLEM, 404)

    code = main(["show", "x", "--app", app.url])

    printed = capsys.readouterr()
    assert code == 1
    assert printed.out == ""
    assert PROBLEM["detail"] in printed.err
    assert PROBLEM["remedy"] in printed.err


def test_a_no_as_json_is_the_problem_document(app: CannedApp, capsys) -> None:
    """With --json a refusal is the route's own document on stdout."""
    app.answer("GET /api/runs/x", PROBLEM, 404)

    code = main(["show", "x", "--json", "--app", app.url])

    assert code == 1
    assert json.loads(capsys.readouterr().out) == PROBLEM


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_an_app_that_cannot_answer_is_3(app: CannedApp, status: int) -> None:
    """A key that is refused and a failing server mean: not reached."""
    app.answer("GET /api/runs", {}, status)

    assert main(["runs", "--app", app.url]) == 3


def test_no_local_app_is_3_and_says_how_to_start_one(tmp_path, capsys) -> None:
    """Without an app the sentence names the command that starts one."""
    code = main(["runs", "--state", str(tmp_path)])

    assert code == 3
    assert "droptune up" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["show"],
        ["runs", "--limit", "none"],
        ["runs", "--app", "ftp://somewhere"],
        ["runs", "--app", "http://a", "--state", "b"],
        ["submit", "no/such/folder", "--app", "http://127.0.0.1:9"],
        ["validate", "no-such-file.jsonl"],
    ],
)
def test_wrong_usage_is_2(arguments: list[str]) -> None:
    """What cannot be meant ends with 2, before anything is asked of an app."""
    assert main(arguments) == 2


def test_key_travels_in_a_header(app: CannedApp) -> None:
    """DROPTUNE_APP and DROPTUNE_KEY name an app and open it; no URL carries the key."""
    environ = {"DROPTUNE_APP": app.url, "DROPTUNE_KEY": "open sesame"}
    app.answer("GET /api/runs", {"runs": [], "next": None})

    find_target(None, None, environ).client.get("runs")

    assert app.asked[0].key == "open sesame"
    assert "sesame" not in app.asked[0].path

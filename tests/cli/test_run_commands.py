"""Commands about runs: what is asked, what is printed, how the program ends."""

from __future__ import annotations

import json

import pytest

from droptune.cli.main import main
from droptune.cli.open_command import has_screen
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


def test_run_that_waits_for_a_person_says_what_to_type(app: CannedApp, capsys) -> None:
    """Where a decision is wanted, the commands stand beside the question."""
    links = {"self": "http://s", "page": "http://p", "approve": "http://a"}
    app.answer(f"GET /api/runs/{RUN}", a_status("awaiting_approval", links=links))

    main(["show", RUN, "--app", app.url])

    said = capsys.readouterr().out
    assert f"droptune approve {RUN}, or droptune reject {RUN} --reason TEXT" in said


def test_what_there_is_one_of_is_not_in_the_plural(app: CannedApp, capsys) -> None:
    """One example, one token, one error and one warning are said as people say them."""
    findings = {"error": 1, "warning": 1}
    one = {"digest": "d" * 64, "examples": 1, "tokens": 1, "findings": findings}
    app.answer(f"GET /api/runs/{RUN}", a_status("rejected", dataset=one))

    main(["show", RUN, "--app", app.url])

    assert ": 1 example, 1 token, 1 error, 1 warning\n" in capsys.readouterr().out


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


def test_rollback_that_deploys_again_first_says_so(app: CannedApp, capsys) -> None:
    """The champion stays until the previous one answers."""
    shown = {"deployment": "bot-2", "returning": {"deployment": "bot-1-1"}}
    app.answer("POST /api/projects/bot/rollback", shown, 202)

    code = main(["rollback", "bot", "--app", app.url])

    assert code == 0
    assert "the champion is bot-2 until bot-1-1 answers" in " ".join(
        capsys.readouterr().out.split()
    )


def test_project_shows_its_champion_and_those_before(app: CannedApp, capsys) -> None:
    """The present champion is not listed again among those before it."""
    since = "2026-11-24T08:05:00.123456Z"
    champion = {"deployment": "bot-2", "since": since, "run_id": "r2", "model": "m2"}
    before = {"deployment": "bot-1", "since": "2026-01-01T00:00:00Z", "run_id": "r1"}
    shown = {"project": "bot", "champion": champion, "history": [champion, before], "runs": []}
    app.answer("GET /api/projects/bot", shown | {"spend": {"spent": 1.5, "estimated": 0}})

    code = main(["projects", "bot", "--app", app.url])

    said = capsys.readouterr().out
    assert code == 0
    assert said.count("bot-2") == 1
    assert "bot-2 since 24 Nov 2026, 08:05:00 UTC, by run r2" in said
    assert "bot-1 since 1 Jan 2026, 00:00:00 UTC, by run r1" in said
    assert "$1.50" in said


def test_projects_are_a_line_each(app: CannedApp, capsys) -> None:
    """A project without a champion says so."""
    app.answer("GET /api/projects", {"projects": [{"project": "bot", "champion": None}]})

    main(["projects", "--app", app.url])

    assert capsys.readouterr().out.split() == ["bot", "no", "champion"]


def test_refused_paths_are_listed_with_what_helps(app: CannedApp, capsys) -> None:
    """What was dropped at the wrong place is shown by its path, with cause and remedy."""
    refused = {"path": "x/y.jsonl", "state": "rejected", "message": "Beside.", "remedy": "Move it."}
    app.answer("GET /api/datasets", {"datasets": [refused]})

    code = main(["datasets", "--app", app.url])

    said = capsys.readouterr().out
    assert code == 0
    assert all(word in said for word in ("x/y.jsonl", "Beside.", "Move it."))


EVENTS = """\
{"created_at": "2026-11-24T08:05:00Z", "level": "info", "message": "Job started."}
{"message": "On."}
"""


@pytest.mark.parametrize("option", [[], ["--json"]])
def test_events_are_a_line_each(app: CannedApp, option: list[str], capsys) -> None:
    """With --json they are exactly what the route answers, one object a line."""
    app.answer(f"GET /api/runs/{RUN}/events", EVENTS)

    code = main(["events", RUN, "--app", app.url, *option])

    said = capsys.readouterr().out
    assert code == 0
    first = "24 Nov 2026, 08:05:00 UTC  Job started."
    assert said == EVENTS if option else said.splitlines()[0] == first


def test_report_names_file_line_and_repair(app: CannedApp, capsys) -> None:
    """A stored report is read like one of validate; what hostile data wrote stays inert."""
    finding = {
        "rule": "role",
        "severity": "error",
        "file": "training.jsonl",
        "line": 17,
        "message": "messages[1].role: \x1b[2J is not a role",
        "fix": "Write assistant.",
    }
    file = {"name": "training.jsonl", "examples": 60, "tokens": {"total": {"sum": 3000}}}
    report = {"verdict": "reject", "files": [file], "findings": [finding], "cost": None}
    app.answer(f"GET /api/runs/{RUN}/report", report)

    code = main(["report", RUN, "--app", app.url])

    said = capsys.readouterr().out
    assert code == 0
    assert "line 17: messages[1].role" in said
    assert "Write assistant." in said
    assert "\x1b" not in said


@pytest.mark.parametrize(
    ("arguments", "url"),
    [([], "/api/dashboard"), ([RUN], "http://app/api/dashboard/runs/x")],
)
def test_open_prints_an_address(app: CannedApp, arguments: list[str], url: str, capsys) -> None:
    """The page of a run, or of everything, is printed; off a terminal no browser is started."""
    app.answer(f"GET /api/runs/{RUN}", a_status())

    code = main(["open", *arguments, "--app", app.url])

    assert code == 0
    assert capsys.readouterr().out.strip().endswith(url)


@pytest.mark.parametrize(
    ("environ", "platform", "seen"),
    [
        ({}, "linux", False),
        ({"DISPLAY": ":0"}, "linux", True),
        ({}, "darwin", True),
        ({"DISPLAY": ":0", "SSH_CONNECTION": "a b"}, "linux", False),
    ],
)
def test_browser_is_opened_only_where_it_is_seen(
    environ: dict[str, str], platform: str, seen: bool
) -> None:
    """A machine without a screen, or one far away, opens nothing."""
    assert has_screen(environ, platform) is seen


def test_page_of_runs_says_where_the_next_begins(app: CannedApp, capsys) -> None:
    """A list that is cut says how to go on."""
    app.answer("GET /api/runs", {"runs": [a_status()], "next": "row-9"})

    main(["runs", "--app", app.url])

    assert "--after row-9" in capsys.readouterr().out


def test_app_that_is_not_reached_is_a_document_with_json(tmp_path, capsys) -> None:
    """--json never leaves stdout empty: what the app did not say is said in the same words."""
    code = main(["runs", "--state", str(tmp_path), "--json"])

    document = json.loads(capsys.readouterr().out)
    assert code == 3
    assert document["code"] == "not-reached"
    assert "droptune up" in document["remedy"]


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

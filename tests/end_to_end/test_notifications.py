"""What others are told of a run, from a whole installation over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from droptune.cli.app_client import AppClient, Document
from droptune.cli.installation import find_installation
from droptune.cli.local_app import EMULATOR_KEY, ROOT, LocalApp
from droptune.cli.main import main
from tests.end_to_end.conftest import FAST, has_azurite
from tests.end_to_end.hook import SECRET, Arrived, Hook, hook
from tests.end_to_end.line import JOB_FILE, Line, an_example, write_dataset

pytestmark = pytest.mark.skipif(not has_azurite(), reason="Azurite is not set up; see AZURITE")
EVENTS = ["validated", "submitted", "trained", "promoted"]
CARDS = """\
  notify:
    - {url_setting: NOTIFY_LOCAL, format: teams, events: ["run.promoted"]}
    - {url_setting: NOTIFY_LOCAL, format: slack, events: ["run.promoted"]}
"""
CANARY = "canary-c0ffee"


@pytest.fixture(scope="module")
def receiver() -> Iterator[Hook]:
    """Where the installation's notifications arrive."""
    with hook() as listening:
        yield listening


@pytest.fixture(scope="module")
def told_line(receiver: Hook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """An installation that tells the receiver."""
    state = tmp_path_factory.mktemp("installation")
    with LocalApp(state=state, time_scale=FAST, settings=receiver.settings) as app:
        yield Line(app)


def told(line: Line, run: str, state: str, *, number: int) -> list[dict[str, Any]]:
    """Wait until there are so many notifications of a run, all in a state; return them.

    A run has ended a moment before its last notification is there.
    """

    def are_there(document: Document) -> bool:
        shown = document["notifications"]
        return len(shown) == number and {each["state"] for each in shown} == {state}

    seen = line.wait_for(
        lambda: line.client.get("runs", run, "notifications"), until=are_there, seconds=60
    )
    found: list[dict[str, Any]] = seen["notifications"]
    return found


def emulate(line: Line, method: str, fault: Document | None = None) -> None:
    """Add a fault to the local Azure OpenAI, or remove all."""
    data = json.dumps(fault).encode() if fault else None
    url = f"{line.app.emulator_url}/emulator/faults"
    headers = {"Content-Type": "application/json", "api-key": EMULATOR_KEY}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    with urllib.request.urlopen(request, timeout=10):
        return


def test_whole_run_is_told_signed_and_again_after_a_500(
    told_line: Line, receiver: Hook, tmp_path: Path
) -> None:
    """Each event arrives, is refused, comes again under its id, and the published package
    verifies both; no word of the data is in any."""
    receiver.answer = lambda arrived, time: 500 if time == 1 else 204
    examples = [an_example(n, answer=f"{CANARY} {{n}}") for n in range(12)]
    folder = write_dataset(tmp_path / "told", examples, job_file=JOB_FILE + CARDS)

    run = told_line.follow(told_line.drop(folder, project="told")["id"])["id"]
    shown = told(told_line, run, "delivered", number=6)

    mine = [each for each in receiver.arrived if each.headers["webhook-id"].startswith(run)]
    verified = [Webhook(SECRET).verify(each.body, dict(each.headers)) for each in mine]
    events = {each["id"]: each for each in verified if "specversion" in each}
    assert [each["event"] for each in shown if each["format"] == "cloudevents"] == [
        f"run.{name}" for name in EVENTS
    ]
    assert {each["type"] for each in events.values()} == {
        f"droptune.run.{name}.v1" for name in EVENTS
    }
    assert {(each["attempts"], each["answer"]) for each in shown} == {(2, "2xx")}
    assert set(receiver.times.values()) == {2}
    assert CANARY not in b"".join(each.body for each in mine).decode()
    assert {each.headers["content-type"] for each in mine} == {
        "application/cloudevents+json; charset=utf-8",
        "application/json; charset=utf-8",
    }
    assert {each["format"] for each in shown} == {"cloudevents", "teams", "slack"}
    page = events[f"{run}:1:succeeded"]["data"]["links"]["page"]
    assert page == f"{told_line.app.app_url}/api/dashboard/runs/{run}"


def test_undelivered_is_shown_and_sent_again_when_a_person_asks(
    told_line: Line, receiver: Hook, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A receiver that says 410 is left alone until somebody replays."""
    receiver.answer = lambda arrived, time: 410 if time == 1 else 204
    folder = write_dataset(tmp_path / "gone", [an_example(n) for n in range(12)], job_file="")
    run = told_line.follow(told_line.drop(folder, project="gone")["id"])["id"]

    given_up = told(told_line, run, "undelivered", number=2)
    code = main(["notifications", run, "--replay", "--app", told_line.app.app_url])
    delivered = told(told_line, run, "delivered", number=2)

    assert {each["event"] for each in given_up} == {"run.validated", "run.planned"}
    assert {(each["attempts"], each["answer"]) for each in given_up} == {(1, "4xx")}
    assert code == 0
    assert "2 notifications will be tried again" in capsys.readouterr().out
    assert [each["id"] for each in delivered] == [each["id"] for each in given_up]
    assert {each["state"] for each in delivered} == {"delivered"}


def test_run_whose_job_nobody_hears_of_is_told_once(
    told_line: Line, receiver: Hook, tmp_path: Path
) -> None:
    """The service says nothing for longer than the configuration allows; then the run goes on."""
    receiver.answer = lambda arrived, time: 204
    silence = {"on": "request", "match": "GET /openai/v1/fine_tuning/jobs/*", "then": "answer"}
    emulate(told_line, "POST", silence | {"status": 503, "times": 1000})
    job_file = JOB_FILE + "  polling: {stalled_after_hours: 0.1}\n"
    folder = write_dataset(
        tmp_path / "silent", [an_example(n) for n in range(12)], job_file=job_file
    )
    run = told_line.drop(folder, project="silent")["id"]

    told_line.wait_for(
        lambda: told_line.client.get("runs", run, "notifications"),
        until=lambda seen: "run.stalled" in [each["event"] for each in seen["notifications"]],
    )
    emulate(told_line, "DELETE")
    ended = told_line.follow(run)
    shown = told(told_line, run, "delivered", number=5)

    assert ended["outcome"] == "promoted"
    assert [each["event"] for each in shown].count("run.stalled") == 1
    assert shown[-1]["event"] == "run.promoted"


def test_host_that_is_killed_while_it_tells_loses_nothing(
    told_line: Line, receiver: Hook, tmp_path: Path
) -> None:
    """What arrived and was not noted comes again under its id; what did not, arrives."""
    killed: list[str] = []

    def kill(arrived: Arrived, time: int) -> int:
        if not killed:
            killed.append(arrived.headers["webhook-id"])
            told_line.app.kill_host()
        return 204

    receiver.answer = kill
    folder = write_dataset(tmp_path / "killed", [an_example(n) for n in range(12)], job_file="")
    run = told_line.drop(folder, project="killed")["id"]
    told_line.wait_for(lambda: {"killed": killed}, until=lambda seen: bool(seen["killed"]))

    told_line.app.start_host()
    told_line.follow(run)
    shown = told(told_line, run, "delivered", number=2)

    assert {each["event"] for each in shown} == {"run.validated", "run.planned"}
    again = [each for each in receiver.arrived if each.headers["webhook-id"] == killed[0]]
    assert len(again) == 2
    assert len({each.key for each in again}) == 1


def test_up_shows_a_line_for_each_notification(tmp_path: Path) -> None:
    """Who runs `droptune up` sees them as they arrive, with their signature verified."""
    state = tmp_path / "state"
    environ = {name: value for name, value in os.environ.items() if name != "NOTIFY_LOCAL"}
    command = [sys.executable, "-m", "droptune.cli", "up", "--state", str(state)]
    up = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True)
    assert up.stdout is not None
    said = []
    try:
        for line in up.stdout:
            said.append(line)
            if "Ctrl-C stops everything" in line:
                installation = find_installation(state)
                assert installation is not None
                client = AppClient(installation.app_url, key=installation.key)
                folder = write_dataset(tmp_path / "seen", [an_example(n) for n in range(12)])
                (folder / "fine-tune-job.yaml").unlink()
                submit = ["submit", str(folder), "--project", "seen", "--state", str(state)]
                assert main(submit) == 0
            if "run.planned" in line:
                break
        [run] = client.get("runs")["runs"]
    finally:
        up.send_signal(signal.SIGINT)
        up.communicate(timeout=30)

    shown = [line for line in said if "(signature verified)" in line]
    assert [line.split()[1] for line in shown] == ["run.validated", "run.planned"]
    assert all(run["id"] in line for line in shown)
    assert up.returncode == 0

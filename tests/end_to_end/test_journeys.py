"""What a new user does with the command line alone, on an installation that `up` started."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from droptune.cli.local_app import ROOT
from tests.end_to_end.conftest import FAST, has_azurite

SAMPLES = ROOT / "samples"
TRAINED_ONLY = """\
model: gpt-4.1-mini
method: {type: supervised, supervised: {hyperparameters: {n_epochs: 1}}}
"""
TOO_DEAR = TRAINED_ONLY + "pipeline: {budget: {run_usd: 0.01}, approval: {training: over_budget}}\n"


class User:
    """Somebody at a terminal, who knows commands and reads what they print."""

    def __init__(self, state: Path) -> None:
        """Use the installation of a state."""
        self._state = state

    def says(self, *command: str) -> tuple[int, str]:
        """Run a command; return its exit code and what was printed."""
        done = subprocess.run(
            [sys.executable, "-m", "droptune.cli", *command, "--state", str(self._state)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout + done.stderr

    def asks(self, *command: str) -> Any:
        """Run a command with --json; return the document on stdout."""
        done = subprocess.run(
            [sys.executable, "-m", "droptune.cli", *command, "--json", "--state", str(self._state)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return json.loads(done.stdout)

    def waits_for(self, run: str, phase: str) -> None:
        """Look at a run until it is in a phase."""
        for _ in range(200):
            if self.asks("show", run)["phase"] == phase:
                return
        raise AssertionError(self.says("show", run)[1])


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """A user in front of an installation; Ctrl-C ends it."""
    if not has_azurite():
        pytest.skip("Azurite is not set up; see AZURITE")
    state = tmp_path_factory.mktemp("state")
    command = [sys.executable, "-m", "droptune.cli", "up", "--state", str(state)]
    up = subprocess.Popen(
        [*command, "--time-scale", str(FAST)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert up.stdout is not None
    for line in up.stdout:
        if "Drop a dataset" in line:
            break
    yield User(state)
    up.send_signal(signal.SIGINT)
    assert up.wait(30) == 0


def a_folder(place: Path, *, job: str = "", greeting: str = "Kettle's on!") -> Path:
    """Copy the sample, with another configuration or another greeting."""
    folder = place / "support-bot"
    shutil.copytree(SAMPLES / "support-bot", folder)
    training = folder / "training.jsonl"
    training.write_text(training.read_text().replace("Kettle's on!", greeting))
    if job:
        (folder / "fine-tune-job.yaml").write_text(job)
    return folder


def test_wrong_role_is_refused_before_anything_is_uploaded(user: User) -> None:
    """The first failure names line, field and repair, and leaves nothing behind."""
    code, said = user.says("submit", "samples/broken", "--project", "refused")

    assert code == 1
    for part in ("17", 'messages[2].role: "bot"', 'Use "assistant"', "nothing was uploaded"):
        assert part in said
    assert "refused" not in user.says("datasets")[1]


def test_wrong_role_that_was_uploaded_all_the_same_ends_rejected(user: User) -> None:
    """The app says the same as the check, and its report does; nothing was paid for."""
    command = ("submit", "samples/broken", "--project", "mended", "--version", "v1")
    code, said = user.says(*command, "--no-check", "--wait")

    [run] = user.asks("runs", "--project", "mended")["runs"]
    _, report = user.says("report", run["id"])
    status = user.asks("show", run["id"])
    assert code == 1
    assert "rejected" in said
    assert "line 17: messages[2].role" in said
    assert 'Use "assistant"' in report
    assert (status["job"], status["cost"]["hosting_month"]) == (None, None)


def test_mended_data_of_the_same_version_succeeds(user: User, tmp_path: Path) -> None:
    """After a rejection the same command with mended data is all that is needed."""
    command = ("--project", "again-right", "--version", "v1", "--wait")
    user.says("submit", "samples/broken", "--no-check", *command)

    code, said = user.says("submit", str(a_folder(tmp_path)), *command)

    assert code == 0, said
    assert "Promoted: " in said
    assert [run["phase"] for run in user.asks("runs", "--project", "again-right")["runs"]] == [
        "succeeded",
        "rejected",
    ]


def test_second_version_replaces_the_first_after_a_yes_and_rollback_brings_it_back(
    user: User, tmp_path: Path
) -> None:
    """Promotion over a champion waits for a person; the way back is one command."""
    command = ("submit", str(a_folder(tmp_path)), "--project", "shop")
    first = user.asks(*command, "--version", "v1", "--wait")
    second = user.asks(
        "submit", str(a_folder(tmp_path / "2", greeting="Ahoy!")), *command[2:], "--version", "v2"
    )
    user.waits_for(second["id"], "awaiting_promotion")

    waits = user.says("show", second["id"])[1]
    user.says("approve", second["id"], "--reason", "its answers are better")
    code, said = user.says("show", second["id"], "--follow")
    champion = user.asks("projects", "shop")["champion"]
    back, told = user.says("rollback", "shop", "--reason", "customers want tea")

    assert "approv" in waits
    assert (code, champion["run_id"]) == (0, second["id"]), said
    assert (back, user.asks("projects", "shop")["champion"]["run_id"]) == (0, first["id"])
    assert first["champion"]["deployment"] in told


def test_cancelled_run_is_retried_and_then_trained_again(user: User, tmp_path: Path) -> None:
    """cancel ends it with 1; retry and again each lead to a model of their own."""
    folder = a_folder(tmp_path, job=TRAINED_ONLY)
    run = user.asks("submit", str(folder), "--project", "halted")["id"]

    said_cancel, _ = user.says("cancel", run, "--reason", "wrong data")
    ended, said = user.says("show", run, "--follow")
    retried, _ = user.says("retry", run, "--wait")
    newest = user.asks("runs", "--project", "halted")["runs"][0]["id"]
    once_more, _ = user.says("again", newest, "--wait")

    runs = user.asks("runs", "--project", "halted")["runs"]
    models = {user.asks("show", each["id"])["job"]["fine_tuned_model"] for each in runs[:2]}
    assert (said_cancel, ended, retried, once_more) == (0, 1, 0, 0), said
    assert [each["phase"] for each in runs] == ["succeeded", "succeeded", "cancelled"]
    assert len(models) == 2


def test_run_over_its_budget_waits_for_a_yes(user: User, tmp_path: Path) -> None:
    """It says what it would cost and what is allowed; approved, it trains."""
    run = user.asks("submit", str(a_folder(tmp_path, job=TOO_DEAR)), "--project", "dear")["id"]
    user.waits_for(run, "awaiting_approval")

    _, said = user.says("show", run)
    listed = user.asks("runs", "--phase", "awaiting_approval")["runs"]
    user.says("approve", run, "--reason", "it is worth it")
    code, followed = user.says("show", run, "--follow")

    assert "$0.01" in said
    assert run in [each["id"] for each in listed]
    assert code == 0, followed


def test_run_over_its_budget_that_nobody_wants_ends_with_the_reason(
    user: User, tmp_path: Path
) -> None:
    """A no ends it rejected, with the words of who said it."""
    folder = a_folder(tmp_path, job=TOO_DEAR, greeting="Tea!")
    run = user.asks("submit", str(folder), "--project", "dearer")["id"]
    user.waits_for(run, "awaiting_approval")

    user.says("reject", run, "--reason", "too dear")
    code, said = user.says("show", run, "--follow")

    assert code == 1
    assert "too dear" in said

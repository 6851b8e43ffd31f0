"""What the README shows, held to the command line; the demo and the launcher are not run here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from droptune.cli.local_app import ROOT
from tests.end_to_end.line import Line

README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMAND_ROW = re.compile(r"^\| (`.*?) \|", re.MULTILINE)
_NAMED = re.compile(r"`([a-z]+)")


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a command of the README with this Python."""
    command = [sys.executable, "-m", "droptune.cli", *arguments]
    environ = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(cwd)}
    return subprocess.run(
        command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_readme_shows_the_commands_that_are_known_here() -> None:
    """A new command in a fenced block is noticed; of these, only `validate` is run here."""
    shown = {
        line
        for block in _BLOCK.findall(README)
        for line in block.splitlines()
        if line.startswith(("python3 -m droptune", "droptune "))
    }

    assert shown == {
        "python3 -m droptune demo",
        "python3 -m droptune test",
        "python3 -m droptune validate training.jsonl validation.jsonl fine-tune-job.yaml",
    }


def test_validate_as_shown_accepts_the_sample() -> None:
    """The exit code is 0, and the document is alone on stdout."""
    files = ("training.jsonl", "validation.jsonl", "fine-tune-job.yaml")

    said = run("validate", *files, "--json", cwd=ROOT / "samples/support-bot")

    assert said.returncode == 0, said.stderr
    assert json.loads(said.stdout)["verdict"] == "accept"


def test_validate_of_the_broken_sample_says_what_the_readme_says() -> None:
    """The exit code is 1, and the sentence of act 1 is the one that is printed."""
    said = run("validate", ".", cwd=ROOT / "samples/broken")

    sentence = 'messages[2].role: "bot" is not one of system, developer, user, assistant, tool.'
    assert said.returncode == 1
    assert sentence in said.stdout
    assert sentence in README


def test_submit_as_shown_ends_in_a_promoted_model(line: Line) -> None:
    """`submit samples/support-bot --wait` on a running installation exits with 0."""
    said = run("submit", "samples/support-bot", "--wait", "--state", str(line.app.state))

    assert said.returncode == 0, said.stdout + said.stderr
    assert "Promoted: " in said.stdout


def test_every_command_of_the_table_has_help() -> None:
    """No command that the README names is missing."""
    table = README.partition("## Commands")[2].partition("## Routes")[0]
    named = [name for row in _COMMAND_ROW.findall(table) for name in _NAMED.findall(row)]
    help_text = run("--help").stdout

    assert len(named) > 20
    assert [name for name in named if not re.search(rf"\b{name}\b", help_text)] == []

"""The table of commands, and what starting one costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from droptune import __version__
from droptune.cli.commands import COMMANDS, Command, wanted
from droptune.cli.main import _ending, main
from droptune.cli.reference import reference

ROOT = Path(__file__).resolve().parents[2]
# What only some commands need, and what costs most of a start.
HEAVY = ("azure", "requests", "msgspec", "yaml", "rich", "openai", "jinja2")
NAMES = [command.name for command in COMMANDS]
PROBE = """
import json, sys
from droptune.cli.main import main
code = main(sys.argv[1:])
loaded = {name.partition(".")[0] for name in sys.modules}
print(json.dumps({"code": code, "loaded": sorted(loaded)}), file=sys.stderr)
"""


def test_every_promised_command_is_there() -> None:
    """The commands that the papers name exist."""
    promised = (
        "demo test up submit validate runs show cancel pause resume approve reject retry again "
        "promote rollback projects events open report init doctor"
    )

    assert set(promised.split()) <= set(NAMES)


@pytest.mark.parametrize("command", [each for each in COMMANDS if each.name != "test"], ids=str)
def test_help_shows_examples_and_what_json_prints(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command explains itself with examples that name it."""
    code = main([command.name, "--help"])

    said = capsys.readouterr().out
    assert code == 0
    assert all(example.startswith(f"droptune {command.name}") for example in command.examples)
    assert f"droptune {command.name}" in said
    assert ("--json prints" in said) is bool(command.json)


def test_only_the_command_that_is_asked_is_loaded() -> None:
    """A command does not pay for the others; help and completion see all of them."""
    assert [command.name for command in wanted(["runs", "--json"])] == ["runs"]
    assert [command.name for command in wanted([])] == NAMES
    assert [command.name for command in wanted(["--help"])] == NAMES


@pytest.mark.parametrize("arguments", [["runs"], ["show", "r"], ["cancel", "r"], ["--version"]])
def test_start_loads_nothing_heavy(arguments: list[str], tmp_path: Path) -> None:
    """A command that only asks the app loads no SDK, no validator and no drawing library."""
    state = [] if arguments == ["--version"] else ["--state", str(tmp_path)]

    ended = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments, *state],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = json.loads(ended.stderr.splitlines()[-1])["loaded"]
    assert "typer" in loaded
    assert not set(HEAVY) & set(loaded)


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """--version names the version alone."""
    assert main(["--version"]) == 0

    assert capsys.readouterr().out == f"droptune {__version__}\n"


def test_interrupted_command_ends_with_130() -> None:
    """Ctrl-C is neither a yes nor a reasoned no."""

    def interrupted() -> int:
        raise KeyboardInterrupt

    with pytest.raises(typer.Exit) as raised:
        _ending(interrupted)()

    assert raised.value.exit_code == 130


def test_reference_page_is_current() -> None:
    """docs/cli.md says what the commands say of themselves."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")

    assert page == reference(), "write it anew: python -m droptune.cli.reference > docs/cli.md"


def test_reference_page_names_every_option() -> None:
    """Every command has its section, and options are described in words."""
    page = reference()

    assert all(f"\n### {name}\n" in page for name in NAMES)
    assert "| `--check, --no-check` |" in page
    assert "|  |\n" not in page


def test_completion_offers_the_commands() -> None:
    """The shell's completion is asked as bash asks it, and answers with commands."""
    environ = {
        "_DROPTUNE_COMPLETE": "complete_bash",
        "COMP_WORDS": "droptune re",
        "COMP_CWORD": "1",
    }
    code = "import sys; from droptune.cli.main import main; sys.exit(main([]))"

    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert {"resume", "reject", "retry", "report"} <= set(ended.stdout.split())

"""`test`: what it runs and with which tools."""

from __future__ import annotations

import json
from pathlib import Path

from droptune.cli.test_command import checks, environment


def test_every_check_runs_tests_last() -> None:
    """Without arguments lint, format, types and tests are checked, the tests on two processes."""
    every = checks([])

    assert list(every) == ["ruff check", "ruff format", "mypy", "pytest"]
    assert every["pytest"] == ["pytest", "-n", "2"]


def test_arguments_go_to_pytest_alone() -> None:
    """With arguments only the tests run, as they are asked for."""
    assert checks(["-k", "x"]) == {"pytest": ["pytest", "-k", "x"]}


def test_tests_get_the_tools_that_are_set_up(tmp_path: Path) -> None:
    """Azurite is named with the Node that it was installed with on PATH."""
    folder = tmp_path / ".droptune" / "azurite"
    script = folder / "node_modules" / ".bin" / "azurite-blob"
    script.parent.mkdir(parents=True)
    script.write_text("")
    (folder / "ready.json").write_text(json.dumps({"lock": "x", "node": "/opt/node/bin/node"}))

    environ = environment(tmp_path, {"PATH": "/bin"})

    assert environ == {"AZURITE": str(script), "PATH": "/opt/node/bin:/bin"}


def test_tools_that_the_caller_names_stay(tmp_path: Path) -> None:
    """What the environment says already is not overwritten."""
    assert environment(tmp_path, {"AZURITE": "mine", "PATH": "p"})["AZURITE"] == "mine"

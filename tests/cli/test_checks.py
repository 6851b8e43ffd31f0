"""`test`: what it runs and with which tools."""

from __future__ import annotations

import json
from pathlib import Path

from droptune.cli.test_command import checks, environment, simulated


def test_every_check_runs_what_takes_long_last() -> None:
    """Without arguments lint, format, types, tests and then fresh schedules are checked."""
    every = checks([], {"--seconds": 240})

    assert list(every) == ["ruff check", "ruff format", "mypy", "pytest", "simulation"]
    assert every["pytest"] == ["pytest", "-n", "2"]
    assert every["simulation"] == ["simulation", "--fresh", "--seconds", "240"]


def test_fresh_schedules_fill_twelve_minutes_and_are_at_least_6000() -> None:
    """Unless the environment says for how long; 0 leaves them out."""
    usual = simulated({})
    shorter = simulated({"DROPTUNE_SIMULATE_SECONDS": "60"})
    none = simulated({"DROPTUNE_SIMULATE_SECONDS": "0"})

    assert usual == {"--seconds": 720, "--at-least": 6000, "--longest": 1500}
    assert checks([], shorter)["simulation"] == ["simulation", "--fresh", "--seconds", "60"]
    assert "simulation" not in checks([], none)


def test_arguments_go_to_pytest_alone() -> None:
    """With arguments only the tests run, as they are asked for."""
    assert checks(["-k", "x"], {"--seconds": 240}) == {"pytest": ["pytest", "-k", "x"]}


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

"""The demo as a stranger plays it: a process, from a copy of the repository."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from droptune.cli.local_app import ROOT
from tests.end_to_end.conftest import has_azurite

LEFT_OUT = (".git", ".droptune", "__pycache__", ".*_cache", ".hypothesis")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository that shares only what the launcher has set up."""
    if not has_azurite():
        pytest.skip("Azurite is not set up; see AZURITE")
    place = tmp_path / "copy"
    shutil.copytree(ROOT, place, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (place / ".droptune").symlink_to(ROOT / ".droptune")
    return place


def test_demo_plays_three_acts_and_prints_the_runs_status_alone(copy: Path) -> None:
    """It ends well only if all of it happened; with --json stdout holds one document."""
    done = subprocess.run(
        [sys.executable, "-m", "droptune", "demo", "--json"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )

    status = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (status["phase"], status["outcome"]) == ("succeeded", "promoted")
    assert status["test"]["answer"] != status["test"]["base_answer"]
    assert status["links"]["page"] + " (until the demo ends)" in done.stderr
    assert "http" not in done.stderr.partition("What came of it")[2]
    for said in (
        "Refused before a cent",
        "ledger shows one job",
        "nothing was bought",
        "h of hosting",
    ):
        assert said in done.stderr

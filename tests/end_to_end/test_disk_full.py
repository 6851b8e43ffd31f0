"""A disk without room: nothing is lost, and the run goes on once there is room again."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from droptune.cli.local_app import LocalApp
from tests.end_to_end.conftest import has_azurite
from tests.end_to_end.line import Line, an_example, write_dataset

SIZE = "64m"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    if not has_azurite():
        pytest.skip("Azurite is not set up; see AZURITE")
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if (
        not shutil.which("mount")
        or subprocess.run(mount, capture_output=True, check=False).returncode
    ):
        pytest.skip("only root may mount a disk to fill")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> Path:
    """Write until nothing more fits; return what has to go."""
    filler = place / "filler"
    file = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(file, b"x" * 65_536)
    except OSError:
        return filler
    finally:
        os.close(file)


def test_full_disk_costs_time_and_no_second_job(disk: Path, tmp_path: Path) -> None:
    """While nothing can be written the run stands; with room again it ends well, with one job."""
    folder = write_dataset(tmp_path / "full", [an_example(n) for n in range(25)])
    with LocalApp(state=disk / "state", time_scale=100) as app:
        line = Line(app)
        run = line.drop(folder, project="full")
        line.wait_for(lambda: line.client.get("runs", run["id"]), until=lambda s: bool(s["job"]))

        filler = fill(disk)
        stood = line.wait_for(
            lambda: line.client.get("runs", run["id"]), until=lambda s: False, seconds=8
        )
        filler.unlink()
        status = line.follow(run["id"])
        jobs = line.jobs_of(status)

    assert stood["phase"] == "training"
    assert status["outcome"] == "promoted", status["message"]
    assert len(jobs) == 1

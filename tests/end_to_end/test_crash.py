"""Real processes, really killed, on a state that lasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from droptune.cli.local_app import LocalApp
from tests.end_to_end.conftest import FAST
from tests.end_to_end.line import Line, an_example, write_dataset


def test_killed_host_and_emulator_go_on_with_one_job(line: Line, tmp_path: Path) -> None:
    """After `kill -9` of both while it trains, the run succeeds and the ledger shows one job."""
    folder = write_dataset(tmp_path / "crash", [an_example(n) for n in range(25)])
    killed: list[str] = []

    def kill(status: dict[str, Any]) -> None:
        if not killed and status["phase"] == "training" and status["job"]:
            killed.append(status["job"]["id"])
            line.app.kill_host()
            line.app.kill_emulator()
            line.app.start_emulator()
            line.app.start_host()

    status = line.follow(line.drop(folder, project="crash")["id"], on_look=kill)

    assert killed == [status["job"]["id"]]
    assert status["outcome"] == "promoted", status["message"]
    assert len(line.jobs_of(status)) == 1


def test_installation_stopped_in_training_goes_on_at_the_next_up(tmp_path: Path) -> None:
    """A run that was training when everything was stopped ends well on the same state."""
    folder = write_dataset(tmp_path / "paused", [an_example(n) for n in range(25)])
    state = tmp_path / "state"
    with LocalApp(state=state, time_scale=FAST) as app:
        first = Line(app)
        run = first.drop(folder, project="paused")
        first.wait_for(
            lambda: first.client.get("runs", run["id"]), until=lambda s: s["phase"] == "training"
        )

    with LocalApp(state=state, time_scale=FAST) as app:
        second = Line(app)
        status = second.follow(run["id"])
        jobs = second.jobs_of(status)

    assert status["outcome"] == "promoted", status["message"]
    assert len(jobs) == 1

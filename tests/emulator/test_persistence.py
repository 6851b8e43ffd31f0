"""What was answered is never lost: the emulator as a process, killed and started again."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from openai import OpenAI

from tests.emulator.resources import KEY, MODEL, chat_data

ROOT = Path(__file__).parents[2]


class Process:
    """`python -m emulator` on a state; its clock goes only when it is put forward, or nearly."""

    def __init__(self, state: Path) -> None:
        """Name the state."""
        self._state = state
        self.start()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        options = ["--port", "0", "--state", str(self._state), "--key", KEY]
        command = [sys.executable, "-m", "emulator", *options, "--time-scale", "0"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.startswith("emulator ready http://127.0.0.1:")
        self.url = line.split()[-1]
        self.client = OpenAI(base_url=f"{self.url}/openai/v1/", api_key=KEY, max_retries=0)

    def end(self, number: int = signal.SIGKILL) -> int:
        """End it and return its exit code."""
        self._process.send_signal(number)
        code = self._process.wait(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def peak_kilobytes(self) -> int:
        """Return the most memory that it ever had."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0])

    def control(self, path: str, body: Any = None) -> Any:
        """Use a control."""
        headers = {"api-key": KEY}
        url = f"{self.url}/emulator/{path}"
        if body is None:
            return requests.get(url, headers=headers, timeout=30).json()
        return requests.post(url, headers=headers, json=body, timeout=30).json()

    def advance(self, seconds: float) -> None:
        """Put the clock forward."""
        self.control("clock/advance", {"seconds": seconds})

    def create_job(self) -> str:
        """Create a job on a new file."""
        file = self.client.files.create(
            file=("a.jsonl", chat_data(), "text/jsonl"), purpose="fine-tune"
        )
        self.advance(60)
        body = {"trainingType": "GlobalStandard"}
        jobs = self.client.fine_tuning.jobs
        return jobs.create(model=MODEL, training_file=file.id, extra_body=body, suffix="s").id


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    """A running emulator."""
    process = Process(tmp_path)
    yield process
    process.end()


def test_kill_in_the_middle_of_training_changes_nothing(process: Process) -> None:
    """The same job goes on where it was and ends as it would have; the ledger shows one."""
    job_id = process.create_job()
    process.advance(60)
    jobs = process.client.fine_tuning.jobs
    before, told = jobs.retrieve(job_id), jobs.list_events(job_id, limit=100).data

    process.end()
    process.start()

    jobs = process.client.fine_tuning.jobs
    assert before.status == "running"
    assert jobs.retrieve(job_id) == before
    assert jobs.list_events(job_id, limit=100).data == told
    process.advance(3600)
    assert jobs.retrieve(job_id).status == "succeeded"
    assert [each["id"] for each in process.control("ledger")["jobs"]] == [job_id]


def test_clock_goes_on_where_it_stopped(process: Process) -> None:
    """Time never goes back, nor does it pass while nothing runs."""
    process.advance(1_000_000)
    before = process.control("clock")

    process.end()
    process.start()

    assert process.control("clock") == before


def test_faults_and_settings_survive(process: Process) -> None:
    """A script goes on after a crash, with what was used of it."""
    process.control("faults", {"on": "job", "then": "fail", "times": 2})
    process.create_job()

    process.end()
    process.start()

    assert [fault["used"] for fault in process.control("faults")["faults"]] == [1]


def test_trained_model_answers_after_a_crash(process: Process) -> None:
    """What was learned is on disk."""
    job_id = process.create_job()
    process.advance(3600)
    process.client.fine_tuning.jobs.retrieve(job_id)

    process.end()
    process.start()

    job = process.client.fine_tuning.jobs.retrieve(job_id)
    assert job.status == "succeeded"
    assert process.client.files.content(job.result_files[0]).text.startswith("step,")


def test_second_emulator_on_a_state_is_refused(process: Process, tmp_path: Path) -> None:
    """Two would overwrite each other: the second says so and ends with 3; the first goes on."""
    options = ["--port", "0", "--state", str(tmp_path), "--key", KEY]

    second = subprocess.run(
        [sys.executable, "-m", "emulator", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert second.returncode == 3
    assert "another emulator serves" in second.stderr
    assert process.control("clock")["now"]


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="reads Linux's /proc")
def test_large_upload_is_not_held_in_memory(process: Process, tmp_path: Path) -> None:
    """A file of 40 MB leaves the peak of memory within a few megabytes of where it was."""
    line = chat_data(1)
    big = tmp_path / "big.jsonl"
    big.write_bytes(line * (40_000_000 // len(line)))
    process.create_job()
    before = process.peak_kilobytes()

    with big.open("rb") as content:
        file = process.client.files.create(
            file=("a.jsonl", content, "text/jsonl"), purpose="fine-tune"
        )

    assert file.bytes == big.stat().st_size
    assert process.peak_kilobytes() - before < 8_000


def test_term_signal_ends_it_cleanly(process: Process) -> None:
    """Asked to end, it ends with 0, and what it knew is there again."""
    job_id = process.create_job()

    code = process.end(signal.SIGTERM)
    process.start()

    assert code == 0
    assert process.client.fine_tuning.jobs.retrieve(job_id).id == job_id

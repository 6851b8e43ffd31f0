"""One process of the local app, with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from droptune.cli.processes import LocalProcess
from droptune.cli.refusals import Refusal

READY = "print('server ready http://127.0.0.1:1', flush=True)"
STAY = "import signal; signal.pause()"
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def a_process(place: Path) -> LocalProcess:
    """Return a process that has not started."""
    return LocalProcess(name="server", ready=r" ready (\S+)", log=place / "log", cwd=place)


def python(code: str) -> list[str]:
    """Return a command that runs a little Python."""
    return [sys.executable, "-c", code]


@POSIX
def test_start_returns_the_url_that_the_server_prints(tmp_path: Path) -> None:
    """A server is there when it says so, and gone when it is stopped."""
    process = a_process(tmp_path)

    url = process.start(python(f"{READY}; {STAY}"), os.environ)

    assert url == "http://127.0.0.1:1"
    assert process.is_running
    process.stop()
    assert not process.is_running


def test_a_server_that_ends_at_once_is_refused_with_its_last_words(tmp_path: Path) -> None:
    """What a server says before it dies reaches the person, with the place of the log."""
    with pytest.raises(Refusal, match="no such port") as raised:
        a_process(tmp_path).start(python("raise SystemExit('no such port')"), os.environ)

    assert str(tmp_path / "log") in raised.value.remedy


@POSIX
def test_a_silent_server_is_given_up_and_ended(tmp_path: Path) -> None:
    """A server that never says that it is ready does not stay behind."""
    process = a_process(tmp_path)

    with pytest.raises(Refusal, match="did not start"):
        process.start(python(STAY), os.environ, timeout=0.1)

    assert not process.is_running


@POSIX
def test_words_of_an_earlier_start_are_not_believed(tmp_path: Path) -> None:
    """The log goes on through restarts; only what this start said counts."""
    process = a_process(tmp_path)
    process.start(python(f"{READY}; {STAY}"), os.environ)
    process.kill()

    with pytest.raises(Refusal):
        process.start(python("pass"), os.environ)


@POSIX
def test_a_server_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """Stopping always ends."""
    process = a_process(tmp_path)
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"
    process.start(python(f"{deaf}; {READY}; {STAY}"), os.environ)

    process.stop(timeout=0.1)

    assert not process.is_running


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PDEATHSIG is Linux's")
def test_a_killed_launcher_leaves_no_orphan(tmp_path: Path) -> None:
    """The kernel stops a server whose launcher was killed: its end closes the pipe it holds."""
    reading, writing = os.pipe()
    server = f"{READY}; {STAY}"
    launcher = (
        "import os, signal, sys; from pathlib import Path\n"
        "from tests.cli.test_processes import a_process, python\n"
        f"os.dup2({writing}, 1)\n"
        f"a_process(Path({str(tmp_path)!r})).start(python({server!r}), os.environ)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).resolve().parents[2]

    ended = subprocess.run(python(launcher), cwd=root, pass_fds=[writing], check=False)

    os.close(writing)
    assert ended.returncode == -signal.SIGKILL
    assert os.read(reading, 1) == b""
    os.close(reading)

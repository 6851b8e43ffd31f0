"""The launcher: what it makes, what it repairs, and what it hands over to."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from droptune.setup import prepare
from droptune.setup.azurite import SCRIPT, Azurite
from droptune.setup.environment import Environment, venv_python
from droptune.setup.interpreters import choose, version_of
from droptune.setup.lock import SetupLock, try_lock
from droptune.setup.marker import MARKER, read_marker
from droptune.setup.progress import Progress, SetupError, counter

ROOT = Path(__file__).resolve().parents[1]
POSIX = pytest.mark.skipif(os.name == "nt", reason="the stand-in interpreter is a shell script")
LOCK = "typer==1.0 \\\n    --hash=sha256:00\nrich==2.0 \\\n    --hash=sha256:00\n"


class Workshop(Progress):
    """Makes what the tools would make, without the tools; `failing` names one that cannot."""

    def __init__(self, home: Path, *, failing: str = "") -> None:
        """Keep its log in the home folder."""
        super().__init__(log=home / "setup.log", steps=2)
        self.commands: list[list[str]] = []
        self._failing = failing

    def run(self, command: Sequence[str], *, cwd: Path | None = None, **_: object) -> None:
        """Leave behind what venv, pip and npm leave behind."""
        self.commands.append(list(command))
        if "venv" in command:
            python = venv_python(Path(command[-1]))
            python.parent.mkdir(parents=True)
            python.write_text("")
        if self._failing and self._failing in command:
            raise SetupError(f"{self._failing} failed")
        if "ci" in command and cwd is not None:
            (cwd / SCRIPT).parent.mkdir(parents=True)
            (cwd / SCRIPT).write_text("")

    def count(self, word: str) -> int:
        """Return how many commands had a word."""
        return sum(word in command for command in self.commands)


def too_old_pythons() -> list[Path]:
    """Return Pythons of this machine that the launcher only has to answer."""
    versions = Path.home() / ".pyenv" / "versions"
    return [found for minor in "87" for found in versions.glob(f"3.{minor}.*/bin/python")]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A folder with the locks that a clone has."""
    (tmp_path / "requirements-dev.txt").write_text(LOCK)
    shutil.copytree(ROOT / "azurite", tmp_path / "azurite")
    return tmp_path


def an_environment(clone: Path) -> Environment:
    """Return the environment of a clone."""
    return Environment(home=clone / ".droptune", lock=clone / "requirements-dev.txt")


def test_environment_is_made_once(clone: Path) -> None:
    """What is complete is not made again, and nothing outside the hashed lock is installed."""
    environment = an_environment(clone)
    workshop = Workshop(clone / ".droptune")

    environment.make(workshop)

    assert environment.is_ready()
    assert an_environment(clone).is_ready()
    assert workshop.count("--require-hashes") == 1


def test_half_made_environment_is_made_anew(clone: Path) -> None:
    """An environment whose packages failed is not taken for one; the next start makes it anew."""
    environment = an_environment(clone)
    with pytest.raises(SetupError):
        environment.make(Workshop(clone / ".droptune", failing="pip"))
    leftover = environment.folder / "leftover"
    leftover.write_text("")

    assert not environment.is_ready()
    environment.make(Workshop(clone / ".droptune"))

    assert environment.is_ready()
    assert not leftover.exists()


def test_changed_lock_means_another_environment(clone: Path) -> None:
    """The environment belongs to the lock: a new one is made, the old one is not changed."""
    before = an_environment(clone)
    before.make(Workshop(clone / ".droptune"))
    (clone / "requirements-dev.txt").write_text(LOCK + "# newer\n")

    after = an_environment(clone)

    assert not after.is_ready()
    assert after.folder != before.folder


def test_environment_whose_interpreter_is_gone_is_not_ready(clone: Path) -> None:
    """A Python that was uninstalled since takes the environment with it."""
    environment = an_environment(clone)
    environment.make(Workshop(clone / ".droptune"))

    environment.python.unlink()

    assert not environment.is_ready()


@pytest.mark.parametrize("data", ["", "{", "[]", "null"])
def test_torn_marker_counts_as_none(clone: Path, data: str) -> None:
    """A marker that cannot be read makes nothing ready."""
    environment = an_environment(clone)
    environment.make(Workshop(clone / ".droptune"))

    (environment.folder / MARKER).write_text(data)

    assert not environment.is_ready()


def an_azurite(clone: Path) -> Azurite:
    """Return the Azurite of a clone."""
    home = clone / ".droptune"
    return Azurite(home=home, source=clone / "azurite", python=Path(sys.executable))


@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on PATH to be found")
def test_azurite_is_installed_from_the_lock(clone: Path) -> None:
    """npm installs exactly the lock and runs none of the packages' scripts."""
    azurite = an_azurite(clone)
    workshop = Workshop(clone / ".droptune")

    azurite.make(workshop)

    assert azurite.is_ready()
    assert workshop.commands[-1][-4:-2] == ["ci", "--ignore-scripts"]
    assert (azurite.folder / "package-lock.json").is_file()


@pytest.mark.skipif(shutil.which("npm") is None, reason="no npm on PATH to be found")
def test_interrupted_azurite_is_installed_anew(clone: Path) -> None:
    """An installation that was interrupted, or whose lock has changed since, is not used."""
    azurite = an_azurite(clone)
    with pytest.raises(SetupError):
        azurite.make(Workshop(clone / ".droptune", failing="ci"))

    assert not azurite.is_ready()
    azurite.make(Workshop(clone / ".droptune"))
    assert azurite.is_ready()
    (clone / "azurite" / "package-lock.json").write_text("{}")
    assert not azurite.is_ready()


def test_azurite_lock_names_no_place_to_fetch_from() -> None:
    """The lock pins every package by its hash and leaves the registry to the machine."""
    lock = json.loads((ROOT / "azurite" / "package-lock.json").read_bytes())
    packages = [package for name, package in lock["packages"].items() if name]

    assert len(packages) > 100
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert not any("resolved" in package for package in packages)


@pytest.mark.parametrize("name", ["requirements-node.txt", "requirements-uv.txt"])
def test_what_is_fetched_is_pinned_by_hash(name: str) -> None:
    """Node and uv, where a machine lacks them, come with one version and its hashes."""
    lines = (ROOT / "droptune" / "setup" / name).read_text().splitlines()

    pinned = [line for line in lines if "==" in line]
    assert len(pinned) == 1
    assert sum("--hash=sha256:" in line for line in lines) >= 5


def test_everything_ready_needs_no_lock_and_no_tool(clone: Path) -> None:
    """Once all is there nothing is written: the second start of two at once is not held up."""
    an_environment(clone).make(Workshop(clone / ".droptune"))
    before = sorted(path for path in (clone / ".droptune").rglob("*"))

    with (clone / ".droptune" / "setup.lock").open("a+b") as held:
        assert try_lock(held.fileno())
        python = prepare(clone, with_azurite=False)
    (clone / ".droptune" / "setup.lock").unlink()

    assert python == an_environment(clone).python
    assert sorted(path for path in (clone / ".droptune").rglob("*")) == before


def test_lock_is_held_by_one(tmp_path: Path) -> None:
    """Two set-ups never work at once, and a finished one lets the next in."""
    path = tmp_path / "deep" / "setup.lock"

    with SetupLock(path), path.open("a+b") as second:
        assert not try_lock(second.fileno())
    with path.open("a+b") as third:
        assert try_lock(third.fileno())


def test_failing_tool_is_a_sentence_with_its_last_words(tmp_path: Path) -> None:
    """A tool that fails is named with what it said last; all of it is in the log."""
    progress = Progress(log=tmp_path / "log", steps=1)
    code = "import sys; print('disk full'); sys.exit(1)"

    with pytest.raises(SetupError, match="disk full"):
        progress.run([sys.executable, "-c", code])

    assert "disk full" in (tmp_path / "log").read_text()


@POSIX
def test_interrupted_tool_is_ended(tmp_path: Path) -> None:
    """A set-up that is interrupted leaves no tool working on what the next one makes anew."""
    os.mkfifo(tmp_path / "never")
    progress = Progress(log=tmp_path / "log", steps=1)
    said: list[str] = []

    def interrupt(line: str) -> None:
        said.append(line)
        raise KeyboardInterrupt

    code = f"import os; print(os.getpid(), flush=True); open({str(tmp_path / 'never')!r})"
    with pytest.raises(KeyboardInterrupt):
        progress.run([sys.executable, "-c", code], on_line=interrupt)

    with pytest.raises(ProcessLookupError):
        os.kill(int(said[0]), 0)


SETUP = """
import sys
from pathlib import Path
from droptune.setup.lock import SetupLock
from droptune.setup.progress import Progress
folder = Path(sys.argv[1])
tool = [sys.executable, "-c", "import sys; print('on', flush=True); open(sys.argv[1]).read()"]
with SetupLock(folder / "lock"):
    Progress(log=folder / "log", steps=1).run([*tool, str(folder / "go")], on_line=print)
"""


@POSIX
def test_tool_of_a_killed_set_up_is_waited_for(tmp_path: Path) -> None:
    """A tool that outlives its launcher keeps the lock, so that nobody makes the same beside it."""
    os.mkfifo(tmp_path / "go")
    setup = subprocess.Popen(
        [sys.executable, "-uc", SETUP, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert setup.stdout is not None
    setup.stdout.readline()

    setup.kill()
    setup.communicate()
    with (tmp_path / "lock").open("a+b") as second:
        assert not try_lock(second.fileno())
    (tmp_path / "go").write_text("on with it")

    with SetupLock(tmp_path / "lock"), (tmp_path / "lock").open("a+b") as third:
        assert not try_lock(third.fileno())


@pytest.mark.skipif(not too_old_pythons(), reason="no Python that is too old is here")
def test_too_old_python_is_a_sentence() -> None:
    """A Python that cannot run the launcher says which one could."""
    command = [str(too_old_pythons()[0]), "-m", "droptune", "--help"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 3
    assert "3.9" in ended.stderr


def test_long_installation_says_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Each quarter of the packages is announced, and nothing but them is counted."""
    read = counter("Collecting ", 8, "packages")

    for _ in range(8):
        read("Collecting something")
        read("  Downloading something")

    assert [line.split()[1] for line in capsys.readouterr().err.splitlines()] == ["2", "4", "6"]


def test_interpreters_that_do_not_fit_are_passed_over(tmp_path: Path) -> None:
    """What cannot run, and what is too old or lacks venv, is not chosen."""
    missing = tmp_path / "python3.11"
    silent = Path("/bin/true")

    assert choose([missing, silent]) is None
    assert choose([missing, Path(sys.executable)]) == Path(sys.executable)


def old_pythons() -> Iterator[Path]:
    """Yield the oldest Pythons of this machine that the launcher must run on."""
    for version in ("3.9", "3.10"):
        found = shutil.which(f"python{version}")
        if found and subprocess.run([found, "-c", ""], check=False).returncode == 0:
            yield Path(found)
        yield from Path.home().glob(f".pyenv/versions/{version}.*/bin/python")


@pytest.mark.parametrize("path", sorted((ROOT / "droptune" / "setup").glob("*.py")), ids=str)
def test_launcher_is_written_for_python_3_9(path: Path) -> None:
    """No line of the launcher needs a newer grammar or anything but the standard library."""
    tree = ast.parse(path.read_text(), feature_version=(3, 9))

    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {name for node in imports for name in _imported(node)}
    allowed = sys.stdlib_module_names | {"droptune"}
    assert {name.partition(".")[0] for name in names} <= allowed
    assert all(name.startswith("droptune.setup") for name in names if name.startswith("droptune"))


def _imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names]


@POSIX
@pytest.mark.parametrize("python", [Path(sys.executable), *old_pythons()], ids=str)
def test_launcher_becomes_the_command_line(clone: Path, python: Path) -> None:
    """Any Python from 3.9 hands its arguments and its exit code over to the environment's."""
    shutil.copytree(ROOT / "droptune", clone / "droptune", ignore=shutil.ignore_patterns("*.pyc"))
    (clone / "pyproject.toml").write_text("")
    environment = an_environment(clone)
    environment.make(Workshop(clone / ".droptune"))
    environment.python.write_text('#!/bin/sh\necho "$PYTHONPATH $*"\nexit 7\n')
    environment.python.chmod(0o755)

    command = [str(python), "-m", "droptune", "runs", "--json"]
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    ended = subprocess.run(
        command, cwd=clone, env=environ, capture_output=True, text=True, check=False
    )

    assert ended.stdout == f"{clone} -m droptune.cli runs --json\n"
    assert ended.stderr == ""
    assert ended.returncode == 7


def test_running_interpreter_answers_with_its_version() -> None:
    """A Python is asked for its version by running it, as a shim may lead nowhere."""
    assert version_of(Path(sys.executable)) == f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_marker_is_read_as_it_was_written(clone: Path) -> None:
    """A marker says what a part was made with."""
    environment = an_environment(clone)

    environment.make(Workshop(clone / ".droptune"))

    assert set(read_marker(environment.folder)) == {"python", "lock"}

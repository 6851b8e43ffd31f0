"""Where people meet the validator without a clone: the wheel, the GitHub action, pre-commit."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from droptune.domain.configuration import Ceilings, resolve
from droptune.validation.job_file import parse_job_file
from droptune.validation.rules import RULES

ROOT = Path(__file__).parents[1]
GOOD = (
    '{"messages": [{"role": "user", "content": "%d?"}, {"role": "assistant", "content": "Yes."}]}\n'
)
NO_NETWORK = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:9")
APP_ONLY = ("azure", "openai", "starlette", "numpy", "gigatoken")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that nothing is left in the clone."""
    place = tmp_path_factory.mktemp("wheel")
    copied = ("pyproject.toml", "README.md", "LICENSE", "droptune")
    for name in copied:
        source, target = ROOT / name, place / "source" / name
        target.parent.mkdir(exist_ok=True)
        copy = shutil.copytree if source.is_dir() else shutil.copyfile
        copy(source, target)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", str(place)]
    built = subprocess.run(
        [*command, str(place / "source")], capture_output=True, text=True, check=False
    )
    if built.returncode:
        pytest.skip(f"the wheel cannot be built here: {built.stderr.strip()[-200:]}")
    return next(place.glob("*.whl"))


def test_wheel_holds_the_library_and_nothing_of_the_app(wheel: Path) -> None:
    """Data files and templates are in; stand-ins, orchestrators and activities are not."""
    names = zipfile.ZipFile(wheel).namelist()
    folders = {name.split("/")[0] for name in names}

    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {"droptune"}
    assert "droptune/domain/data/prices.json" in names
    assert "droptune/api/pages/templates/report.html" in names


def test_wheel_alone_validates(wheel: Path, tmp_path: Path) -> None:
    """Installed where nothing else is, it accepts and rejects without network, and no package of
    the app came."""
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text("".join(GOOD % n for n in range(12)))
    bad.write_text("".join(GOOD % n for n in range(12)).replace("user", "bot", 1))
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin")
    pip = [str(binaries / "python"), "-m", "pip"]
    installed = _run([*pip, "install", "-q", "--disable-pip-version-check", str(wheel)])
    if installed.returncode:
        pytest.skip(f"its packages cannot be fetched here: {installed.stderr.strip()[-200:]}")

    command = [str(binaries / "droptune"), "validate", "--html", str(tmp_path / "report.html")]
    said = [_run([*command, str(file)], **NO_NETWORK) for file in (good, bad)]
    packages = _run([*pip, "list", "--format", "freeze"]).stdout.casefold()

    assert [each.returncode for each in said] == [0, 1], said
    assert "line 1" in said[1].stdout
    assert "unknown-role" in (tmp_path / "report.html").read_text()
    assert not any(name in packages for name in APP_ONLY)


def _run(command: list[str], **more: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | more
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=environ,
        cwd=Path(command[0]).parent,
    )


def test_wheel_asks_only_for_what_validation_needs() -> None:
    """No Azure package and nothing large is installed with it; those are extras."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    names = " ".join(project["dependencies"])

    assert not any(name in names for name in (*APP_ONLY, "uvicorn"))
    assert set(project["optional-dependencies"]) == {"fast", "app", "dev"}


def action_step() -> dict[str, Any]:
    """Return the action's last step, which validates."""
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    assert action["runs"]["using"] == "composite"
    step: dict[str, Any] = action["runs"]["steps"][-1]
    return step


def run_action(place: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run what the action's last step runs, as a GitHub runner does, with this droptune."""
    step = action_step()
    given = {"MODEL": "", "FORMAT": "github", "BY_FOLDER": "false"} | inputs
    assert given.keys() == step["env"].keys()
    commands = place / "commands"
    commands.mkdir()
    launcher = commands / "droptune"
    launcher.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m droptune.cli "$@"\n')
    launcher.chmod(0o755)
    script = place / "step.sh"
    script.write_text(step["run"])
    environ = os.environ | given | {
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "GITHUB_STEP_SUMMARY": str(place / "summary.md"),
    }  # fmt: skip
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
        cwd=place,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def play_action(
    action: Path, workspace: Path, binaries: Path, **inputs: str
) -> list[subprocess.CompletedProcess[str]]:
    """Run every script of the action as a runner does, until one fails.

    `binaries` is what setup-python puts on PATH. Source: GitHub Docs, metadata syntax for composite
    actions (`shell: bash` is `bash --noprofile --norc -eo pipefail {0}`) and default variables.
    """
    described = yaml.safe_load((action / "action.yml").read_text())
    given = {name: str(each.get("default", "")) for name, each in described["inputs"].items()}
    given |= {name.replace("_", "-"): value for name, value in inputs.items()}
    temporary = workspace.parent / "runner"
    temporary.mkdir(exist_ok=True)
    runner = {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTION_PATH": str(action),
        "GITHUB_WORKSPACE": str(workspace),
        "GITHUB_STEP_SUMMARY": str(temporary / "summary.md"),
        "GITHUB_OUTPUT": str(temporary / "output"),
        "GITHUB_ENV": str(temporary / "env"),
        "RUNNER_TEMP": str(temporary),
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
    }
    done: list[subprocess.CompletedProcess[str]] = []
    for number, step in enumerate(each for each in described["runs"]["steps"] if "run" in each):
        assert step["shell"] == "bash"
        script = temporary / f"{number}.sh"
        script.write_text(step["run"])
        own = {name: _resolved(value, given) for name, value in step.get("env", {}).items()}
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "GITHUB_"))}
        done.append(
            subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
                cwd=workspace,
                env=environ | runner | own,
                capture_output=True,
                text=True,
                check=False,
            )
        )
        if done[-1].returncode:
            break
    return done


def _resolved(value: str, inputs: dict[str, str]) -> str:
    return re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: inputs[found[1]], value)


def test_action_installs_itself_and_marks_the_lines_of_bad_files(tmp_path: Path) -> None:
    """From a Python with nothing in it: its own steps install it, then judge, as on a runner."""
    action, workspace = tmp_path / "action", tmp_path / "workspace"
    action.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE", "action.yml"):
        shutil.copyfile(ROOT / name, action / name)
    shutil.copytree(ROOT / "droptune", action / "droptune")
    for name, role in (("good", "user"), ("bad", "bot")):
        (workspace / "data" / name).mkdir(parents=True)
        lines = "".join(GOOD % n for n in range(12)).replace("user", role, 1)
        (workspace / "data" / name / "training.jsonl").write_text(lines)
    venv.create(tmp_path / "python", with_pip=True)
    binaries = tmp_path / "python" / ("Scripts" if sys.platform == "win32" else "bin")

    files = "data/**/*.jsonl"
    first, *rest = play_action(action, workspace, binaries, files=files, by_folder="true")

    if first.returncode:
        pytest.skip(f"its packages cannot be fetched here: {first.stderr.strip()[-200:]}")
    [judged] = rest
    assert judged.returncode == 1, judged.stderr
    marks = [line for line in judged.stdout.splitlines() if line.startswith("::error ")]
    assert marks[0].startswith("::error file=data/bad/training.jsonl,line=1,title=unknown-role::")
    assert len(marks) == 1
    assert (tmp_path / "runner" / "summary.md").read_text().count("Rejected") == 1


def test_action_takes_no_input_as_code() -> None:
    """Inputs reach the script by environment alone."""
    assert "${{" not in action_step()["run"]


def test_action_marks_the_lines_of_every_file_that_a_pattern_names(tmp_path: Path) -> None:
    """Patterns and several lines of files work; a bad file fails the job at its line."""
    (tmp_path / "data").mkdir()
    (tmp_path / "training.jsonl").write_text("".join(GOOD % n for n in range(12)))
    bad = "".join(GOOD % n for n in range(20, 32)).replace("user", "bot", 1)
    (tmp_path / "data" / "validation.jsonl").write_text(bad)

    done = run_action(tmp_path, FILES="training.jsonl\ndata/**/*.jsonl\n", MODEL="gpt-4.1-mini")

    assert done.returncode == 1, done.stderr
    assert "::error file=data/validation.jsonl,line=1,title=unknown-role::" in done.stdout
    assert "Rejected" in (tmp_path / "summary.md").read_text()


def test_action_says_when_a_pattern_names_nothing(tmp_path: Path) -> None:
    """No file is no yes."""
    done = run_action(tmp_path, FILES="data/**/*.jsonl")

    assert done.returncode == 2


def test_action_does_not_run_what_an_input_says(tmp_path: Path) -> None:
    """A hostile name is a name."""
    done = run_action(tmp_path, FILES="$(touch hurt) `touch hurt` --help", MODEL="; touch hurt")

    assert done.returncode == 2
    assert not (tmp_path / "hurt").exists()


def test_pre_commit_hook_names_a_command_that_works(tmp_path: Path) -> None:
    """Each folder with a changed file is a dataset of its own."""
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "training.jsonl").write_text("".join(GOOD % n for n in range(12)))
    program, *arguments = shlex.split(hook["entry"])
    files = [str(tmp_path / name / "training.jsonl") for name in ("one", "two")]

    done = subprocess.run(
        [sys.executable, "-m", "droptune.cli", *arguments, *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert program == "droptune"
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Accepted") == 2


@pytest.mark.skipif(not shutil.which("pre-commit"), reason="pre-commit is not installed")
def test_pre_commit_runs_the_hook_on_what_is_committed(tmp_path: Path) -> None:
    """The tool itself installs the hook from a clone and fails a commit with a bad line."""
    clone, repository = tmp_path / "droptune", tmp_path / "datasets"
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", ROOT, clone], check=True)
    repository.mkdir()
    lines = "".join(GOOD % n for n in range(12))
    (repository / "training.jsonl").write_text(lines.replace("user", "bot", 1))
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", *command], cwd=repository, check=True)

    done = subprocess.run(
        ["pre-commit", "try-repo", str(clone), "droptune-validate"],
        cwd=repository,
        env=os.environ | {"PRE_COMMIT_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1, done.stderr
    assert "hook id: droptune-validate" in done.stdout
    assert 'line 1: messages[0].role: "bot" is not one of' in done.stdout


def test_documentation_of_action_and_hook_is_of_what_there_is() -> None:
    """The snippets name keys, rules, inputs and a hook that exist."""
    text = (ROOT / "docs" / "validation.md").read_text("utf-8")
    snippets = re.findall(r"```yaml\n(.*?)```", text, re.S)
    configuration, workflow, hooks = map(yaml.safe_load, snippets)
    inputs = yaml.safe_load((ROOT / "action.yml").read_text())["inputs"]
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    job_file, wrong = parse_job_file(snippets[0].encode(), file="fine-tune-job.yaml")
    resolved, more = resolve(installation=Ceilings(), project_file=None, job_file=job_file)
    chosen = configuration["pipeline"]["validation"]

    assert resolved is not None, (*wrong, *more)
    assert {*chosen["ignore"], *chosen["raise"]} <= RULES.keys()
    assert workflow["steps"][1]["with"].keys() <= inputs.keys()
    assert hooks["repos"][0]["hooks"] == [{"id": hook["id"]}]

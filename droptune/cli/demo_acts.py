"""The acts of the demo: each does one thing for real and checks what came of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from droptune.cli.app_client import AppClient, Document
from droptune.cli.folders import LocalDataset, read_folder
from droptune.cli.follow import follow
from droptune.cli.ledger import read_ledger
from droptune.cli.local_app import LocalApp
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.show import show_line
from droptune.cli.submit import drop
from droptune.cli.targets import Target
from droptune.cli.terminal import Terminal
from droptune.domain.dataset import JOB_FILE
from droptune.domain.report.wording import number_of

VERSION = "v1"
OWN_JOB_FILE = Path(__file__).with_name("demo-job.yaml")
BAD_LINE = 17
_APPROVALS = ("awaiting_approval", "awaiting_promotion")


@dataclass(kw_only=True)
class Stage:
    """What the acts play on.

    Attributes:
        is_kept: whether the installation can be started again after the demo.
        killed_at: seconds after the start at which the host was killed, or None.
    """

    app: LocalApp
    terminal: Terminal
    started: float
    is_kept: bool = False
    killed_at: float | None = None
    back_after: float = 0
    notes: list[str] = field(default_factory=list)

    @property
    def client(self) -> AppClient:
        """The app, which keeps its address through a crash."""
        return AppClient(self.app.app_url)

    def elapsed(self) -> float:
        """Return the seconds since the demo began."""
        return time.monotonic() - self.started

    def jobs(self) -> list[Document]:
        """Return every job that the local Azure OpenAI was ever paid for."""
        jobs: list[Document] = read_ledger(self.app.emulator_url)["jobs"]
        return jobs

    def drop(self, dataset: LocalDataset) -> Document:
        """Drop a dataset; return the run that it leads to."""
        self.terminal.say(f"  {say_dropped(dataset)}")
        target = Target(client=self.client, local=self.app.installation())
        return drop(target, dataset, storage=self.app.storage_connection_string)


class NotAsPromisedError(Refusal):
    """Something in the demo did not happen as it should."""

    def __init__(self, what: str) -> None:
        """Say what."""
        super().__init__(f"Not as promised: {what}", code=Exit.NO)


def _expect(what: str, holds: bool) -> None:
    if not holds:
        raise NotAsPromisedError(what)


def refuse_bad_data(stage: Stage, folder: Path, *, project: str) -> None:
    """Act 1: one wrong role is refused before a cent, with the sentence that repairs it."""
    stage.terminal.say("\nAct 1. A dataset with one wrong word is dropped.", "bold")
    run = stage.drop(read_folder(folder, project=project, version=VERSION))
    status = _watch(stage, run["id"])
    findings = stage.client.get("runs", run["id"], "report")["findings"]
    errors = [finding for finding in findings if finding["severity"] == "error"]
    for error in errors:
        stage.terminal.say(f"  {'what helps':<18} {error['fix']}", "yellow")
    _expect(f"the broken dataset ended {status['phase']}.", status["phase"] == "rejected")
    lines = [error["line"] for error in errors]
    _expect(f"line {BAD_LINE} alone was to be found wrong, not {lines}.", lines == [BAD_LINE])
    _expect("a job was started for bad data.", not _jobs_of(stage, status))
    stage.terminal.say("  Refused before a cent was spent: the ledger shows no job.", "green")


def train_and_promote(stage: Stage, folder: Path, *, project: str | None) -> Document:
    """Act 2: training goes on through a crash of the host and ends in a model that answers.

    A folder of one's own has no project given; its question may stand in its training file.
    """
    stage.terminal.say("\nAct 2. A good dataset trains, and the host is killed on the way.", "bold")
    version = VERSION if project else None
    dataset = with_job_file(read_folder(folder, project=project, version=version))
    run = stage.drop(dataset)
    _tell_addresses(stage, run["links"])
    status = _watch(stage, run["id"], crash=True)
    _expect(f"the run ended {status['phase']}: {status['message']}", _succeeded(status))
    _expect("the host was not killed while it trained.", stage.killed_at is not None)
    jobs = _jobs_of(stage, status)
    _expect(f"the ledger shows {len(jobs)} jobs for this training, not one.", len(jobs) == 1)
    _expect("the candidate was not asked.", bool((status["test"] or {}).get("answer")))
    prompt = str(status["test"]["prompt"])
    new = project is None or not is_asked_in(dataset, prompt)
    _expect("the question is in the training file.", new)
    stage.terminal.say("  Killed and back, and the ledger shows one job.", "green")
    return status


def drop_it_again(stage: Stage, folder: Path, before: Document) -> None:
    """Act 3: the same folder once more starts nothing and buys nothing."""
    stage.terminal.say("\nAct 3. The same folder is dropped again.", "bold")
    bought = read_ledger(stage.app.emulator_url)
    dataset = with_job_file(read_folder(folder, project=before["project"], version=VERSION))
    run = stage.drop(dataset)
    _expect(f"the same dataset led to another run, {run['id']}.", run["id"] == before["id"])
    now = read_ledger(stage.app.emulator_url)
    for what in ("jobs", "files", "deployments"):
        _expect(f"{what} were bought again.", len(now[what]) == len(bought[what]))
    shown = stage.client.get("datasets", dataset.ref.project, dataset.ref.version)
    stage.terminal.say(f"  {shown['message']}")
    stage.terminal.say("  The same run, and nothing was bought.", "green")


def say_dropped(dataset: LocalDataset) -> str:
    """Return what is dropped: the folder's own files, and what the demo lends it."""
    lent = OWN_JOB_FILE in dict(dataset.files).values()
    files = number_of(len(dataset.files) - lent, "file")
    also = ", and the demo's own fine-tune-job.yaml, as the folder has none" if lent else ""
    return f"dropped {files} into datasets/{dataset.ref}/{also}"


def with_job_file(dataset: LocalDataset) -> LocalDataset:
    """Return a dataset with a configuration: the demo's own where the folder brings none."""
    name = dataset.ref.prefix + JOB_FILE
    if name in dict(dataset.files):
        return dataset
    return replace(dataset, files=(*dataset.files, (name, OWN_JOB_FILE)))


def _watch(stage: Stage, run_id: str, *, crash: bool = False) -> Document:
    """Follow a run to its end, saying yes where a person has to."""

    def look(status: Document) -> None:
        if crash and stage.killed_at is None and _is_half_way(status):
            _kill_host(stage)

    for status in follow(stage.client, run_id, every=0.1, on_look=look):
        show_line(status, stage.terminal)
        if status["phase"] in _APPROVALS:
            stage.terminal.say("  A person decides this; the demo says yes.", "cyan")
            stage.client.post("runs", run_id, "approve", body={"by": "the demo"})
    return status


def _tell_addresses(stage: Stage, links: Document) -> None:
    until = "kept" if stage.is_kept else "until the demo ends"
    stage.terminal.say(f"  {'page':<18} {links['page']} ({until})")
    stage.terminal.say(f"  {'status':<18} {links['self']} ({until})")


def _is_half_way(status: Document) -> bool:
    return status["phase"] == "training" and (status["job"] or {}).get("status") == "running"


def _kill_host(stage: Stage) -> None:
    stage.killed_at = stage.elapsed()
    said = f"  {'kill -9':<18} The host is gone, in the middle of training."
    stage.terminal.say(said, "red")
    stage.app.kill_host()
    stage.app.start_host()
    stage.back_after = stage.elapsed() - stage.killed_at
    said = f"  {'started again':<18} After {stage.back_after:.1f} s; the run goes on."
    stage.terminal.say(said)


def _succeeded(status: Document) -> bool:
    planned = status["configuration"] is None
    return status["phase"] == "succeeded" and not planned and bool(status["deployment"])


def _jobs_of(stage: Stage, status: Document) -> list[Document]:
    """Return the jobs of a run's training: the mark in the suffix names it."""
    mark = str(status["dataset"]["digest"])[:16]
    return [job for job in stage.jobs() if mark in json.dumps(job)]


def is_asked_in(dataset: LocalDataset, prompt: str) -> bool:
    """Whether a prompt stands in the training data as a user's own words."""
    training = [path for name, path in dataset.files if "train" in name.rpartition("/")[2]]
    return any(prompt in _user_texts(line) for path in training for line in _lines(path))


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8-sig").splitlines()


def _user_texts(line: str) -> list[Any]:
    messages = json.loads(line).get("messages", []) if line.strip() else []
    return [message.get("content") for message in messages if message.get("role") == "user"]

"""What a user does with a running installation: drop, look, say a word."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from droptune.cli.app_client import AppClient, Document
from droptune.cli.folders import read_folder
from droptune.cli.follow import follow
from droptune.cli.ledger import read_ledger
from droptune.cli.local_app import EMULATOR_KEY, LocalApp
from droptune.cli.storage import open_storage
from droptune.cli.submit import drop
from droptune.cli.targets import Target

Example = Mapping[str, Any]
JOB_FILE = """\
model: gpt-4.1-mini
seed: 105
method: {type: supervised, supervised: {hyperparameters: {n_epochs: 3}}}
pipeline:
  budget: {run_usd: 50, hosting_usd_month: 2000}
  deploy:
    production: {sku: GlobalStandard, capacity: 50}
"""


class Line:
    """An installation and the few things that people do with it."""

    def __init__(self, app: LocalApp) -> None:
        """Use an installation that runs."""
        self.app = app

    @property
    def client(self) -> AppClient:
        """The app over HTTP; it keeps its address through a crash."""
        return AppClient(self.app.app_url)

    def drop(self, folder: Path, *, project: str, version: str = "v1") -> Document:
        """Drop a folder and return the run that it leads to."""
        target = Target(client=self.client, local=self.app.installation())
        dataset = read_folder(folder, project=project, version=version)
        return drop(target, dataset, storage=self.app.storage_connection_string)

    def put(self, name: str, data: bytes) -> None:
        """Write one blob, as any other writer would."""
        with open_storage(self.app.storage_connection_string) as storage:
            storage.get_blob_client("datasets", name).upload_blob(data, overwrite=True)

    def follow(
        self, run_id: str, on_look: Callable[[Document], None] = lambda status: None
    ) -> Document:
        """Return the status in which a run ends; where a person is asked, say yes."""

        def look(status: Document) -> None:
            if status["phase"] in ("awaiting_approval", "awaiting_promotion"):
                self.client.post("runs", run_id, "approve", body={"reason": "a test says yes"})
            on_look(status)

        *_, ended = follow(self.client, run_id, every=0.1, on_look=look)
        return ended

    def wait_for(
        self,
        look: Callable[[], Document],
        *,
        until: Callable[[Document], bool],
        seconds: float = 30,
    ) -> Document:
        """Look until what is seen is as wanted, or the time is over; return what was seen last."""
        deadline = time.monotonic() + seconds
        while not until(seen := look()) and time.monotonic() < deadline:
            time.sleep(0.1)
        return seen

    def change_service(self, **settings: float) -> None:
        """Change how the local service behaves from now on, such as `training_seconds`."""
        url = f"{self.app.emulator_url}/emulator/settings"
        body = json.dumps(settings).encode()
        headers = {"Content-Type": "application/json", "api-key": EMULATOR_KEY}
        request = urllib.request.Request(url, data=body, headers=headers, method="PATCH")
        with urllib.request.urlopen(request, timeout=10):
            return

    def jobs_of(self, status: Document) -> list[Document]:
        """Return every job that the service was ever paid for with a run's training."""
        mark = str(status["dataset"]["digest"])[:16]
        jobs = read_ledger(self.app.emulator_url)["jobs"]
        return [job for job in jobs if mark in json.dumps(job)]


def write_dataset(
    folder: Path, examples: Sequence[Example | str], *, job_file: str = JOB_FILE
) -> Path:
    """Write a dataset's folder; a text among the examples is a line as it stands."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [each if isinstance(each, str) else json.dumps(each) for each in examples]
    (folder / "training.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if job_file:
        (folder / "fine-tune-job.yaml").write_text(job_file, encoding="utf-8")
    return folder


def an_example(number: int, *, answer: str = "Aye, captain: {n} it is!") -> dict[str, Any]:
    """Return an example about a number."""
    return {
        "messages": [
            {"role": "system", "content": "You are a parrot who counts."},
            {"role": "user", "content": f"Which number comes after {number}?"},
            {"role": "assistant", "content": answer.format(n=number + 1)},
        ]
    }

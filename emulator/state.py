"""Everything one emulated resource knows: in memory to read, on disk before it answers."""

from __future__ import annotations

import copy
import hashlib
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, TypeVar

from emulator.learner import Learned, train
from emulator.models import find_base_model
from emulator.records import Deployment, Job, Json, Settings, StoredFile, Upload
from emulator.store import Store
from emulator.tokens import count_tokens

Record = StoredFile | Upload | Job | Deployment
R = TypeVar("R", StoredFile, Upload, Job, Deployment)
_KINDS: dict[type[Record], str] = {
    StoredFile: "file",
    Upload: "upload",
    Job: "job",
    Deployment: "deployment",
}
BASE_DEPLOYMENTS = ("gpt-4.1-mini", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-nano")


class State:
    """The state of one resource, in `directory`: `emulator.sqlite`, `files/` and `models/`.

    `seed` makes ids reproducible; without it each new state draws its own.
    """

    def __init__(
        self,
        directory: Path,
        *,
        count_tokens: Callable[[str], int] = count_tokens,
        train: Callable[..., Learned] = train,
        seed: str | None = None,
        settings: Json | None = None,
    ) -> None:
        self.directory = directory
        self.count_tokens, self.train = count_tokens, train
        for folder in ("files", "models"):
            (directory / folder).mkdir(parents=True, exist_ok=True)
        self.store = Store(directory / "emulator.sqlite")
        self.files = self._load(StoredFile)
        self.uploads = self._load(Upload)
        self.jobs = self._load(Job)
        self.deployments = self._load(Deployment)
        self.meta: Json = self.store.load("meta").get("meta", {})
        self.meta.setdefault("seed", seed or secrets.token_hex(8))
        self.faults: list[Json] = self.store.load("meta").get("faults", [])
        self.settings = Settings(**self.store.load("meta").get("settings", {}))
        self.learned: dict[str, Learned] = {}
        self._kept: Json = {}
        self.upload_times: deque[float] = deque()
        self.calls: dict[str, deque[tuple[float, int]]] = {}
        self.set_settings(settings or {})
        self._sweep()

    def _sweep(self) -> None:
        """Remove the bytes of files that a killed process had not yet answered for."""
        parts = {id for upload in self.uploads.values() for id in upload.parts}
        for path in (self.directory / "files").iterdir():
            if path.name not in self.files and path.name not in parts:
                path.unlink()

    def _load(self, kind: type[R]) -> dict[str, R]:
        names = {field.name for field in fields(kind)}
        rows = self.store.load(_KINDS[kind])
        return {
            id: kind(**{key: value for key, value in row.items() if key in names})
            for id, row in rows.items()
        }

    @property
    def settled_at(self) -> float:
        """The emulated time up to which everything has happened; also where a restart goes on."""
        return float(self.meta.get("settled_at", 0.0))

    @settled_at.setter
    def settled_at(self, value: float) -> None:
        self.meta["settled_at"] = max(value, self.settled_at)

    def new_id(self, prefix: str) -> str:
        """Return a new id: the prefix and 32 hex digits, reproducible from the seed."""
        self.meta["ids"] = number = self.meta.get("ids", 0) + 1
        digest = hashlib.sha256(f"{self.meta['seed']} {number}".encode()).hexdigest()
        return prefix + digest[:32]

    def save(self, record: Record) -> None:
        """Remember a record; it is durable with the next `commit`."""
        tables: dict[str, dict[str, Any]] = {
            "file": self.files,
            "upload": self.uploads,
            "job": self.jobs,
            "deployment": self.deployments,
        }
        kind = _KINDS[type(record)]
        tables[kind][record.id] = record
        self.store.put(kind, record.id, asdict(record))

    def set_settings(self, changes: Json) -> None:
        """Change some settings; KeyError names one that does not exist."""
        unknown = set(changes) - {field.name for field in fields(Settings)}
        if unknown:
            raise KeyError(", ".join(sorted(unknown)))
        self.settings = Settings(**(asdict(self.settings) | changes))
        self.store.put("meta", "settings", asdict(self.settings))

    def commit(self) -> None:
        """Make everything durable, with the clock and the faults."""
        self._keep("meta", self.meta)
        self._keep("faults", self.faults)
        self.store.commit()

    def _keep(self, name: str, body: Any) -> None:
        if self._kept.get(name) != body:
            self._kept[name] = copy.deepcopy(body)
            self.store.put("meta", name, body)

    def close(self) -> None:
        """Write what is left and let go of the files."""
        self.commit()
        self.store.close()

    def content_path(self, file_id: str) -> Path:
        """Return where a file's content is."""
        return self.directory / "files" / file_id

    def live_files(self) -> list[StoredFile]:
        """Return the files that were not deleted, oldest first."""
        return [file for file in self.files.values() if file.deleted_at is None]

    def find_file(self, file_id: str) -> StoredFile | None:
        """Return a file that was not deleted, or None."""
        file = self.files.get(file_id)
        return file if file and file.deleted_at is None else None

    def live_jobs(self) -> list[Job]:
        """Return the jobs that were not deleted, oldest first."""
        return [job for job in self.jobs.values() if job.deleted_at is None]

    def live_deployments(self) -> list[Deployment]:
        """Return the deployments that exist, oldest first."""
        return [d for d in self.deployments.values() if d.deleted_at is None]

    def find_deployment(self, name: str) -> Deployment | None:
        """Return the deployment of that name (case is ignored, as ARM does), or None."""
        return next((d for d in self.live_deployments() if d.name.lower() == name.lower()), None)

    def find_job_of_model(self, model: str) -> Job | None:
        """Return the succeeded job that made a model; a checkpoint's name or id will do, too.

        Source: FT-DEPLOY-OLD says `ftchkpt-…`, FT-TUT shows `…:ckpt-step-N`; both are accepted.
        """
        for job in self.jobs.values():
            if job.status != "succeeded":
                continue
            names = [job.checkpoint_model(step).lower() for step in job.epoch_steps]
            if model.lower() in names or model in map(job.checkpoint_id, job.epoch_steps):
                return job
        return None

    def ensure_base_deployments(self, now: float) -> None:
        """Create the base deployments of a new resource, once. Differs: Azure creates none."""
        if self.meta.get("base_deployments"):
            return
        self.meta["base_deployments"] = True
        for name in BASE_DEPLOYMENTS:
            model = find_base_model(name)
            assert model is not None
            deployment = Deployment(
                id=self.new_id("deployment-"),
                name=name,
                model=name,
                version=model.version,
                sku="GlobalStandard",
                capacity=100,
                created_at=now,
                creating_seconds=0,
                lag_seconds=0,
                preset=True,
            )
            self.save(deployment)

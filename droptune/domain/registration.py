"""What is asked for when a run is wanted, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from droptune.domain.dataset import DatasetFile, DatasetRef, Folder, Role
from droptune.domain.findings import Problem
from droptune.domain.payload import Model
from droptune.domain.run import RunRef


class Cause(StrEnum):
    """Why a run is wanted."""

    DROP = "drop"
    REQUEST = "request"
    RETRY = "retry"
    AGAIN = "again"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRequest(Model):
    """A wish for a run of a dataset.

    Attributes:
        repeats: for retry and again, the id of the run that is repeated.
        by: who asks: a principal, "holder of the key", or "droptune" for a drop.
        fingerprint: of the folder that settled; "" for whatever lies there.
    """

    dataset: DatasetRef
    cause: Cause = Cause.DROP
    repeats: str | None = None
    by: str = "droptune"
    fingerprint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration(Model):
    """The answer: the run that the wish leads to.

    Attributes:
        run: the run, new or already there; None when there is nothing to run.
        started: whether the run is new.
        code: `started`, `already-running`, `already-succeeded`, `nothing-new`, `waiting`,
        `not-found`
            or `not-ended`.
    """

    run: RunRef | None
    started: bool
    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownFile(Model):
    """A blob as a dataset's record knows it."""

    name: str
    etag: str


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetRecord(Model):
    """`registry/<project>/datasets/<version>.json`: what is known of a dataset.

    Attributes:
        state: `seen` (it lay there when Droptune was installed) or `settled`.
        files: names and ETags that are not new any more.
        runs: ids of its runs, newest last.
        named: path in the folder of each role's file that has its role by configuration.
    """

    project: str
    version: str
    state: str
    schema_version: int = 1
    files: tuple[KnownFile, ...] = ()
    runs: tuple[str, ...] = ()
    message: str = ""
    settled_at: datetime | None = None
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def named_files(self) -> dict[Role, str]:
        """What `sort_files` is told, so that the folder shows as it was when it settled."""
        return {Role(role): path for role, path in self.named.items()}

    def knows(self, folder: Folder) -> bool:
        """Whether a folder holds nothing new."""
        return set(self.files) == set(known_files(folder.relevant))

    def with_run(self, run_id: str, folder: Folder, *, at: datetime, message: str) -> DatasetRecord:
        """Return the record after a run was registered for what the folder holds."""
        runs = (*(run for run in self.runs if run != run_id), run_id)
        return replace(
            self,
            state="settled",
            files=known_files(folder.relevant),
            runs=runs,
            message=message,
            settled_at=at,
            named=folder.named,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedCollection(Model):
    """`registry/<project>/collecting/<version>.json`: why and when a dataset was not taken up.

    It says nothing of a folder that changed since, or that became a run since.
    """

    dataset: DatasetRef
    problem: Problem
    at: datetime
    schema_version: int = 1

    def holds_for(self, folder: Folder) -> bool:
        """Whether what lies in the folder is what failed."""
        return folder.changed_at is None or folder.changed_at <= self.at


def failed_collection_name(dataset: DatasetRef) -> str:
    """Return the name of that document in the container `registry`."""
    return f"{dataset.project}/collecting/{dataset.version}.json"


def known_files(files: Sequence[DatasetFile]) -> tuple[KnownFile, ...]:
    """Return the names and ETags of files."""
    return tuple(KnownFile(name=file.name, etag=file.etag) for file in files)


def dataset_record_name(dataset: DatasetRef) -> str:
    """Return the name of a dataset's record in the container `registry`."""
    return f"{dataset.project}/datasets/{dataset.version}.json"

"""A dataset as it was dropped: where its files lie, which role each has, and when it is settled."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from droptune.domain.findings import Finding, Severity
from droptune.domain.payload import Model

PROJECT_FILE = "project.yaml"
JOB_FILE = "fine-tune-job.yaml"
SUCCESS_FILE = "_SUCCESS"
BARE_VERSION = "latest"
LAYOUT = "<project>/<version>/training.jsonl"
_NAME = re.compile(r"[A-Za-z0-9-][A-Za-z0-9._-]{0,63}")
_PART = re.compile(r"part-[^/]*\.jsonl?", re.IGNORECASE)


class Role(StrEnum):
    """What a file of a dataset is for."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


_ROLES = {
    **dict.fromkeys(("training", "train", "training_set", "train_set"), Role.TRAINING),
    **dict.fromkeys(("validation", "valid", "val", "dev", "validation_set"), Role.VALIDATION),
    **dict.fromkeys(("test", "holdout", "test_set"), Role.TEST),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetRef(Model):
    """Names a dataset; both names match `is_name`."""

    project: str
    version: str

    @property
    def prefix(self) -> str:
        """Where the dataset's files lie in the container."""
        return f"{self.project}/{self.version}/"

    @property
    def bare_file(self) -> str | None:
        """The file beside the folders that is this dataset's training data, if it may have one."""
        return f"{self.project}.jsonl" if self.version == BARE_VERSION else None

    @property
    def collector_id(self) -> str:
        """Instance id of the orchestration that collects this dataset.

        The hash keeps names that differ only in case apart from each other.
        """
        digest = hashlib.sha256(f"{self.project}/{self.version}".encode()).hexdigest()
        return f"collect-{digest[:32]}"

    def __str__(self) -> str:
        """Return `project/version`."""
        return f"{self.project}/{self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Rejected:
    """A path that is not part of the layout, and why."""

    path: str
    message: str
    remedy: str


def is_name(text: str) -> bool:
    """Whether a text may name a project or a version: 64 of letters, digits, `.`, `_`, `-`."""
    return _NAME.fullmatch(text) is not None


def locate(path: str) -> DatasetRef | Rejected | None:
    """Return the dataset that a blob belongs to, why it belongs to none, or None to leave it alone.

    A project's own configuration never starts a run and is left alone.
    """
    parts = path.split("/")
    if len(parts) == 1:
        return _locate_bare(path)
    if len(parts) == 2:
        return _locate_in_project(path, *parts)
    for kind, name in (("project", parts[0]), ("version", parts[1])):
        if not is_name(name):
            return _bad_name(path, kind, name)
    return DatasetRef(project=parts[0], version=parts[1])


def _locate_bare(path: str) -> DatasetRef | Rejected:
    name, dot, ending = path.rpartition(".")
    if not dot or ending.lower() != "jsonl":
        return Rejected(
            path=path,
            message="A file outside a dataset's folder is accepted only as <name>.jsonl.",
            remedy=f"Put it at {LAYOUT}.",
        )
    if ending != "jsonl":
        return Rejected(path=path, message="The ending is not .jsonl.", remedy="Use .jsonl.")
    return (
        DatasetRef(project=name, version=BARE_VERSION)
        if is_name(name)
        else _bad_name(path, "project", name)
    )


def _locate_in_project(path: str, project: str, name: str) -> Rejected | None:
    if not is_name(project):
        return _bad_name(path, "project", project)
    if name == PROJECT_FILE:
        return None
    if "." not in name or name == "":
        return None  # the marker of a folder (ADLS Gen2)
    return Rejected(
        path=path,
        message="The file lies beside the versions of a project, not inside one.",
        remedy=f"Put it into a version's folder: {LAYOUT}.",
    )


def _bad_name(path: str, kind: str, name: str) -> Rejected:
    return Rejected(
        path=path,
        message=f"{name[:80]!r} cannot name a {kind}.",
        remedy="Use 1 to 64 of letters, digits, '.', '_' and '-', not beginning with '.' or '_'.",
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class DatasetFile(Model):
    """One blob of a dataset; `name` is the whole path in the container."""

    name: str
    etag: str
    size_bytes: int
    modified_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A dataset's files by their role.

    Attributes:
        files: the blobs of each role, in order of name.
        job_file: `fine-tune-job.yaml`, if there.
        complete: `_SUCCESS` is there and not older than any other file.
        others: files that are left alone.
        look_alikes: files that may have been meant as training data.
        findings: what has to be asked: two files for a role, a name with two meanings.
    """

    files: dict[Role, tuple[DatasetFile, ...]]
    job_file: DatasetFile | None
    complete: bool
    others: tuple[str, ...]
    look_alikes: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def relevant(self) -> tuple[DatasetFile, ...]:
        """Every blob that makes this dataset what it is, in order of name."""
        found = [file for files in self.files.values() for file in files]
        if self.job_file:
            found.append(self.job_file)
        return tuple(sorted(found, key=lambda file: file.name))

    @property
    def fingerprint(self) -> str:
        """Changes when a relevant blob comes, goes, or gets another ETag."""
        pairs = "\n".join(f"{file.name}\t{file.etag}" for file in self.relevant)
        return hashlib.sha256(pairs.encode()).hexdigest()[:32]

    @property
    def changed_at(self) -> datetime | None:
        """When the newest relevant blob was written."""
        return max((file.modified_at for file in self.relevant), default=None)

    @property
    def has_training_data(self) -> bool:
        """Whether there is a training file with something in it, or a question to ask about one."""
        training = self.files.get(Role.TRAINING, ())
        return any(file.size_bytes for file in training) or bool(self.findings)

    def waiting_for(self) -> str:
        """Return a sentence that says what a dataset without training data waits for."""
        if any(True for _ in self.files.get(Role.TRAINING, ())):
            return "The training file is empty so far; waiting for its content."
        hint = f" Is {self.look_alikes[0]!r} meant?" if self.look_alikes else ""
        return f"Waiting for training.jsonl.{hint}"


def sort_files(ref: DatasetRef, blobs: Iterable[DatasetFile]) -> Folder:
    """Give each blob of a dataset its role."""
    single: dict[Role, list[DatasetFile]] = {}
    parts: dict[Role, list[DatasetFile]] = {}
    others: list[DatasetFile] = []
    findings: list[Finding] = []
    job_file = success = None
    for blob in blobs:
        name = blob.name.removeprefix(ref.prefix)
        role = _role_of(name)
        if blob.name == ref.bare_file:
            single.setdefault(Role.TRAINING, []).append(blob)
        elif name == JOB_FILE:
            job_file = blob
        elif name == SUCCESS_FILE:
            success = blob
        elif name.casefold() == "eval.jsonl":
            findings.append(_ask_about_eval(name))
        elif role is None:
            others.append(blob)
        else:
            (parts if "/" in name else single).setdefault(role, []).append(blob)
    files = {}
    for role in Role:
        found = [*single.get(role, ()), *parts.get(role, ())]
        if len(single.get(role, ())) + bool(parts.get(role)) > 1:
            findings.append(_ask_which(role, ref, found))
        if found:
            files[role] = tuple(sorted(found, key=lambda file: file.name))
    folder = Folder(
        files=files,
        job_file=job_file,
        complete=False,
        others=tuple(blob.name.removeprefix(ref.prefix) for blob in others),
        look_alikes=_look_alikes(ref, others),
        findings=tuple(findings),
    )
    return _with_success(folder, success)


def _with_success(folder: Folder, success: DatasetFile | None) -> Folder:
    newest = folder.changed_at
    complete = success is not None and newest is not None and success.modified_at >= newest
    return Folder(
        files=folder.files,
        job_file=folder.job_file,
        complete=complete,
        others=folder.others,
        look_alikes=folder.look_alikes,
        findings=folder.findings,
    )


def role_of_file(name: str) -> Role | None:
    """Return the role that a file's name inside a dataset gives it, or None."""
    return _role_of(name)


def _role_of(name: str) -> Role | None:
    head, slash, rest = name.partition("/")
    if slash:
        return _ROLES.get(head.casefold()) if _PART.fullmatch(rest) else None
    stem, _, ending = head.rpartition(".")
    return _ROLES.get(stem.casefold()) if ending.casefold() == "jsonl" else None


def _look_alikes(ref: DatasetRef, others: Sequence[DatasetFile]) -> tuple[str, ...]:
    names = [blob.name.removeprefix(ref.prefix) for blob in others]
    return tuple(name for name in names if _looks_like_training(name))


def _looks_like_training(name: str) -> bool:
    stem = name.casefold().split("/")[0].split(".")[0]
    return "train" in stem or bool(difflib.get_close_matches(stem, list(_ROLES), 1, 0.75))


def _ask_about_eval(name: str) -> Finding:
    return Finding(
        rule="ambiguous-role",
        severity=Severity.ERROR,
        file=name,
        message="eval.jsonl can mean validation data or held-out test data.",
        fix="Rename it to validation.jsonl or test.jsonl.",
    )


def _ask_which(role: Role, ref: DatasetRef, found: Sequence[DatasetFile]) -> Finding:
    names = ", ".join(file.name.removeprefix(ref.prefix) for file in found[:5])
    return Finding(
        rule="two-files-for-a-role",
        severity=Severity.ERROR,
        file=found[0].name.removeprefix(ref.prefix),
        message=f"More than one file is {role.value} data: {names}.",
        fix="Keep one of them, or put parts into one folder as part-*.jsonl.",
    )

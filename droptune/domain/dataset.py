"""A dataset as it was dropped: which role each of its files has, and when it is complete."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from droptune.domain.findings import Finding, Severity
from droptune.domain.layout import (
    BARE_VERSION,
    LAYOUT,
    PROJECT_FILE,
    DatasetRef,
    Rejected,
    is_name,
    locate,
)
from droptune.domain.payload import Model

__all__ = [
    "BARE_VERSION",
    "JOB_FILE",
    "LAYOUT",
    "PROJECT_FILE",
    "SUCCESS_FILE",
    "DatasetFile",
    "DatasetRef",
    "Folder",
    "Rejected",
    "Role",
    "is_name",
    "locate",
    "role_of_file",
    "sort_files",
]

JOB_FILE = "fine-tune-job.yaml"
SUCCESS_FILE = "_SUCCESS"
_UNCLEAR = "eval.jsonl"
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
        unclear: the blobs that a question is about and that have no role.
        missing: the training file that the configuration names and that is not there.
        named: path in the folder of each role's file that has its role by configuration.
    """

    files: dict[Role, tuple[DatasetFile, ...]]
    job_file: DatasetFile | None = None
    complete: bool = False
    others: tuple[str, ...] = ()
    look_alikes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    unclear: tuple[DatasetFile, ...] = ()
    missing: str | None = None
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def relevant(self) -> tuple[DatasetFile, ...]:
        """Every blob that makes this dataset what it is, in order of name."""
        found = [file for files in self.files.values() for file in files]
        found += self.unclear
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
        if self.files.get(Role.TRAINING):
            return "The training file is empty so far; waiting for its content."
        hint = f" Is {self.look_alikes[0]!r} meant?" if self.look_alikes else ""
        if self.missing:
            return f"Waiting for {self.missing!r}, which {JOB_FILE} names.{hint}"
        return f"Waiting for training.jsonl.{hint}"


def sort_files(
    ref: DatasetRef, blobs: Iterable[DatasetFile], *, named: Mapping[Role, str] | None = None
) -> Folder:
    """Give each blob of a dataset its role.

    `named` is what the configuration calls training or validation data: a path inside the folder,
    else its last part. It goes before every file that has the role by its own name.
    """
    sorter = _Sorter(ref, tuple(blobs))
    for role, path in (named or {}).items():
        sorter.choose(role, path)
    return sorter.folder()


class _Sorter:
    """Sorts the blobs of one dataset."""

    def __init__(self, ref: DatasetRef, blobs: tuple[DatasetFile, ...]) -> None:
        self._ref = ref
        self._blobs = {blob.name.removeprefix(ref.prefix): blob for blob in blobs}
        self._chosen: dict[Role, str] = {}
        self._missing: dict[Role, str] = {}

    def choose(self, role: Role, path: str) -> None:
        last = path.rpartition("/")[2]
        like = (name for name in self._blobs if name.rpartition("/")[2] == last)
        found = path if path in self._blobs else min(like, key=_depth_and_name, default=None)
        if found is None:
            self._missing[role] = last
        else:
            self._chosen[role] = found

    def folder(self) -> Folder:
        by_role: dict[Role, list[str]] = {role: [] for role in Role}
        others: list[str] = []
        special: dict[str, DatasetFile] = {}
        unclear: dict[str, DatasetFile] = {}
        for name, blob in sorted(self._blobs.items()):
            role = self._role(name, blob)
            if role is not None:
                by_role[role].append(name)
            elif name in (JOB_FILE, SUCCESS_FILE):
                special[name] = blob
            elif name.casefold() == _UNCLEAR:
                unclear[name] = blob
            else:
                others.append(name)
        missing = self._missing.get(Role.TRAINING)
        return Folder(
            files={role: self._found(names) for role, names in by_role.items() if names},
            job_file=special.get(JOB_FILE),
            complete=_is_complete(special.get(SUCCESS_FILE), self._blobs.values()),
            others=tuple(others),
            look_alikes=tuple(name for name in others if _looks_like_training(name)),
            findings=tuple(self._questions(by_role, unclear)),
            unclear=tuple(unclear.values()),
            missing=missing,
            named={role.value: name for role, name in self._chosen.items()},
        )

    def _role(self, name: str, blob: DatasetFile) -> Role | None:
        if name in self._chosen.values():
            return next(role for role, chosen in self._chosen.items() if chosen == name)
        own = Role.TRAINING if blob.name == self._ref.bare_file else _role_of(name)
        return None if own in self._chosen else own

    def _found(self, names: Sequence[str]) -> tuple[DatasetFile, ...]:
        return tuple(self._blobs[name] for name in names)

    def _questions(
        self, by_role: Mapping[Role, Sequence[str]], unclear: Iterable[str]
    ) -> Iterator[Finding]:
        yield from (_ask_about_eval(name) for name in unclear)
        for role, names in by_role.items():
            single = [name for name in names if "/" not in name]
            folders = {name.partition("/")[0] for name in names if "/" in name}
            if len(single) + len(folders) > 1:
                yield _ask_which(role, names)
        for role, name in self._missing.items():
            if by_role[Role.TRAINING]:
                yield _ask_for_named(role, name)


def _depth_and_name(name: str) -> tuple[int, str]:
    return name.count("/"), name


def _is_complete(success: DatasetFile | None, blobs: Iterable[DatasetFile]) -> bool:
    """Whether `_SUCCESS` is not older than any file; the service's times are whole seconds."""
    return success is not None and all(
        blob.modified_at <= success.modified_at for blob in blobs if blob.size_bytes
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


def _looks_like_training(name: str) -> bool:
    """Whether a file may be meant as training data: by its name, or as data without a role."""
    stem, _, endings = name.casefold().split("/")[0].partition(".")
    close = difflib.get_close_matches(stem, list(_ROLES), 1, 0.75)
    if close and _ROLES[close[0]] is not Role.TRAINING:
        return False
    return bool(close) or "train" in stem or "jsonl" in endings


def _ask_about_eval(name: str) -> Finding:
    return Finding(
        rule="ambiguous-role",
        severity=Severity.ERROR,
        file=name,
        message="eval.jsonl can mean validation data or held-out test data.",
        fix="Rename it to validation.jsonl or test.jsonl.",
    )


def _ask_which(role: Role, names: Sequence[str]) -> Finding:
    return Finding(
        rule="two-files-for-a-role",
        severity=Severity.ERROR,
        file=names[0],
        message=f"More than one file is {role.value} data: {', '.join(names[:5])}.",
        fix="Keep one of them, or put parts into one folder as part-*.jsonl.",
    )


def _ask_for_named(role: Role, name: str) -> Finding:
    return Finding(
        rule="missing-file",
        severity=Severity.ERROR,
        file=JOB_FILE,
        path=f"{role.value}_file",
        message=f"{name[:80]!r} is not in the folder.",
        fix="Drop it there, or name a file that is there.",
    )

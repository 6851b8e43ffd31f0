"""The layout of the container: which dataset a blob belongs to, or why it belongs to none."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from droptune.domain.payload import Model

PROJECT_FILE = "project.yaml"
BARE_VERSION = "latest"
LAYOUT = "<project>/<version>/training.jsonl"
_NAME = re.compile(r"[A-Za-z0-9-][A-Za-z0-9._-]{0,63}")


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


def locate(path: str, *, size_bytes: int | None = None) -> DatasetRef | Rejected | None:
    """Return the dataset that a blob belongs to, why it belongs to none, or None to leave it alone.

    A project's own configuration never starts a run and is left alone, as is the marker of a folder
    (ADLS Gen2: an empty blob of the folder's name). Where the size is not known, what has no ending
    is taken for a marker.
    """
    parts = path.split("/")
    if len(parts) < 3:
        return _locate_outside(path, parts, size_bytes)
    for kind, name in (("project", parts[0]), ("version", parts[1])):
        if not is_name(name):
            return _bad_name(path, kind, name)
    return DatasetRef(project=parts[0], version=parts[1])


def _locate_outside(
    path: str, parts: list[str], size_bytes: int | None
) -> DatasetRef | Rejected | None:
    """Judge a blob that lies in no version's folder."""
    name = parts[-1]
    stem, _, ending = name.rpartition(".")
    bare = len(parts) == 1 and ending == "jsonl"
    is_marker = size_bytes == 0 if size_bytes is not None else "." not in name
    if is_marker and not bare and all(is_name(part) for part in parts if part):
        return None
    if len(parts) == 2 and not is_name(parts[0]):
        return _bad_name(path, "project", parts[0])
    if len(parts) == 2:
        return (
            None if name == PROJECT_FILE else _misplaced(path, "beside the versions of a project")
        )
    if not bare:
        return _misplaced(path, "outside a dataset's folder and is not <name>.jsonl")
    if not is_name(stem):
        return _bad_name(path, "project", stem)
    return DatasetRef(project=stem, version=BARE_VERSION)


def _misplaced(path: str, where: str) -> Rejected:
    return Rejected(
        path=path,
        message=f"The file lies {where}.",
        remedy=f"Put it into a version's folder: {LAYOUT}.",
    )


def _bad_name(path: str, kind: str, name: str) -> Rejected:
    return Rejected(
        path=path,
        message=f"{name[:80]!r} cannot name a {kind}.",
        remedy="Use 1 to 64 of letters, digits, '.', '_' and '-', not beginning with '.' or '_'.",
    )

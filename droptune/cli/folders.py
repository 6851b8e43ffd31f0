"""A folder of this machine, read as the dataset that it would be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from droptune.cli.refusals import Exit, Refusal
from droptune.domain.configuration import named_files
from droptune.domain.dataset import (
    JOB_FILE,
    DatasetFile,
    DatasetRef,
    Role,
    is_name,
    sort_files,
)

DEEPEST = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalDataset:
    """Files to upload, each with its name in the container, and what is left alone."""

    ref: DatasetRef
    files: tuple[tuple[str, Path], ...]
    left_out: tuple[str, ...] = ()


def read_folder(
    folder: Path, *, project: str | None = None, version: str | None = None
) -> LocalDataset:
    """Return a folder as a dataset; raises Refusal for what the app would only ask back.

    Without a version it is named by the content, so that the same folder is the same dataset.
    """
    if not folder.is_dir():
        raise _wrong(f"{folder} is not a folder.", "Name a folder that holds training.jsonl.")
    found = dict(_files(folder))
    project = _name("project", project or _as_name(folder.resolve().name))
    version = _name("version", version or _content_version(found))
    ref = DatasetRef(project=project, version=version)
    described = [_described(ref, *item) for item in found.items()]
    sorted_files = sort_files(ref, described, named=_named(found.get(JOB_FILE)))
    if sorted_files.findings:
        raise _wrong(str(sorted_files.findings[0]), "Nothing was uploaded.")
    if not sorted_files.has_training_data:
        raise _wrong(f"{folder}: {sorted_files.waiting_for()}", "Nothing was uploaded.")
    names = [file.name.removeprefix(ref.prefix) for file in sorted_files.relevant]
    files = tuple((ref.prefix + name, found[name]) for name in names)
    return LocalDataset(ref=ref, files=files, left_out=sorted_files.others)


def _named(job_file: Path | None) -> dict[Role, str]:
    """Return what the folder's own configuration calls training and validation data."""
    if job_file is None:
        return {}
    from droptune.validation.job_file import parse_job_file

    read, _ = parse_job_file(job_file.read_bytes(), file=JOB_FILE)
    return named_files(read) if read else {}


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith(".") for part in name.split("/"))
        if path.is_file() and not hidden and name.count("/") < DEEPEST:
            yield name, path


def _described(ref: DatasetRef, name: str, path: Path) -> DatasetFile:
    status = path.stat()
    return DatasetFile(
        name=ref.prefix + name,
        etag="",
        size_bytes=status.st_size,
        modified_at=datetime.fromtimestamp(status.st_mtime, UTC),
    )


def _content_version(found: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name, path in found.items():
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{name}\t{content}\n".encode())
    return f"v-{digest.hexdigest()[:8]}"


def _as_name(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-._")[:64]


def _name(kind: str, text: str) -> str:
    if not is_name(text):
        raise _wrong(
            f"{text!r} cannot name a {kind}.",
            f"Use --{kind} with 1 to 64 of letters, digits, '.', '_' and '-'.",
        )
    return text


def _wrong(message: str, remedy: str) -> Refusal:
    return Refusal(message, remedy, code=Exit.WRONG_USAGE)

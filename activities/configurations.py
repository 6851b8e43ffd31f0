"""The configuration files of a dataset, read and resolved."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from droptune.domain.configuration import Ceilings, Configuration, JobFile, resolve
from droptune.domain.dataset import JOB_FILE, PROJECT_FILE, DatasetRef, Folder
from droptune.domain.findings import Finding
from droptune.domain.models import model_names
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore


@dataclass(frozen=True, kw_only=True, slots=True)
class ReadConfiguration:
    """What the files say, or what is wrong with them."""

    configuration: Configuration | None
    findings: tuple[Finding, ...]
    training_as_written: Mapping[str, Any]
    rest_as_written: Mapping[str, Any]


def read_configuration(
    dataset: DatasetRef, folder: Folder, datasets: BlobStore, ceilings: Ceilings
) -> ReadConfiguration:
    """Read project.yaml and fine-tune-job.yaml; raises ConflictError when the latter changes."""
    project_blob = datasets.find(f"{dataset.project}/{PROJECT_FILE}")
    project_data = project_blob.data if project_blob else None
    job_data = _read_pinned(folder, datasets)
    project_file, of_project = _parse(project_data, PROJECT_FILE)
    job_file, of_job = _parse(job_data, JOB_FILE)
    findings = (*of_project, *of_job)
    configuration = None
    if not any(finding.severity == "error" for finding in findings):
        configuration, more = resolve(
            installation=ceilings,
            project_file=project_file,
            job_file=job_file,
            known_models=model_names(),
        )
        findings = (*findings, *more)
    if configuration is None:
        raw = {"unread": [_hash(project_data), _hash(job_data)]}
        return ReadConfiguration(
            configuration=None, findings=findings, training_as_written=raw, rest_as_written={}
        )
    return ReadConfiguration(
        configuration=configuration,
        findings=findings,
        training_as_written=configuration.as_written,
        rest_as_written=configuration.rest_as_written,
    )


def configuration_of(record: RunRecord) -> Configuration:
    """Return the configuration stored with a run that passed validation."""
    return Configuration.from_payload(record.configuration or {})


def _read_pinned(folder: Folder, datasets: BlobStore) -> bytes | None:
    file = folder.job_file
    return b"".join(datasets.open(file.name, if_match=file.etag)) if file else None


def _parse(data: bytes | None, file: str) -> tuple[JobFile | None, tuple[Finding, ...]]:
    from droptune.validation.job_file import parse_job_file  # YAML and the rules take a while

    return parse_job_file(data, file=file) if data is not None else (None, ())


def _hash(data: bytes | None) -> str:
    return hashlib.sha256(data).hexdigest() if data is not None else ""

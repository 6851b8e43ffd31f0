"""Configuration files for tests, in few words."""

from __future__ import annotations

from typing import Any

from droptune.domain.configuration import Ceilings, Configuration, JobFile, resolve
from droptune.domain.findings import Finding

MODELS = ("gpt-4.1-mini", "gpt-4o", "Ministral-3B")
PROJECT, JOB = "project.yaml", "fine-tune-job.yaml"


def a_file(file: str = JOB, **values: Any) -> JobFile:
    """Return a file as it is parsed; what the test is not about is left out."""
    return JobFile(file=file, values=values)


def resolving(
    *, project: JobFile | None = None, job: JobFile | None = None, **ceilings: Any
) -> tuple[Configuration | None, tuple[Finding, ...]]:
    """Resolve files under an installation's ceilings."""
    return resolve(
        installation=Ceilings(**ceilings), project_file=project, job_file=job, known_models=MODELS
    )


def resolved(
    *, project: JobFile | None = None, job: JobFile | None = None, **ceilings: Any
) -> Configuration:
    """Return the configuration of files that are right."""
    configuration, findings = resolving(project=project, job=job, **ceilings)
    assert configuration is not None, [str(found) for found in findings]
    return configuration


def refused(
    *, project: JobFile | None = None, job: JobFile | None = None, **ceilings: Any
) -> tuple[Finding, ...]:
    """Return what is wrong with files that are wrong."""
    configuration, findings = resolving(project=project, job=job, **ceilings)
    assert configuration is None
    return findings


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return a document that says one thing: `nested("a.b", 1)` is `{"a": {"b": 1}}`."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return dict(value)

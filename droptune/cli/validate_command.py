"""`validate`: the report on files of this machine, without service, network or account."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from droptune.cli.options import JsonOption
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import Terminal, show_json, wants_colour
from droptune.domain.configuration import Ceilings, Configuration, JobFile, resolve
from droptune.domain.dataset import JOB_FILE, Role, role_of_file
from droptune.domain.findings import Finding, Severity
from droptune.domain.payload import Payload

MOST_WORKERS = 8
_YAML = (".yaml", ".yml")


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What the command line names: data with its role, and a configuration file or None."""

    data: tuple[tuple[Path, Role], ...]
    job_file: Path | None


def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="JSONL, YAML, or a DIR.")],
    model: Annotated[str | None, typer.Option(help="Counts tokens as this model does.")] = None,
    workers: Annotated[int, typer.Option(min=0, max=64, help="Processes; 0: as fit.")] = 0,
    as_json: JsonOption = False,
) -> int:
    """Say what is wrong with a dataset and what training on it would cost; nothing leaves here."""
    document, text = make_document(sort_given(files), model=model, workers=workers)
    if as_json:
        show_json(document)
    else:
        Terminal().say(text)
    return Exit.YES if document["verdict"] == "accept" else Exit.NO


def make_document(
    given: Given, *, model: str | None = None, workers: int = 0
) -> tuple[Payload, str]:
    """Return the report on files as a document and as text for a terminal."""
    from droptune.validation import FileSource, render_text, validate
    from droptune.validation.asking import request_for

    configuration, findings = _read_configuration(given.job_file)
    request = request_for(configuration, as_of=datetime.now(UTC).date(), model=model)
    sources = [FileSource(path=path, role=role) for path, role in given.data]
    count = workers or min(os.cpu_count() or 1, MOST_WORKERS)
    report = validate(sources, request=request, workers=count)
    text = render_text(report, colour=wants_colour(sys.stdout))
    lines = "".join(f"{finding}\n" for finding in findings)
    return with_findings(report.to_payload(), findings), lines + text


def sort_given(paths: list[Path]) -> Given:
    """Give each file its role by its name; a file without a telling name is training data."""
    data: list[tuple[Path, Role]] = []
    job_files: list[Path] = []
    for path in (file for each in paths for file in _expand(each)):
        if path.suffix.lower() in _YAML:
            job_files.append(path)
        else:
            data.append((path, _role_of(path) or Role.TRAINING))
    if not data:
        raise Refusal("No data file is named.", "Name training.jsonl.", code=Exit.WRONG_USAGE)
    if len(job_files) > 1:
        names = ", ".join(str(path) for path in job_files)
        raise Refusal(f"Two configurations: {names}.", "Name one.", code=Exit.WRONG_USAGE)
    return Given(data=tuple(data), job_file=job_files[0] if job_files else None)


def _expand(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise Refusal(f"There is no {path}.", "Name files or a folder.", code=Exit.WRONG_USAGE)
    inside = sorted(file for file in path.rglob("*") if file.is_file())
    return [file for file in inside if file == path / JOB_FILE or _role_of(file, path)]


def _role_of(path: Path, folder: Path | None = None) -> Role | None:
    return role_of_file(path.relative_to(folder).as_posix() if folder else path.name)


def _read_configuration(
    path: Path | None,
) -> tuple[Configuration | None, tuple[Finding, ...]]:
    if path is None:
        return None, ()
    from droptune.domain.models import model_names
    from droptune.validation.job_file import parse_job_file

    job_file: JobFile | None
    job_file, findings = parse_job_file(path.read_bytes(), file=path.name)
    if job_file is None:
        return None, findings
    configuration, more = resolve(
        installation=Ceilings(), project_file=None, job_file=job_file, known_models=model_names()
    )
    return configuration, (*findings, *more)


def with_findings(report: Payload, findings: tuple[Finding, ...]) -> Payload:
    """Return the report document with what is wrong with the configuration before it."""
    bad = any(finding.severity is Severity.ERROR for finding in findings)
    return report | {
        "findings": [*(finding.to_payload() for finding in findings), *report["findings"]],
        "verdict": "reject" if bad else report["verdict"],
    }

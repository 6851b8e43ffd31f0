"""The report on files of this machine, as a document and as text."""

from __future__ import annotations

import os
import shutil
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from droptune.cli.given import Given, sort_given
from droptune.cli.reading_progress import reading_progress
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.terminal import wants_colour
from droptune.domain.configuration import Ceilings, Configuration, JobFile, resolve
from droptune.domain.dataset import Role
from droptune.domain.findings import Finding, Severity
from droptune.domain.payload import Payload

if TYPE_CHECKING:
    from droptune.validation import FileSource
    from droptune.validation.reading import Progress
    from droptune.validation.report import EarlierTest, FileDiff

MOST_WORKERS = 8
_OF_A_REPORT = (b'"schema_version"', b'"verdict"', b'"findings"', b'"encoding"')


def make_document(
    given: Given, *, model: str | None = None, workers: int = 0
) -> tuple[Payload, str]:
    """Return the report on files as a document and as text for this terminal."""
    document = report_on(given, model=model, workers=workers, shows_progress=False)
    return document, text_of(document)


def text_of(document: Payload, *, findings_only: bool = False) -> str:
    """Return a report as text for this terminal: as wide as it is, and in its colours."""
    from droptune.validation import render_text

    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    colour = wants_colour(sys.stdout)
    return render_text(document, colour=colour, width=width, findings_only=findings_only)


def report_on(
    given: Given,
    *,
    model: str | None = None,
    workers: int = 0,
    earlier: Path | None = None,
    with_samples: bool = False,
    shows_progress: bool = True,
) -> Payload:
    """Return the report document; `earlier` is the folder of a version to compare with."""
    # numpy's threads for products of matrices, of which there are none here, would wait busily.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from droptune.validation import validate
    from droptune.validation.asking import request_for

    configuration, findings = _read_configuration(given.job_file)
    request = request_for(configuration, as_of=datetime.now(UTC).date(), model=model)
    sources = sources_of(given)
    before = _earlier_version(earlier) if earlier else []
    if earlier:
        request = replace(request, earlier=_tested_with(before, earlier))
    with _progress(sources, shows_progress) as progress:
        report = validate(
            sources,
            request=request,
            workers=workers or min(os.cpu_count() or 1, MOST_WORKERS),
            progress=progress,
        )
    if earlier:
        report = replace(report, diff=_compare(sources, before))
    if with_samples and report.findings:
        from droptune.validation.samples import read_samples

        report = replace(report, samples=read_samples(sources, report.findings))
    return _with_findings(report.to_payload(), findings)


def sources_of(given: Given) -> list[FileSource]:
    """Return the data files as the engine reads them."""
    from droptune.validation import FileSource

    return [FileSource(path=path, role=role, label=given.label(path)) for path, role in given.data]


def _progress(sources: list[FileSource], is_shown: bool) -> AbstractContextManager[Progress | None]:
    if not is_shown:
        return nullcontext()
    return reading_progress(sum(each.path.stat().st_size for each in sources if each.path.exists()))


def _earlier_version(place: Path) -> list[FileSource]:
    """Return the data of an earlier version; a report of it is refused, which keeps no rows."""
    from droptune.validation.sources import read_start

    sources = sources_of(sort_given([place]))
    try:
        if place.is_file() and all(key in read_start(sources[0], 1 << 16) for key in _OF_A_REPORT):
            raise Refusal(
                f"{place} is a report: it keeps figures and places, none of the data's rows.",
                "Name the folder of the earlier version, or its training.jsonl.",
                code=Exit.WRONG_USAGE,
            )
    except OSError as error:
        raise _unreadable(place, error) from error
    return sources


def _tested_with(before: list[FileSource], folder: Path) -> tuple[EarlierTest, ...]:
    """Return what an earlier version was tested with, which is not to be trained on."""
    from droptune.validation.earlier import keep_test

    tests = [source for source in before if source.role is Role.TEST]
    try:
        return tuple(keep_test(each, name=f"{folder.name}/{each.name}") for each in tests)
    except OSError as error:
        raise _unreadable(folder, error) from error


def _compare(sources: list[FileSource], before: list[FileSource]) -> tuple[FileDiff, ...]:
    from droptune.validation.diff import compare

    try:
        return compare(sources, before)
    except OSError as error:
        raise _unreadable(Path(str(error.filename)), error) from error


def _unreadable(path: Path, error: OSError) -> Refusal:
    return Refusal(f"{path} cannot be read: {error.strerror}.", code=Exit.WRONG_USAGE)


def _read_configuration(
    path: Path | None,
) -> tuple[Configuration | None, tuple[Finding, ...]]:
    if path is None:
        return None, ()
    from droptune.domain.models import model_names
    from droptune.validation.job_file import parse_job_file

    job_file: JobFile | None
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    job_file, findings = parse_job_file(data, file=path.name)
    if job_file is None:
        return None, findings
    configuration, more = resolve(
        installation=Ceilings(), project_file=None, job_file=job_file, known_models=model_names()
    )
    return configuration, (*findings, *more)


def _with_findings(report: Payload, findings: tuple[Finding, ...]) -> Payload:
    """Return the report document with what is wrong with the configuration before it."""
    bad = any(finding.severity is Severity.ERROR for finding in findings)
    return report | {
        "findings": [*(finding.to_payload() for finding in findings), *report["findings"]],
        "verdict": "reject" if bad else report["verdict"],
    }

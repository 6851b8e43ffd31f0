"""`validate --fix OUT`: a corrected copy of a dataset in a folder of its own."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from droptune.cli.given import Given
from droptune.cli.new_files import new_files, refuse_used_folder
from droptune.cli.refusals import Exit, Refusal
from droptune.cli.validation_report import sources_of
from droptune.domain.dataset import JOB_FILE
from droptune.domain.payload import Payload


def fix_given(given: Given, out: Path, report: Payload) -> Payload:
    """Write the copy and return what was corrected, as the report's `fixed`.

    Files that are no JSON lines at all (compressed, UTF-16, a table) are left out, which is said.
    """
    from droptune.validation.rewriting import Fixer, UnfixableError

    refuse_place(given, out)
    unread = _unread(report)
    sources = [source for source in sources_of(given) if source.name not in unread]
    targets = [out / _inside(source.name, source.path) for source in sources]
    if len(set(targets)) < len(targets):
        said = "Two files would get the same name in the copy."
        raise Refusal(said, "Correct one dataset at a time.", code=Exit.WRONG_USAGE)
    fixers = {source.role: Fixer(source.role) for source in sources}
    try:
        with new_files(targets) as streams:
            done = [
                fixers[source.role].copy(source, stream)
                for source, stream in zip(sources, streams, strict=True)
            ]
    except UnfixableError as error:
        said = f"No copy was written: {error}."
        raise Refusal(said, "Mend that line first.", code=Exit.NO) from error
    if given.job_file is not None:
        with new_files([out / JOB_FILE]) as (stream,):
            stream.write(given.job_file.read_bytes())
    return {
        "folder": str(out),
        "files": [fixed.to_payload() | {"says": str(fixed)} for fixed in done],
        "left_out": sorted(unread),
    }


def refuse_place(given: Given, out: Path) -> None:
    """Refuse a folder in which a copy would lie over something."""
    job_file = [given.job_file] if given.job_file else []
    refuse_used_folder(out, [*(path for path, _ in given.data), *job_file])


def _unread(report: Payload) -> set[str]:
    """Return the files of whose beginning an error speaks: they are no lines that could be kept."""
    from droptune.validation.rules import RULES
    from droptune.validation.rules.registry import Kind

    starts = {rule.id for rule in RULES.values() if rule.kind is Kind.START}
    return {
        finding["file"]
        for finding in report["findings"]
        if finding["severity"] == "error" and finding["rule"] in {*starts, "unreadable-file"}
    }


def _inside(name: str, path: Path) -> str:
    """Return where a file's copy lies in the folder."""
    label = PurePosixPath(name)
    is_inside = not label.is_absolute() and ".." not in label.parts and label.suffix
    return name if is_inside else path.name

"""Whatever is thrown at the validator: no crash, no hang, bounded memory, a finding each."""

from __future__ import annotations

import json
import os
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from droptune.domain.dataset import Role
from droptune.domain.findings import Finding
from droptune.validation import BytesSource, FileSource, Report, ValidationRequest, validate
from droptune.validation.blocks import LONGEST_LINE
from tests.validation.test_validator import GOOD, an_example

A_MEGABYTE = 1_000_000


def said_of(text: str) -> bytes:
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": "Yes."}]
    return json.dumps({"messages": messages}).encode() + b"\n"


def report_on(data: bytes, model: str | None = "gpt-4.1-nano") -> Report:
    source = BytesSource(name="training.jsonl", role=Role.TRAINING, data=data)
    return validate([source], request=ValidationRequest(model=model))


def rules_of(report: Report) -> set[str]:
    return {finding.rule for finding in report.findings}


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        (said_of(" " * A_MEGABYTE), "empty-content"),
        (said_of("a" * A_MEGABYTE), "example-too-long"),
        (said_of("=" * 4 * A_MEGABYTE), "message-too-long"),
        (said_of("qzjxkv" * (8 * A_MEGABYTE // 6)), "message-too-long"),
        (b'{"a":' + b"[" * 100_000 + b"\n", "too-deep"),
        (b'{"a":' * 100_000 + b"\n", "too-deep"),
        (b'{"a": 1e999}\n', "number-range"),
        (b'{"a": ' + b"9" * 10_000 + b"}\n", "number-range"),
        (b'{"messages": "\x00"}\n', "invalid-json"),
        (b"\x00" * 1000 + b"\n", "invalid-json"),
        (an_example(99)[:-20], "broken-off"),
        (b'{"a": ' + b"1" * 30 + b"}\n", "missing-messages"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_hostile_line_is_a_finding(line: bytes, rule: str) -> None:
    """The line is told of, and those before it are read as ever."""
    report = report_on(GOOD + line)

    assert rule in rules_of(report)
    assert report.files[0].examples >= 12
    assert {found.line for found in report.findings if found.rule == rule} == {13}


def test_ten_million_empty_lines_are_one_finding_with_a_count() -> None:
    """Empty lines are counted a megabyte at a time."""
    report = report_on(b"\n" * 10_000_000)

    counted = sum(found.count for found in report.findings if found.rule == "blank-line")
    assert counted == 10_000_000
    assert "no-examples" in rules_of(report)


class Endless:
    """A source whose one line never ends, without its bytes being anywhere."""

    name, role = "training.jsonl", Role.TRAINING

    def __init__(self, size_bytes: int) -> None:
        """Say how long it is."""
        self.size_bytes = size_bytes

    def open(self, start: int = 0, end: int | None = None) -> BinaryIO:
        """Return what lies between."""
        stop = self.size_bytes if end is None else min(end, self.size_bytes)
        return cast(BinaryIO, _Letters(stop - start))


class _Letters:
    def __init__(self, left: int) -> None:
        self._left = left

    def __enter__(self) -> _Letters:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def read(self, size: int) -> bytes:
        taken = min(size, self._left)
        self._left -= taken
        return b"a" * taken


def test_line_of_600_megabytes_takes_no_more_memory_than_the_longest_line() -> None:
    """A line too long to be held is passed over, and told of."""
    tracemalloc.start()

    report = validate([Endless(600_000_000)], request=ValidationRequest())

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert rules_of(report) >= {"line-too-long", "file-too-large", "no-examples"}
    assert peak < 3 * LONGEST_LINE


def test_missing_file_is_a_finding(tmp_path: Path) -> None:
    """A file that is not there is told of; so is its role's absence."""
    report = report_on_path(tmp_path / "training.jsonl")

    [found] = report.errors()
    assert (found.rule, found.file) == ("unreadable-file", "training.jsonl")


def test_folder_is_a_finding(tmp_path: Path) -> None:
    """A folder in a file's place is told of."""
    assert "unreadable-file" in rules_of(report_on_path(tmp_path))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_file_without_permission_is_a_finding(tmp_path: Path) -> None:
    """A file that may not be read is told of."""
    path = tmp_path / "training.jsonl"
    path.write_bytes(GOOD)
    path.chmod(0)

    assert "unreadable-file" in rules_of(report_on_path(path))


def report_on_path(path: Path) -> Report:
    return validate([FileSource(path=path, role=Role.TRAINING)], request=ValidationRequest())


def appended(path: Path) -> None:
    with path.open("ab") as stream:
        stream.write(an_example(77))


def shrunk(path: Path) -> None:
    os.truncate(path, 20)


@pytest.mark.parametrize("change", [appended, shrunk, Path.unlink])
def test_file_that_changes_while_read_is_a_finding(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    """A file that grows, shrinks or disappears meanwhile is told of, and nothing crashes."""
    path = tmp_path / "training.jsonl"
    path.write_bytes(GOOD * 2_000)
    changes = iter([lambda: change(path)])

    report = validate(
        [FileSource(path=path, role=Role.TRAINING)],
        request=ValidationRequest(),
        progress=lambda _: next(changes, lambda: None)(),
    )

    assert "file-changed" in rules_of(report)
    assert report.verdict == "reject"


def test_two_hundred_files_are_read(tmp_path: Path) -> None:
    """Many files at once are one report; a line that stands in two of them is told of."""
    sources = []
    for at in range(200):
        path = tmp_path / f"part-{at}.jsonl"
        path.write_bytes(an_example(at if at < 199 else 0))
        sources.append(FileSource(path=path, role=Role.TRAINING))

    report = validate(sources, request=ValidationRequest())

    assert len(report.files) == 200
    assert report.verdict == "accept"
    assert [f.file for f in by_rule(report, "duplicate-example")] == ["part-199.jsonl"]


def by_rule(report: Report, rule: str) -> Iterator[Finding]:
    return (found for found in report.findings if found.rule == rule)

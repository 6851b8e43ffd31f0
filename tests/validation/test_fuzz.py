"""Two hundred thousand lines, made and spoilt: nothing raises, however they are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import cycle
from random import Random

import pytest

from activities.pinned_data import PinnedData, PinnedSource
from droptune.domain.dataset import Role
from droptune.domain.run import Pin
from droptune.validation import BytesSource, Report, Source, ValidationRequest, validate
from droptune.validation.formats.github import workflow_commands
from droptune.validation.formats.sarif import to_sarif
from droptune.validation.formats.text import render_text
from droptune.validation.samples import read_samples
from tests.fakes.blob_store import FakeBlobStore
from tests.validation.mutated_lines import a_file
from tests.validation.readers import InRanges

CASES = int(os.environ.get("DROPTUNE_FUZZ_CASES", "200000"))
PARTS = 8
_LINES = (3, 60, 400, 1_000)
_METHODS = (None, None, "supervised", "dpo", "reinforcement")
_MODELS = ("gpt-4o", "gpt-4.1-nano", "o4-mini", "gpt-35-turbo", None, "no-such-model")


class Lines:
    """Draws datasets until enough lines were judged."""

    def __init__(self, seed: int) -> None:
        """Begin with none."""
        self.random = Random(seed)
        self.judged = 0

    def dataset(self) -> dict[Role, bytes]:
        """Return training data, and sometimes validation or test data besides."""
        random = self.random
        roles = [Role.TRAINING] + [role for role in Role if random.random() < 0.2]
        return {role: a_file(random, random.choice(_LINES)) for role in dict.fromkeys(roles)}

    def request(self) -> ValidationRequest:
        """Return how a dataset is to be read."""
        random = self.random
        return ValidationRequest(
            method=random.choice(_METHODS),
            model=random.choice(_MODELS),
            ignore=random.choice(
                ((), ("byte-order-mark", "no-such-rule"), ("blank-line", "email-address"))
            ),
            grader_fields=random.choice(((), ("answer",))),
        )

    def count(self, report: Report, files: dict[Role, bytes]) -> None:
        """Count the lines that were judged: those of files that no first look refused."""
        refused = {found.file for found in report.findings if found.rule in _REFUSED_AT_ONCE}
        names = {role: f"{role.value}.jsonl" for role in files}
        self.judged += sum(
            data.count(b"\n") for role, data in files.items() if names[role] not in refused
        )


_REFUSED_AT_ONCE = {
    "empty-file", "not-jsonl", "utf-16", "json-array", "pretty-printed", "csv"
}  # fmt: skip


def whole(files: dict[Role, bytes], request: ValidationRequest) -> Report:
    return validate(in_memory(files), request=request)


def in_ranges(files: dict[Role, bytes], request: ValidationRequest, random: Random) -> Report:
    longest = max(map(len, files.values()))
    cuts = [random.randrange(1, longest + 2) for _ in range(random.randrange(1, 5))]
    right = random.random() < 0.5
    return validate(
        in_memory(files),
        request=request,
        reader=lambda plan: InRanges(plan, cuts, from_the_right=right),
    )


def from_blobs(files: dict[Role, bytes], request: ValidationRequest, random: Random) -> Report:
    store = FakeBlobStore()
    return validate(
        [a_blob_source(store, role, data, random) for role, data in files.items()], request=request
    )


def in_memory(files: dict[Role, bytes]) -> list[Source]:
    return [
        BytesSource(name=f"{role.value}.jsonl", role=role, data=data)
        for role, data in files.items()
    ]


def a_blob_source(store: FakeBlobStore, role: Role, data: bytes, random: Random) -> Source:
    """Return data as the app reads it: a blob, or several that are joined where a line ends."""
    cut = data.find(b"\n", random.randrange(len(data) + 1)) + 1
    parts = [part for part in (data[:cut], data[cut:]) if part] or [b""]
    pins = []
    for at, part in enumerate(parts):
        name = f"bot/v1/{role.value}/part-{at}.jsonl"
        etag = store.put(name, part)
        pins.append(Pin(role=role.value, name=name, etag=etag, size_bytes=len(part), sha256=""))
    return PinnedSource(
        name=f"{role.value}.jsonl",
        role=role,
        size_bytes=PinnedData(store, tuple(pins)).size_bytes,
        datasets=store,
        pins=tuple(pins),
    )


def shown(report: Report, files: dict[Role, bytes]) -> None:
    """Print a report in each format: what the data holds may break none."""
    samples = read_samples(in_memory(files), report.findings)
    document = replace(report, samples=samples).to_payload()
    assert Report.from_payload(document).to_payload() == document
    assert render_text(document, colour=False)
    assert to_sarif([(document, {})], version="1")
    assert workflow_commands(document, {}) or not report.findings


@pytest.mark.parametrize("part", range(PARTS))
def test_spoilt_lines_give_the_same_report_however_they_are_read(
    part: int, record_property: Callable[[str, object], None]
) -> None:
    """Whole, in ranges that end anywhere and from joined blobs: one report, and no exception."""
    wanted = -(-CASES // PARTS)
    lines = Lines(seed=part)

    for is_shown in cycle((True, False, False, False)):
        files, request = lines.dataset(), lines.request()
        report = whole(files, request)
        for again in (in_ranges, from_blobs):
            assert again(files, request, lines.random).to_payload() == report.to_payload()
        if is_shown:
            shown(report, files)
        lines.count(report, files)
        if lines.judged >= wanted:
            break

    record_property("lines judged", lines.judged)
    assert lines.judged * PARTS >= CASES


def test_enough_cases_are_tried_where_nothing_else_is_asked() -> None:
    """Without a word in the environment it is 200,000 lines."""
    assert CASES >= 200_000 or "DROPTUNE_FUZZ_CASES" in os.environ

"""The report is the same to the byte, however a file is read."""

from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from threading import Thread

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from droptune.domain.dataset import Role
from droptune.validation import BytesSource, FileSource, Report, ValidationRequest, validate
from droptune.validation.pool import Pool, Turns, ranges
from tests.validation.lines_of_all_kinds import files
from tests.validation.readers import DribblingSource, InRanges

MANY = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
methods = st.sampled_from([None, "supervised", "dpo", "reinforcement"])


def whole(data: bytes, method: str | None) -> Report:
    source = BytesSource(name="training.jsonl", role=Role.TRAINING, data=data)
    return validate([source], request=ValidationRequest(method=method, model="gpt-4o"))


@MANY
@given(data=files, method=methods)
def test_anything_is_reported_and_nothing_raises(data: bytes, method: str | None) -> None:
    """Whatever a file holds, there is a report; every line without an example has a finding."""
    report = whole(data, method)

    assert report.verdict in ("accept", "reject")
    assert report.files[0].bytes == len(data)
    assert Report.from_payload(report.to_payload()) == report
    if not report.files[0].examples:
        assert report.verdict == "reject"


@MANY
@given(
    data=files, method=methods, shares=st.lists(st.floats(0, 1), max_size=5), right=st.booleans()
)
def test_ranges_give_the_same_report(
    data: bytes, method: str | None, shares: list[float], right: bool
) -> None:
    """A file that is cut anywhere and put together in any order says what the whole says."""
    cuts = [max(1, int(share * len(data))) for share in shares]
    source = BytesSource(name="training.jsonl", role=Role.TRAINING, data=data)

    in_ranges = validate(
        [source],
        request=ValidationRequest(method=method, model="gpt-4o"),
        reader=lambda plan: InRanges(plan, cuts, from_the_right=right),
    )

    assert in_ranges.to_payload() == whole(data, method).to_payload()


@MANY
@given(data=files, piece=st.integers(1, 50))
def test_short_reads_give_the_same_report(data: bytes, piece: int) -> None:
    """A source that gives a few bytes at a time, as a blob may, says what the file says."""
    dribbled = validate([DribblingSource(data, piece)], request=ValidationRequest(model="gpt-4o"))

    assert dribbled.to_payload() == whole(data, None).to_payload()


def test_two_processes_give_the_same_report(tmp_path: Path) -> None:
    """Processes that read ranges of a large file say what one says."""
    line = b'{"messages":[{"role":"user","content":"%d %s"},{"role":"%s","content":"yes"}]}\n'
    path = tmp_path / "training.jsonl"
    with path.open("wb") as stream:
        for at in range(12_000):
            role = b"bot" if at % 1_000 == 999 else b"assistant"
            stream.write(line % (at % 9_000, b"word " * 450, role))
    source, request = FileSource(path=path, role=Role.TRAINING), ValidationRequest(model="gpt-4o")

    by_two = validate([source], request=request, workers=2)

    assert by_two.to_payload() == validate([source], request=request).to_payload()
    assert by_two.files[0].examples == 12_000
    assert {each.rule: each.count for each in by_two.findings if each.line is None} == {
        "duplicate-example": 2_980,
        "assistant-share": 1,
    }


def test_processes_that_have_read_one_file_read_the_next(tmp_path: Path) -> None:
    """Three processes take the ranges of two large files in turns, and say what one says."""
    line = (
        b'{"messages":[{"role":"user","content":"%d %s"},{"role":"assistant","content":"yes"}]}\n'
    )
    sources = []
    for role, first in ((Role.TRAINING, 0), (Role.VALIDATION, 11_000)):
        path = tmp_path / f"{role.value}.jsonl"
        lines = (line % (at, b"word " * 450) for at in range(first, first + 12_000))
        path.write_bytes(b"".join(lines))
        sources.append(FileSource(path=path, role=role))
    request = ValidationRequest(model="gpt-4o")

    by_three = validate(sources, request=request, workers=3)

    assert by_three.to_payload() == validate(sources, request=request).to_payload()
    assert [each.examples for each in by_three.files] == [12_000, 12_000]


def test_process_that_died_while_it_took_its_turn_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It holds what the others wait for; they say so, and the file is read once more."""
    monkeypatch.setattr("droptune.validation.pool._PATIENCE_SECONDS", 0.05)
    turns = Turns("spawn")
    assert [turns.take(), turns.take()] == [0, 1]
    turns._next.get_lock().acquire()
    refused: list[BaseException] = []

    def take() -> None:
        with pytest.raises(BrokenProcessPool) as died:
            turns.take()
        refused.append(died.value)

    other = Thread(target=take)  # whoever holds the lock himself does not wait for it
    other.start()
    other.join()

    assert len(refused) == 1


@pytest.mark.parametrize("size", [1, 5_000_000, 30_000_000, 500_000_001])
def test_ranges_cover_a_file_once(size: int) -> None:
    """Ranges meet where the one before ends, and the last has no end."""
    cut = list(ranges(size, 2))

    assert cut[0][0] == 0
    assert cut[-1][1] is None
    assert [start for start, _ in cut[1:]] == [end for _, end in cut[:-1]]


def test_small_file_starts_no_process(tmp_path: Path) -> None:
    """A pool costs nothing until a file is worth it."""
    path = tmp_path / "training.jsonl"
    path.write_bytes(b"{}\n")
    pools: list[Pool] = []

    def make(plan: object) -> Pool:
        pools.append(Pool(plan, 2))  # type: ignore[arg-type]
        return pools[0]

    validate([FileSource(path=path, role=Role.TRAINING)], request=ValidationRequest(), reader=make)

    assert not pools[0].is_started

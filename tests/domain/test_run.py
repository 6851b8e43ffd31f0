"""A run's record, and what people said of it."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from droptune.domain.dataset import DatasetRef, Role
from droptune.domain.findings import Problem
from droptune.domain.phases import TERMINAL, Outcome, Phase
from droptune.domain.run import Control, Pin, RunRecord, RunRef, Word, index_name
from tests.domain.records import a_record
from tests.fakes.clock import START

LATER = START + timedelta(hours=1)
TIMES = st.timedeltas(timedelta(0), timedelta(days=30_000)).map(lambda age: START + age)


def a_word(word: str, about: str = "", *, at: datetime = START) -> Word:
    return Word(word=word, at=at, by="somebody", about=about)


def test_names_of_a_run_say_where_its_documents_lie() -> None:
    """Everything of a run lies in one folder."""
    ref = a_record().ref

    assert ref == RunRef(project="bot", id="bot-v1-0a1b2c3d")
    assert ref.record == "bot/bot-v1-0a1b2c3d/run.json"
    assert ref.control == "bot/bot-v1-0a1b2c3d/control.json"
    assert a_record().dataset == DatasetRef(project="bot", version="v1")


def test_entering_a_phase_is_recorded_with_its_time() -> None:
    """The history tells how long each phase took."""
    record = a_record(Phase.RECEIVED, waiting_for="x").entered(
        Phase.VALIDATING, at=LATER, message="Reading."
    )

    assert (record.phase, record.message, record.waiting_for) == (
        Phase.VALIDATING,
        "Reading.",
        None,
    )
    assert [change.phase for change in record.history] == [Phase.RECEIVED, Phase.VALIDATING]
    assert record.updated_at == record.entered_at == LATER


@pytest.mark.parametrize("phase", [Phase.TRAINING, Phase.VALIDATING, Phase.RECEIVED])
def test_entering_where_it_is_or_was_changes_nothing(phase: Phase) -> None:
    """A step that runs twice leaves the record as it is."""
    record = a_record(Phase.VALIDATING, Phase.TRAINING)

    assert record.entered(phase, at=LATER, message="again") is record


def test_run_ends_once() -> None:
    """The first end counts."""
    problem = Problem(code="x", message="Why.")
    ended = a_record(Phase.TRAINING, next="deploy").ended(
        Phase.FAILED, Outcome.NONE, at=LATER, message="Failed.", error=problem
    )

    again = ended.ended(Phase.SUCCEEDED, Outcome.TRAINED, at=LATER, message="", error=None)

    assert (ended.phase, ended.outcome, ended.ended_at) == (Phase.FAILED, Outcome.NONE, LATER)
    assert (ended.next, ended.error, ended.message) == (None, problem, "Failed.")
    assert again is ended


@pytest.mark.parametrize("end", sorted(TERMINAL))
def test_ended_run_asks_nobody(end: Phase) -> None:
    """Only a run that lives can go back to ask."""
    record = a_record(Phase.TRAINING, end)

    assert record.asking(Phase.AWAITING_APPROVAL, at=LATER) is record


def test_run_that_asks_again_takes_no_earlier_answer() -> None:
    """The one way backward is to a question, and what was said before answered another one."""
    first = a_record(Phase.CHECKING, Phase.AWAITING_APPROVAL, Phase.TRAINING)

    again = first.asking(Phase.AWAITING_APPROVAL, at=LATER)

    assert again.phase is Phase.AWAITING_APPROVAL
    assert first.asked_since is None
    assert again.asked_since == START + timedelta(minutes=2)
    control = Control(words=(a_word("approve", "training"),))
    assert control.decision("training") is not None
    assert control.decision("training", since=again.asked_since) is None


def test_pins_are_found_by_role_in_order() -> None:
    """The order in which parts were joined is kept."""
    pins = tuple(
        Pin(role=role, name=name, etag="1", size_bytes=1, sha256="0")
        for role, name in (("training", "b"), ("test", "t"), ("training", "a"))
    )

    record = a_record(pins=pins)

    assert [pin.name for pin in record.pins_of(Role.TRAINING)] == ["b", "a"]
    assert record.pins_of(Role.VALIDATION) == ()


@pytest.mark.parametrize(
    ("words", "paused"),
    [
        ([], False),
        (["pause"], True),
        (["pause", "resume"], False),
        (["pause", "resume", "pause"], True),
        (["resume"], False),
        (["pause", "approve"], True),
    ],
)
def test_last_of_pause_and_resume_counts(words: list[str], paused: bool) -> None:
    """Saying it twice changes nothing."""
    assert Control(words=tuple(map(a_word, words))).is_paused is paused


def test_first_decision_counts_and_is_about_one_thing() -> None:
    """A person's word on training does not decide the promotion."""
    control = Control().with_word(a_word("reject", "promotion")).with_word(a_word("cancel"))

    decided = control.with_word(a_word("approve", "promotion"))

    assert decided.decision("promotion") == a_word("reject", "promotion")
    assert decided.decision("training") is None
    assert decided.cancelled == a_word("cancel")
    assert control.find("pause") is None


def test_record_of_a_later_version_is_read() -> None:
    """Released records only gain fields, and words of theirs that are new are unrecognised."""
    written = a_record(Phase.TRAINING).to_payload()

    read = RunRecord.from_payload(written | {"phase": "polishing", "mood": "good"})

    assert read.phase is Phase.UNRECOGNISED
    assert RunRecord.from_payload(written) == a_record(Phase.TRAINING)


@given(TIMES, TIMES)
def test_rows_of_the_list_sort_newest_first(one: datetime, other: datetime) -> None:
    """A listing by name is the list of runs; runs of one millisecond sort by their ids."""
    names = [index_name(at, "run") for at in (one, other)]
    apart = abs(one - other) >= timedelta(milliseconds=1)

    assert (one > other) == (names[0] < names[1]) or not apart
    assert all(len(name) == len("_index/") + 14 + len("-run") for name in names)


def test_row_does_not_depend_on_the_zone() -> None:
    """The same moment has the same name."""
    east = START.astimezone(timezone(timedelta(hours=9)))

    assert index_name(east, "run") == index_name(START, "run")

"""A run stands still when nothing was heard of it for longer than its phase may take."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from droptune.domain.payload import format_time
from droptune.domain.phases import TERMINAL, Phase
from droptune.domain.run import Control, Word
from droptune.domain.stalls import bound_of, stall_of
from tests.domain.records import a_record
from tests.fakes.clock import START

HOUR = timedelta(hours=1)


def said(word: str, at: datetime) -> Control:
    return Control(words=(Word(word=word, at=at, by="ann"),))


@pytest.mark.parametrize(
    ("phase", "hours"),
    [(Phase.VALIDATING, 1), (Phase.DEPLOYING, 6), (Phase.QUEUED, 24), (Phase.TRAINING, 24)],
)
def test_run_stalls_once_its_phase_has_taken_longer_than_it_may(phase: Phase, hours: int) -> None:
    """A second before it does not; the stall says since when."""
    record = a_record(phase)

    early = stall_of(record, Control(), now=START + hours * HOUR - timedelta(seconds=1))
    stall = stall_of(record, Control(), now=START + hours * HOUR)

    assert early is None
    assert stall is not None
    assert (stall.phase, stall.since, stall.at) == (phase, START, START + hours * HOUR)


@pytest.mark.parametrize(
    "phase",
    [*sorted(TERMINAL), Phase.AWAITING_APPROVAL, Phase.AWAITING_PROMOTION, Phase.UNRECOGNISED],
)
def test_run_that_ended_or_waits_for_a_person_does_not_stall(phase: Phase) -> None:
    """Who is waited for was told, and an end moves no more."""
    assert stall_of(a_record(phase), Control(), now=START + 9999 * HOUR) is None


def test_configuration_says_how_long_the_service_may_be_silent() -> None:
    """`stalled_after_hours` counts where the service is waited for, and nowhere else."""
    configuration = {"pipeline": {"polling": {"stalled_after_hours": 3}}}

    assert bound_of(a_record(Phase.TRAINING, configuration=configuration)) == 3 * HOUR
    assert bound_of(a_record(Phase.UPLOADING, configuration=configuration)) == 6 * HOUR


def test_job_that_says_something_moves_the_run() -> None:
    """Three days of training are no stall while the job reports its steps."""
    heard = START + 70 * HOUR
    record = a_record(Phase.TRAINING, job={"id": "j", "heard_at": format_time(heard)})

    assert stall_of(record, Control(), now=START + 72 * HOUR) is None
    assert stall_of(record, Control(), now=heard + 24 * HOUR) is not None


def test_paused_run_does_not_stall_and_its_resumption_moves_it() -> None:
    """A person holds it; the time begins anew with the word that lets it go on."""
    record = a_record(Phase.QUEUED)
    resumed = said("resume", START + 100 * HOUR)

    assert stall_of(record, said("pause", START), now=START + 99 * HOUR) is None
    assert stall_of(record, resumed, now=START + 101 * HOUR) is None
    assert stall_of(record, resumed, now=START + 124 * HOUR) is not None


def test_faster_service_is_waited_for_less_long() -> None:
    """Where an hour at the service takes a minute, a stall is seen after minutes."""
    stall = stall_of(a_record(Phase.TRAINING), Control(), now=START + HOUR, time_scale=60)

    assert stall is not None
    assert stall.at == START + timedelta(minutes=24)


def test_own_work_is_not_faster_where_the_service_is() -> None:
    """Gigabytes are validated on a laptop at a laptop's pace."""
    record = a_record(Phase.VALIDATING)

    assert stall_of(record, Control(), now=START + HOUR / 2, time_scale=60) is None

"""Schedules that once broke a promise, and one of each kind of trouble."""

from __future__ import annotations

import re

import pytest

from simulation.__main__ import main
from simulation.profiles import PROFILES
from simulation.runner import run, story_of
from simulation.shrinking import shrink
from tests.simulation.regressions import REGRESSIONS


@pytest.mark.parametrize(("seed", "profile"), REGRESSIONS)
def test_schedule_that_once_broke_a_promise_keeps_all(seed: int, profile: str) -> None:
    """What was found and mended stays mended."""
    result = run(seed, profile)

    assert [str(each) for each in result.violations] == []


@pytest.mark.parametrize("profile", PROFILES)
def test_each_kind_of_trouble_leaves_every_promise_kept(profile: str) -> None:
    """Two schedules of each profile; the range of seeds of a nightly run is far larger."""
    results = [run(seed, profile) for seed in range(2)]

    assert [str(each) for result in results for each in result.violations] == []


@pytest.mark.parametrize(
    "said",
    ["/pause -> 200", "the job goes on", "somebody terminates", "purge", "(on file, then wait"],
)
def test_what_is_done_outside_the_app_really_happens(said: str, outside: list[str]) -> None:
    """A story in which nobody could pause a job would try nothing."""
    assert any(said in each for each in outside)


@pytest.fixture(scope="module")
def outside() -> list[str]:
    """Return what happened in a few schedules in which others have rights too."""
    return [what for seed in (7, 8) for _, what in run(seed, "outside").trace]


def test_calm_schedule_ends_in_a_promotion() -> None:
    """Without troubles the story is told to its end: the audit is not of empty worlds."""
    outcomes = [outcome for seed in range(8) for outcome in run(seed, "calm").outcomes]

    assert any(phase == "succeeded" and what == "promoted" for _, phase, what, *_ in outcomes)


def test_job_that_shows_too_late_is_paid_for_twice_and_seen() -> None:
    """Beyond the stated ten minutes nobody can know of a job: the audit says so, and is right."""
    found = [each.check for seed in range(20) for each in run(seed, "beyond").violations]

    assert "one job a training" in found


def test_failing_schedule_is_told_as_short_as_possible() -> None:
    """Faults and happenings that the failure does not need are left out."""
    failed = next(r for r in (run(seed, "beyond") for seed in range(20)) if r.violations)

    shortest = shrink(failed)

    assert failed.violations[0].check in shortest.failed
    assert len(shortest.struck) < len(failed.struck)
    assert len(shortest.happened) < len(story_of(failed.seed, "beyond").happenings)


def test_fresh_schedules_say_where_they_begin_and_stop_in_time(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Whoever reads that one failed can run the same ones again."""
    code = main(["--fresh", "--seconds", "0"])

    said = capsys.readouterr().out
    assert code == 0
    assert re.search(r"fresh seeds from \d+ on", said)
    assert re.search(r"^[1-9]\d* schedules in", said, re.MULTILINE)

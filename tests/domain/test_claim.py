"""The claim on a training: one submission at a time, its jobs, and who needs them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from droptune.domain.claim import Intent, JobClaim, MarkedJob, Submission, find_marked
from droptune.domain.identity import job_suffix
from droptune.domain.job import FineTuningJob, JobStatus
from tests.fakes.clock import START

DIGEST = "0123456789abcdef" * 4
FILE = "droptune-training-ab.jsonl"


def a_job(number: int = 1, status: JobStatus = JobStatus.RUNNING, **changed: Any) -> FineTuningJob:
    fields: dict[str, Any] = {
        "id": f"ftjob-{number}",
        "status": status,
        "raw_status": status.value,
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": "file-1",
        "created_at": START,
        "suffix": job_suffix("support", DIGEST, number),
    }
    return FineTuningJob(**(fields | changed))


def marked(*jobs: FineTuningJob, model: str = "gpt-4.1-mini", **files: str) -> list[str]:
    found = find_marked(
        jobs,
        training_digest=DIGEST,
        model=model,
        training_file=FILE,
        file_names=files or {"file-1": FILE},
    )
    return [each.job.id for each in found]


def test_intent_makes_the_outcome_unknown_for_ten_minutes() -> None:
    """A POST whose answer was lost may still show in the list of jobs."""
    claim = JobClaim(training_digest=DIGEST).intending("run-1", 1, START)

    assert claim.holders == ("run-1",)
    assert claim.outcome_unknown_for(START) == 600
    assert claim.outcome_unknown_for(START + timedelta(seconds=599)) == 1
    assert claim.outcome_unknown_for(START + timedelta(seconds=601)) == 0
    assert claim.outcome_unknown_for(START, timedelta(seconds=5)) == 5


def test_refused_submission_leaves_no_intent() -> None:
    """What the service certainly refused needs no waiting."""
    claim = JobClaim(training_digest=DIGEST).intending("run-1", 1, START).without_intent()

    assert claim.intent is None
    assert claim.outcome_unknown_for(START) == 0


def test_job_is_settled_once() -> None:
    """An adopted job keeps the run that submitted it."""
    claim = JobClaim(training_digest=DIGEST).intending("run-1", 1, START)

    settled = claim.settled("run-1", 1, "ftjob-1").settled("run-2", 1, "ftjob-1")

    assert settled.intent is None
    assert settled.submissions == (Submission(run="run-1", number=1, job="ftjob-1"),)
    assert settled.submitted_by("run-1") == settled.submissions[0]
    assert settled.submitted_by("run-2") is None


def test_newest_job_of_a_run_is_its_own() -> None:
    """A run that trained anew means its last job."""
    claim = JobClaim(training_digest=DIGEST).settled("r", 1, "a").settled("r", 2, "b")

    found = claim.submitted_by("r")

    assert found is not None
    assert found.job == "b"


def test_holders_are_counted_once_and_let_go() -> None:
    """Only the last holder cancels a shared job."""
    claim = JobClaim(training_digest=DIGEST).held_by("a").held_by("b").held_by("a")

    assert claim.holders == ("a", "b")
    assert claim.let_go("a").let_go("c").holders == ("b",)


def test_cancelling_is_remembered_for_its_job_alone() -> None:
    """Whoever looks at the job later knows that it is on its way out."""
    claim = JobClaim(training_digest=DIGEST).settled("r", 1, "a").settled("r", 2, "b")

    cancelling = claim.cancelling("a").cancelling("x")

    assert cancelling.is_being_cancelled("a")
    assert not cancelling.is_being_cancelled("b")


def test_next_number_is_above_everything_known() -> None:
    """No two jobs of a training carry the same mark, even if the record was lost."""
    claim = JobClaim(training_digest=DIGEST)

    assert claim.next_number([]) == 1
    assert claim.settled("r", 4, "a").next_number([MarkedJob(number=2, job=a_job(2))]) == 5
    assert claim.next_number([MarkedJob(number=7, job=a_job(7))]) == 8


@pytest.mark.parametrize(
    ("status", "usable"),
    [
        (JobStatus.PENDING, True),
        (JobStatus.RUNNING, True),
        (JobStatus.SUCCEEDED, True),
        (JobStatus.UNRECOGNISED, True),
        (JobStatus.FAILED, False),
        (JobStatus.CANCELLED, False),
    ],
)
def test_failed_or_cancelled_job_is_never_adopted(status: JobStatus, usable: bool) -> None:
    """A repetition pays again rather than waiting for what will not come."""
    found = MarkedJob(number=1, job=a_job(status=status))

    assert found.can_be_adopted is usable
    assert found.has_succeeded is (status is JobStatus.SUCCEEDED)


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"suffix": DIGEST[:16]},
        {"suffix": f"support-{DIGEST[:16].upper()}"},
        {"suffix": "", "user_provided_suffix": f"support-{DIGEST[:16]}"},
        {"suffix": "", "fine_tuned_model": f"gpt-4.1-mini-2025-04-14.ft-99-x-{DIGEST[:16]}"},
        {"model": "gpt-4.1-mini"},
        {"model": "GPT-4.1-mini-2025-04-14"},
        {"training_file": "file-deleted"},
    ],
)
def test_job_is_ours_wherever_the_mark_shows(shown: Any) -> None:
    """Suffix, given suffix or model name; a file that is gone contradicts nothing."""
    assert marked(a_job(**shown)) == ["ftjob-1"]


def test_model_that_the_service_spells_otherwise_is_the_same() -> None:
    """`ministral-3b` is echoed as `Ministral-3B`: taking it for another would pay twice."""
    assert marked(a_job(model="Ministral-3B"), model="ministral-3b") == ["ftjob-1"]


@pytest.mark.parametrize(
    "shown",
    [
        {"suffix": "support"},
        {"suffix": f"support-{DIGEST[1:17]}"},
        {"suffix": f"{DIGEST[:16]}-support"},
        {"suffix": f"x{DIGEST[:16]}"},
        {"model": "gpt-4o-2024-08-06"},
        {"training_file": "file-2"},
    ],
)
def test_job_of_somebody_else_is_left_alone(shown: Any) -> None:
    """Mark, model and training file have to agree."""
    files = {"file-1": FILE, "file-2": "other.jsonl"}

    found = find_marked(
        [a_job(**shown)],
        training_digest=DIGEST,
        model="gpt-4.1-mini",
        training_file=FILE,
        file_names=files,
    )

    assert found == ()


def test_marked_jobs_are_found_newest_first_by_number() -> None:
    """The number stands in the mark."""
    assert marked(a_job(2), a_job(12), a_job(1)) == ["ftjob-12", "ftjob-2", "ftjob-1"]


def test_claim_is_stored_and_read() -> None:
    """The record in the registry is all that is known, even if the task hub is lost."""
    claim = JobClaim(training_digest=DIGEST).settled("a", 1, "j").intending("b", 2, START)

    assert JobClaim.from_payload(claim.to_payload()) == claim
    assert claim.intent == Intent(run="b", number=2, at=START)

"""Jobs, files and deployments as the domain sees them: open enums, marks."""

from __future__ import annotations

from typing import Any

import pytest

from droptune.domain.deployment import Deployment, DeploymentState
from droptune.domain.job import FileStatus, FineTuningJob, JobStatus
from tests.fakes.clock import START

TERMINAL = ("succeeded", "failed", "cancelled")
LIVING = (
    *("validating_files", "created", "queued", "pending", "running"),
    *("pausing", "paused", "resuming"),
)


def a_job(**changed: Any) -> FineTuningJob:
    fields: dict[str, Any] = {
        "id": "ftjob-1",
        "status": JobStatus.RUNNING,
        "raw_status": "running",
        "model": "gpt-4o",
        "training_file": "file-1",
        "created_at": START,
    }
    return FineTuningJob(**(fields | changed))


@pytest.mark.parametrize(
    ("text", "terminal"),
    [*((text, True) for text in TERMINAL), *((text, False) for text in LIVING)],
)
def test_status_of_the_service_is_known(text: str, terminal: bool) -> None:
    """Only three ends are ends; a paused job may go on."""
    status = JobStatus(text)

    assert status.value == text
    assert status.is_terminal is terminal


@pytest.mark.parametrize("text", ["", "preempted", "Succeeded", "canceled"])
def test_status_that_is_new_is_unrecognised_and_no_end(text: str) -> None:
    """Azure declares its enums open: what nobody knows is still at work."""
    status = JobStatus(text)

    assert status is JobStatus.UNRECOGNISED
    assert not status.is_terminal
    assert a_job(status=status, raw_status=text).raw_status == text


@pytest.mark.parametrize(
    "text", ["uploaded", "pending", "running", "processed", "error", "deleting", "deleted"]
)
def test_status_of_a_file_is_known(text: str) -> None:
    """A file may be used once it is `processed`, and only then."""
    assert FileStatus(text).value == text


def test_new_statuses_of_files_and_deployments_are_unrecognised() -> None:
    """No answer of the service breaks a step."""
    assert FileStatus("scanned") is FileStatus.UNRECOGNISED
    assert DeploymentState("Paused") is DeploymentState.UNRECOGNISED
    assert DeploymentState("Succeeded") is DeploymentState.SUCCEEDED


def test_deployment_of_a_later_service_is_read() -> None:
    """A state that is new survives the payload as unrecognised."""
    deployment = Deployment(
        name="bot", model="m", sku="Standard", capacity=1, state=DeploymentState.CREATING
    )

    read = Deployment.from_payload(deployment.to_payload() | {"state": "Warming"})

    assert read.state is DeploymentState.UNRECOGNISED


@pytest.mark.parametrize(
    ("shown", "carries"),
    [
        ({"suffix": "x-abc"}, True),
        ({"suffix": "X-ABC"}, True),
        ({"user_provided_suffix": "abc"}, True),
        ({"fine_tuned_model": "gpt-4o.ft-1-abc"}, True),
        ({"suffix": "abc-x"}, False),
        ({"model": "gpt-4o.ft-1-abc"}, False),
        ({}, False),
    ],
)
def test_mark_shows_at_the_end_of_suffix_or_model(shown: Any, carries: bool) -> None:
    """The model that is trained on may carry another run's mark."""
    assert a_job(**shown).carries("abc") is carries

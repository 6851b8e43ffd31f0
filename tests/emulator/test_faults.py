"""Faults that can be scripted."""

from __future__ import annotations

from typing import Any

import pytest
from openai import APIConnectionError, APIStatusError, APITimeoutError

from tests.emulator.resources import MODEL, Resource

JOBS = "POST */fine_tuning/jobs"


@pytest.mark.parametrize("status", [401, 403, 409, 429, 500, 503])
def test_scripted_status_answers_in_place_of_the_service(resource: Resource, status: int) -> None:
    """Nothing is done, so often as was said, and then all is well."""
    file_id = resource.processed()
    resource.fault("request", "answer", match=JOBS, status=status, times=2)

    for _ in range(2):
        with pytest.raises(APIStatusError) as refused:
            resource.create_job(file_id)
        assert refused.value.status_code == status
    job = resource.create_job(file_id)

    assert [each.id for each in resource.v1.fine_tuning.jobs.list()] == [job.id]


def test_scripted_body_and_headers_are_sent(resource: Resource) -> None:
    """Retry-After is there if it was asked for, and only then."""
    body = {"error": {"code": "429", "message": "Slow down."}}
    with_header = {"status": 429, "body": body, "headers": {"Retry-After": "7"}}
    resource.fault("request", "answer", match="GET *", **with_header)
    resource.fault("request", "answer", match="GET *", status=429)

    first, second = (resource.send("GET", "/openai/v1/models") for _ in range(2))

    assert (first.json(), first.headers["Retry-After"]) == (body, "7")
    assert "Retry-After" not in second.headers


def test_reset_does_nothing(resource: Resource) -> None:
    """The connection drops before the service acts."""
    file_id = resource.processed()
    resource.fault("request", "reset", match=JOBS)

    with pytest.raises(APIConnectionError):
        resource.create_job(file_id)

    assert resource.ledger()["jobs"] == []


def test_lost_answer_did_its_work(resource: Resource) -> None:
    """The job exists although nobody was told."""
    file_id = resource.processed()
    resource.fault("request", "lose_answer", match=JOBS)

    with pytest.raises(APIConnectionError):
        resource.create_job(file_id)

    assert len(resource.ledger()["jobs"]) == 1


def test_late_answer_did_its_work(resource: Resource) -> None:
    """The client gives up waiting; the job exists."""
    file_id = resource.processed()
    resource.fault("request", "late_answer", match=JOBS, seconds=2)

    with pytest.raises(APITimeoutError):
        resource.create_job(file_id, timeout=0.2)

    assert len(resource.ledger()["jobs"]) == 1


def test_fault_can_wait_its_turn(resource: Resource) -> None:
    """The first requests pass, as many as were said."""
    resource.fault("request", "answer", match="GET /openai/v1/models", status=500, skip=2)

    seen = [resource.send("GET", "/openai/v1/models").status_code for _ in range(4)]

    assert seen == [200, 200, 500, 200]


def test_job_fails_with_the_reason_given(resource: Resource) -> None:
    """Only the job whose suffix matches; it fails in the middle of training."""
    message = "The provided training data failed RAI checks for harm types: [violence]."
    resource.fault("job", "fail", match="*-bad", when=0.5, code="contentFilter", message=message)

    good, bad = resource.trained(suffix="a-good"), resource.trained(suffix="a-bad")

    assert (good.status, bad.status) == ("succeeded", "failed")
    assert bad.error is not None
    assert (bad.error.code, bad.error.message) == ("contentFilter", message)
    last = resource.v1.fine_tuning.jobs.list_events(bad.id, limit=1).data[0]
    assert (last.level, last.message) == ("error", message)


def test_job_is_cancelled_from_outside(resource: Resource) -> None:
    """As if a person had done it in the portal."""
    resource.fault("job", "cancel")

    assert resource.trained().status == "cancelled"


def test_new_job_shows_late_in_lists(resource: Resource) -> None:
    """Asked for by id it is there at once."""
    resource.fault("job", "hide", seconds=30)
    job = resource.create_job()
    early = [each.id for each in resource.v1.fine_tuning.jobs.list()]
    resource.advance(30)

    assert early == []
    assert [each.id for each in resource.v1.fine_tuning.jobs.list()] == [job.id]
    assert resource.status_of(job) == "running"


def test_good_file_ends_in_error(resource: Resource) -> None:
    """The service may refuse what is good."""
    resource.fault("file", "error", match="training*", message="No reason.")
    file = resource.upload()
    resource.advance(60)

    found = resource.v1.files.retrieve(file.id)

    assert (found.status, found.status_details) == ("error", "No reason.")


def test_file_waits_longer_than_usual(resource: Resource) -> None:
    """It stays `pending` for a quarter of the time, as every file does."""
    resource.fault("file", "wait", seconds=4000)
    file = resource.upload()
    resource.advance(900)
    waiting = resource.v1.files.retrieve(file.id).status
    resource.advance(3200)

    found = resource.v1.files.retrieve(file.id).status

    assert (waiting, found) == ("pending", "processed")


@pytest.mark.parametrize(("then", "state"), [("fail", "Failed"), ("hang", "Creating")])
def test_deployment_fails_or_hangs(resource: Resource, then: str, state: str) -> None:
    """It is never ready; made again after it failed, it is a new one."""
    resource.fault("deployment", then, match="d")
    resource.put("d", MODEL, version="2025-04-14")
    resource.advance(3600)

    properties = resource.arm("GET", "/deployments/d").json()["properties"]
    again = resource.put("d", MODEL, version="2025-04-14")

    assert properties["provisioningState"] == state
    assert again.status_code == (201 if then == "fail" else 409)


def test_data_plane_is_ready_later(resource: Resource) -> None:
    """As long as was said after Succeeded."""
    resource.fault("deployment", "lag", seconds=1000)
    resource.put("d", MODEL, version="2025-04-14")
    resource.advance(1059)
    with pytest.raises(APIStatusError):
        resource.ask("d", "Hello?")
    resource.advance(1)

    assert resource.ask("d", "Hello?")


def test_faults_are_listed_with_their_use_and_removed(resource: Resource) -> None:
    """What was scripted can be looked at and taken back."""
    resource.fault("request", "answer", match="GET /openai/*", status=500, times=5)
    resource.send("GET", "/openai/v1/models")

    [fault] = resource.send("GET", "/emulator/faults").json()["faults"]
    resource.send("DELETE", "/emulator/faults")

    assert (fault["used"], fault["times"]) == (1, 5)
    assert resource.send("GET", "/openai/v1/models").status_code == 200


@pytest.mark.parametrize(
    "fault",
    [{}, {"on": "job", "then": "hang"}, {"on": "job", "then": "fail", "after": 1}, "job", None],
)
def test_fault_that_means_nothing_is_refused(resource: Resource, fault: Any) -> None:
    """A misspelled fault would be a test that proves nothing."""
    answer = resource.send("POST", "/emulator/faults", json=[fault])

    assert answer.status_code == 400

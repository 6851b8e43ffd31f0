"""What the service says to a job that is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from openai import APIStatusError, BadRequestError, RateLimitError

from tests.emulator.resources import MODEL, Resource

NOT_SUPPORTED = "The specified base model does not support fine-tuning."
NOT_BOUND = "The fineTuningJob field is required."
DPO = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.1}}}


def test_new_job_is_as_on_the_wire(resource: Resource) -> None:
    """Pending on v1, auto is -1, nulls are missing, suffix and trainingType are echoed."""
    file_id = resource.processed()

    job = resource.create_job(file_id, suffix="my-suffix_1", seed=105)

    body = job.to_dict()
    assert body.pop("estimated_finish")
    assert body == {
        "id": job.id,
        "object": "fine_tuning.job",
        "created_at": int(resource.clock.now().timestamp()),
        "status": "pending",
        "model": "gpt-4.1-mini-2025-04-14",
        "training_file": file_id,
        "seed": 105,
        "hyperparameters": {"batch_size": -1, "learning_rate_multiplier": -1, "n_epochs": -1},
        "trainingType": "globalStandard",
        "suffix": "my-suffix_1",
    }


def test_method_and_its_hyperparameters_are_echoed(resource: Resource) -> None:
    """What was sent comes back, and auto as -1."""
    asked: Any = {"n_epochs": 2, "batch_size": "auto"}
    method: Any = {"type": "supervised", "supervised": {"hyperparameters": asked}}

    job = resource.create_job(method=method)

    assert job.hyperparameters.n_epochs == 2
    assert job.hyperparameters.batch_size == -1
    assert job.method is not None
    assert job.method.type == "supervised"


@pytest.mark.parametrize(
    ("more", "text"),
    [
        ({"model": "curie"}, NOT_SUPPORTED),
        ({"model": "gpt-4.1-mini-2025-04-14.ft-" + "0" * 32}, NOT_SUPPORTED),
        ({"extra_body": None}, NOT_SUPPORTED),
        ({"extra_body": {"trainingType": "Developer"}}, NOT_BOUND),
        ({"model": "gpt-4o-mini", "method": DPO}, NOT_SUPPORTED),
        ({"model": "o4-mini"}, NOT_SUPPORTED),
        (
            {"model": "gpt-oss-20b", "extra_body": {"trainingType": "Standard"}},
            "gpt-oss-20b does not support fine-tuning with Standard TrainingType",
        ),
        ({"suffix": "a.b"}, "The suffix may have 40 characters of A-Z, a-z, 0-9, _ and -."),
        ({"suffix": "a" * 41}, "The suffix may have 40 characters of A-Z, a-z, 0-9, _ and -."),
        ({"seed": -1}, "The seed must be a whole number from 0 to 2147483647."),
        (
            {"hyperparameters": {"n_epochs": 0}},
            "The value 0 of the hyperparameter 'n_epochs' is not allowed.",
        ),
        ({"hyperparameters": {"epochs": 1}}, "The hyperparameter 'epochs' is not known."),
        (
            {"metadata": {str(n): "" for n in range(17)}},
            "metadata may have 16 pairs of 64 and 512 characters at most.",
        ),
    ],
)
def test_impossible_job_is_refused(resource: Resource, more: Any, text: str) -> None:
    """Every refusal is an invalidPayload with its text, and no job exists."""
    with pytest.raises(BadRequestError) as refused:
        resource.create_job(**more)

    assert refused.value.code == "invalidPayload"
    assert refused.value.body == {"code": "invalidPayload", "message": text, "type": "error"}
    assert resource.v1.fine_tuning.jobs.list().data == []


@pytest.mark.parametrize("spelling", ["developerTier", "DEVELOPERTIER", "globalstandard", 1])
def test_training_type_is_read_in_any_case(resource: Resource, spelling: Any) -> None:
    """Case is ignored, and the answer has the service's own spelling."""
    job = resource.create_job(extra_body={"trainingType": spelling})

    assert job.to_dict()["trainingType"] in ("developerTier", "globalStandard")


def test_file_that_is_not_processed_is_refused(resource: Resource) -> None:
    """A file must be imported completely; the text is the real one."""
    file = resource.upload()

    with pytest.raises(BadRequestError) as refused:
        resource.create_job(file.id)

    assert (refused.value.body or {})["message"] == (  # type: ignore[index]
        "The specified file reference must point to a completed file import."
    )


def test_body_that_does_not_bind_is_refused(resource: Resource) -> None:
    """A body that is no job says so in the service's way."""
    answer = resource.send("POST", "/openai/v1/fine_tuning/jobs", data=b"[]")

    assert answer.json()["error"]["message"] == NOT_BOUND


def test_reinforcement_is_not_emulated(resource: Resource) -> None:
    """What cannot be had here is 501 and says so."""
    method: Any = {"type": "reinforcement"}

    with pytest.raises(APIStatusError, match="does not emulate reinforcement") as refused:
        resource.create_job(model="o4-mini", method=method)

    assert refused.value.status_code == 501


def test_queue_holds_so_many(resource: Resource) -> None:
    """The job beyond the queue is refused until one leaves it."""
    resource.settings(limit_queued=2)
    file_id = resource.processed()
    first = resource.create_job(file_id)
    resource.create_job(file_id)

    with pytest.raises(RateLimitError) as refused:
        resource.create_job(file_id)
    resource.v1.fine_tuning.jobs.cancel(first.id)

    assert refused.value.response.headers["retry-after"]
    assert resource.create_job(file_id).status == "pending"  # type: ignore[comparison-overlap]


def test_resource_keeps_so_many_jobs(resource: Resource) -> None:
    """Ended jobs count until they are deleted, which only the dated surface can."""
    resource.settings(limit_jobs=1)
    job = resource.trained()

    with pytest.raises(RateLimitError):
        resource.create_job()
    resource.dated.delete(f"/fine_tuning/jobs/{job.id}", cast_to=object)

    assert resource.create_job().model.startswith(MODEL)

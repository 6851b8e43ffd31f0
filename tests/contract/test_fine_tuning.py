"""What a FineTuningService promises, kept by the fake and by the adapter at the emulator."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest

from droptune.domain.errors import NotFoundError, RequestRejectedError
from droptune.domain.job import FileStatus, FineTuningJob, JobRequest, JobStatus, TrainingFile
from tests.contract.worlds import MODEL, Training, World, a_deployment, training_data

UNKNOWN_FILE = "file-" + 32 * "0"
UNKNOWN_JOB = "ftjob-" + 32 * "0"


def test_uploaded_file_is_listed_and_found_by_id(world: World, file: TrainingFile) -> None:
    """A file keeps its name and size, and is among all files."""
    found = world.fine_tuning.find_file(file.id)
    listed = [each.id for each in world.fine_tuning.list_files()]

    assert (file.name, file.size_bytes) == ("contract-training.jsonl", len(training_data()))
    assert found is not None
    assert (found.id, found.name) == (file.id, file.name)
    assert listed.count(file.id) == 1


def test_uploaded_file_is_processed_some_time_later(world: World, file: TrainingFile) -> None:
    """Uploading does not wait for processing."""
    world.process_files()

    found = world.fine_tuning.find_file(file.id)

    assert file.status is not FileStatus.PROCESSED
    assert found is not None
    assert found.status is FileStatus.PROCESSED


def test_deleted_file_is_gone_and_may_be_deleted_again(training: Training) -> None:
    """Deleting twice is deleting once."""
    service = training.world.fine_tuning

    service.delete_file(training.file.id)
    service.delete_file(training.file.id)

    assert service.find_file(training.file.id) is None


def test_unknown_ids_are_none_or_not_found(world: World) -> None:
    """`find_` answers None, everything else raises NotFoundError."""
    service = world.fine_tuning

    assert service.find_file(UNKNOWN_FILE) is None
    for ask in (service.get_job, service.cancel_job, service.list_events, service.list_checkpoints):
        with pytest.raises(NotFoundError):
            ask(UNKNOWN_JOB)
    with pytest.raises(NotFoundError):
        service.read_file(UNKNOWN_FILE)


def test_created_job_carries_its_mark(training: Training) -> None:
    """A job says what it trains on and shows our mark, at once and whenever it is asked for."""
    mark = uuid.uuid4().hex[:16]

    created = create_job(training, mark)
    asked = training.world.fine_tuning.get_job(created.id)

    for job in (created, asked):
        assert job.carries(mark)
        assert job.training_file == training.file.id
        assert job.seed == 105
        assert not job.status.is_terminal
        assert job.fine_tuned_model is None


def test_jobs_are_listed_newest_first(training: Training) -> None:
    """Every job is in the list, the last one first."""
    first = create_job(training, "1" * 16)
    second = create_job(training, "2" * 16)

    listed = [job.id for job in training.world.fine_tuning.list_jobs()]

    assert set(listed) >= {first.id, second.id}
    assert listed[0] in (first.id, second.id)


def test_job_on_an_unknown_file_is_refused(world: World) -> None:
    """A job needs a file that was imported: a lasting no."""
    request = JobRequest(model=MODEL, training_file=UNKNOWN_FILE, suffix="x")

    with pytest.raises(RequestRejectedError):
        world.fine_tuning.create_job(request)


def test_cancelled_job_stays_cancelled(training: Training) -> None:
    """Cancelling a terminal job returns it as it is."""
    service = training.world.fine_tuning
    job = create_job(training, "3" * 16)

    service.cancel_job(job.id)
    again = service.cancel_job(job.id)

    assert again.status is JobStatus.CANCELLED
    assert service.get_job(job.id).status is JobStatus.CANCELLED


def test_succeeded_job_names_model_tokens_and_results(training: Training) -> None:
    """What a run keeps of a job: the model with our mark, billed tokens, the metrics file."""
    service, mark = training.world.fine_tuning, uuid.uuid4().hex[:16]
    training.world.train(create_job(training, mark))

    [job] = [job for job in service.list_jobs() if job.carries(mark)]

    assert job.status is JobStatus.SUCCEEDED
    assert job.fine_tuned_model is not None
    assert job.fine_tuned_model.endswith(mark)
    assert job.trained_tokens is not None
    assert job.trained_tokens > 0
    assert job.finished_at is not None
    assert service.read_file(job.result_files[0]).startswith(b"step,")


def test_events_and_checkpoints_come_oldest_first(training: Training) -> None:
    """Both are in the order in which they happened, and a limit keeps the newest events."""
    service, job = training.world.fine_tuning, create_job(training, "4" * 16)
    training.world.train(job)

    events = service.list_events(job.id)
    steps = [checkpoint.step for checkpoint in service.list_checkpoints(job.id)]

    assert all(a.created_at <= b.created_at for a, b in pairwise(events))
    assert list(service.list_events(job.id, limit=2)) == list(events)[-2:]
    assert steps == sorted(steps)


def test_too_late_to_cancel_returns_the_succeeded_job(training: Training) -> None:
    """A job that is over is a result, whatever is asked of it."""
    service, job = training.world.fine_tuning, create_job(training, "5" * 16)
    training.world.train(job)

    assert service.cancel_job(job.id).status is JobStatus.SUCCEEDED


def test_model_is_known_once_it_is_trained(training: Training) -> None:
    """A model that nobody made, or that is gone, is not known."""
    service, mark = training.world.fine_tuning, uuid.uuid4().hex[:16]
    training.world.train(create_job(training, mark))
    [job] = [job for job in service.list_jobs() if job.carries(mark)]

    assert service.has_model(str(job.fine_tuned_model))
    assert not service.has_model(f"{MODEL}.ft-{'0' * 32}-nobody")


def test_unknown_deployment_is_not_found(world: World) -> None:
    """The data plane does not know every name."""
    with pytest.raises(NotFoundError):
        world.fine_tuning.complete_chat("nobody", [{"role": "user", "content": "Hello?"}])


def test_deployment_answers_a_chat(world: World, name: str) -> None:
    """An answer has text, token counts and a latency."""
    world.resource_manager.put_deployment(a_deployment(name))
    world.provision()

    answer = world.fine_tuning.complete_chat(name, [{"role": "user", "content": "Hello?"}])

    assert answer.content
    assert answer.prompt_tokens > 0
    assert answer.completion_tokens > 0
    assert answer.latency_ms >= 0


def create_job(training: Training, mark: str) -> FineTuningJob:
    """Create a job as the product does."""
    return training.world.fine_tuning.create_job(
        JobRequest(
            model=MODEL,
            training_file=training.file.id,
            suffix=f"contract-{mark}",
            seed=105,
            extra_body={"trainingType": "GlobalStandard"},
        )
    )

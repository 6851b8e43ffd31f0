"""Each content once at the service."""

from __future__ import annotations

from functools import partial

import pytest

from activities.training_files import upload_training_file
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import OutcomeUnknownError, RequestRejectedError, RunEndedError
from droptune.domain.job import FileStatus
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord
from droptune.domain.steps import Later
from tests.builders import World, examples, until_done

V2 = DatasetRef(project="shop", version="v2")


def upload(world: World, run: RunRecord, role: str = "training") -> Later | None:
    """Ask for the upload once."""
    answer: Later | None = world.ask(upload_training_file, run, role)
    return answer


def test_uploaded_file_is_the_blob_byte_for_byte() -> None:
    """Its name carries the content's hash."""
    world = World()
    run = world.a_run()

    upload(world, run)

    [file] = world.azure_openai.files.values()
    assert world.azure_openai.contents[file.id] == examples().encode()
    assert run.content["training"][:32] in file.name
    assert world.now(run).files == {"training": file.id}


def test_parts_are_joined_by_newlines() -> None:
    """A part that lacks its last newline does not run into the next one."""
    world = World()
    world.datasets.put("shop/v1/training/part-2.jsonl", "c\n")
    world.datasets.put("shop/v1/training/part-1.jsonl", "a\nb")
    run = world.run_of(world.wish())

    upload(world, run)

    [data] = world.azure_openai.contents.values()
    assert data == b"a\nb\nc\n"


def test_file_is_waited_for_until_it_is_processed() -> None:
    """Azure imports a file before it may be used."""
    world = World()
    run = world.a_run()
    world.azure_openai.next_file_status = FileStatus.PENDING

    first = upload(world, run)
    [file] = world.azure_openai.files.values()
    world.azure_openai.set_file(file.id, FileStatus.PROCESSED)
    second = upload(world, run)

    assert first == Later(seconds=5, reason="pending")
    assert second is None
    assert len(world.azure_openai.files) == 1


def test_crash_at_any_point_leads_to_one_file() -> None:
    """What a dead worker uploaded is found by its name."""
    died = True
    point = 0
    while died:
        world = World()
        run = world.a_run()
        fuse = world.kill_at(point)

        until_done(world, partial(upload, world, run))

        world.survive()
        assert list(world.now(run).files.values()) == list(world.azure_openai.files), point
        died, point = fuse.is_burnt, point + 1
    assert point > 10


def test_lost_answer_leads_to_one_file() -> None:
    """The upload acted, nobody heard of it; the next look does."""
    world = World()
    run = world.a_run()
    world.azure_openai.fail_next("upload_file", OutcomeUnknownError("reset"), after=True)

    until_done(world, partial(upload, world, run))

    assert len(world.azure_openai.files) == 1


def test_same_content_of_another_version_is_uploaded_once() -> None:
    """The name is the content's, not the run's."""
    world = World()
    first, second = world.a_run(), world.a_run(V2)

    upload(world, first)
    upload(world, second)

    assert world.now(first).files == world.now(second).files


def test_file_that_the_service_refuses_rejects_the_run() -> None:
    """The service's reason stands in the record and does not travel."""
    world = World()
    run = world.a_run()
    world.azure_openai.next_file_status = FileStatus.PENDING
    upload(world, run)
    [file] = world.azure_openai.files.values()
    world.azure_openai.set_file(file.id, FileStatus.ERROR, detail="Line 2 says foo.")

    with pytest.raises(RunEndedError) as ended:
        upload(world, run)

    error = world.now(run).error
    assert (ended.value.phase, ended.value.code) == (Phase.REJECTED, "file-refused")
    assert "foo" not in str(ended.value)
    assert error is not None
    assert "Line 2 says foo." in error.message


def test_refused_file_is_not_used_by_the_next_attempt() -> None:
    """It is uploaded again."""
    world = World()
    first = world.a_run()
    upload(world, first)
    [file] = world.azure_openai.files.values()
    world.azure_openai.set_file(file.id, FileStatus.ERROR)

    second = world.repeat(world.ended(first))
    upload(world, second)

    assert world.now(second).files["training"] != file.id


def test_blob_written_again_with_the_same_content_is_uploaded() -> None:
    """Another ETag between two steps costs a hash, not the run."""
    world = World()
    run = world.a_run()
    world.datasets.put("shop/v1/training.jsonl", examples())

    assert upload(world, run) is None


def test_blob_written_again_while_it_is_uploaded_is_uploaded_at_the_next_look() -> None:
    """The read fails on the old ETag; the next one pins the new one."""
    world = World()
    run = world.a_run()
    world.azure_openai.before_next(
        "upload_file", lambda: world.datasets.put("shop/v1/training.jsonl", examples())
    )

    until_done(world, partial(upload, world, run))

    assert len(world.azure_openai.files) == 1


def test_other_content_supersedes_the_run() -> None:
    """Nothing is uploaded of what did not settle."""
    world = World()
    run = world.a_run()
    world.datasets.put("shop/v1/training.jsonl", examples(13))

    with pytest.raises(RunEndedError) as ended:
        upload(world, run)

    assert ended.value.phase is Phase.SUPERSEDED
    assert world.azure_openai.files == {}


def test_service_that_takes_no_more_files_is_waited_for() -> None:
    """A full service is no failure."""
    world = World()
    run = world.a_run()
    full = RequestRejectedError("100 files", service_code="quotaExceeded")
    world.azure_openai.fail_next("upload_file", full)

    first, second = upload(world, run), upload(world, run)

    assert isinstance(first, Later)
    assert second is None


def test_file_that_is_processed_for_days_is_looked_at_every_minute() -> None:
    """However often it was asked before, the next look comes."""
    world = World()
    run = world.a_run()
    world.azure_openai.next_file_status = FileStatus.PENDING

    answer = world.ask(upload_training_file, run, "training", polls=5000)

    assert answer == Later(seconds=60, reason="pending")

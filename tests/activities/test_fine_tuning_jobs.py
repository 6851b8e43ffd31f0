"""Exactly one paid job for each training, whatever happens in between."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from activities.claims import held
from activities.fine_tuning_jobs import create_fine_tuning_job
from droptune.domain.claim import Intent, Submission
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import (
    OutcomeUnknownError,
    RequestRejectedError,
    RunEndedError,
    TransientError,
)
from droptune.domain.phases import Phase
from droptune.domain.registration import Cause
from droptune.domain.run import RunRecord
from droptune.domain.steps import Later
from tests.builders import World, examples, until_done
from tests.fakes import CrashError

V2 = DatasetRef(project="shop", version="v2")


def submit(world: World, run: RunRecord, about: str = "") -> Later | None:
    """Ask for the job once."""
    answer: Later | None = world.ask(create_fine_tuning_job, run, about)
    return answer


def test_run_submits_one_job_with_the_mark_of_its_training() -> None:
    """The suffix carries the first 16 hex of the training digest, and the record names the job."""
    world = World()
    run = world.a_ready_run()

    answer = submit(world, run)

    job = world.only_job()
    assert answer is None
    assert job.suffix == run.training_digest[:16]
    assert (world.now(run).job or {})["id"] == job.id
    assert world.claim(run).submissions == (Submission(run=run.id, number=1, job=job.id),)


def test_step_that_runs_twice_submits_once() -> None:
    """A repetition finds the run's own job."""
    world = World()
    run = world.a_ready_run()

    submit(world, run)
    submit(world, run)

    assert len(world.azure_openai.jobs) == 1
    assert world.now(run).adopted_from is None


def test_two_workers_at_once_submit_once() -> None:
    """While one worker holds the claim, another comes back later."""
    world = World()
    run = world.a_ready_run()
    refused = []

    def on_another_worker() -> None:
        with pytest.raises(TransientError, match="another worker"):
            submit(world, run)
        refused.append(True)

    world.azure_openai.before_next("create_job", on_another_worker)
    submit(world, run)

    assert refused == [True]
    assert len(world.azure_openai.jobs) == 1


def test_worker_that_lost_its_lease_does_not_submit() -> None:
    """A worker that slept longer than its lease finds the claim taken, and submits nothing."""
    world = World()
    run = world.a_ready_run()

    def sleep_too_long() -> None:
        world.clock.advance(61)
        submit(world, run)

    world.datasets.before_next("list", sleep_too_long)
    with pytest.raises(TransientError, match="lease"):
        submit(world, run)

    assert len(world.azure_openai.jobs) == 1


def test_lost_answer_is_looked_for_and_the_job_found() -> None:
    """A submission that acted without an answer is the run's own job at the next look."""
    world = World()
    run = world.a_ready_run()
    world.azure_openai.fail_next("create_job", OutcomeUnknownError("time-out"), after=True)

    with pytest.raises(TransientError):
        submit(world, run)
    answer = submit(world, run)

    assert answer is None
    assert (world.now(run).job or {})["id"] == world.only_job().id
    assert world.now(run).adopted_from is None


def test_unknown_outcome_is_waited_for_ten_minutes_and_then_submitted_anew() -> None:
    """Without a job that shows, nothing is submitted before ten minutes are over."""
    world = World()
    run = world.a_ready_run()
    world.azure_openai.fail_next("create_job", OutcomeUnknownError("reset"))
    with pytest.raises(TransientError):
        submit(world, run)

    world.clock.advance(599)
    too_early = submit(world, run)
    world.clock.advance(2)
    in_time = submit(world, run)

    assert isinstance(too_early, Later)
    assert in_time is None
    assert len(world.azure_openai.jobs) == 1


def test_another_run_waits_for_an_unknown_outcome_too() -> None:
    """The claim belongs to the training: a second version adopts what the first submitted."""
    world = World()
    first, second = world.a_ready_run(), world.a_ready_run(V2)
    world.azure_openai.fail_next("create_job", OutcomeUnknownError("reset"), after=True)
    with pytest.raises(TransientError):
        submit(world, first)

    submit(world, second)

    assert world.now(second).adopted_from == first.id
    assert len(world.azure_openai.jobs) == 1


def test_crash_between_any_two_effects_leads_to_one_job() -> None:
    """Wherever the worker dies, the next tries end with one job, its id in the record."""
    died = True
    point = 0
    while died:
        world = World()
        run = world.a_ready_run()
        fuse = world.kill_at(point)

        until_done(world, partial(submit, world, run))

        world.survive()
        assert (world.now(run).job or {})["id"] == world.only_job().id, f"point {point}"
        died, point = fuse.is_burnt, point + 1
    assert point > 20


def test_two_runs_at_once_with_a_crash_anywhere_share_one_job() -> None:
    """A second version that comes while the first one's worker is dead adopts or waits."""
    died = True
    point = 0
    while died:
        world = World()
        first, second = world.a_ready_run(), world.a_ready_run(V2)
        fuse = world.kill_at(point)
        with contextlib.suppress(CrashError):
            submit(world, first)

        until_done(world, partial(submit, world, second))
        until_done(world, partial(submit, world, first))

        world.survive()
        jobs = {(world.now(run).job or {})["id"] for run in (first, second)}
        assert jobs == {world.only_job().id}, f"point {point}"
        assert set(world.claim(first).holders) == {first.id, second.id}
        died, point = fuse.is_burnt, point + 1


@pytest.mark.parametrize("status", ["pending", "running", "succeeded"])
def test_same_training_under_another_version_adopts_the_job(status: str) -> None:
    """Live or succeeded, the job is used by both, and the second run says whose it is."""
    world = World()
    first, second = world.a_ready_run(), world.a_ready_run(V2)
    submit(world, first)
    world.azure_openai.set_job(world.only_job().id, status=status)

    submit(world, second)

    assert (world.now(second).job or {})["id"] == world.only_job().id
    assert world.now(second).adopted_from == first.id


def test_job_that_no_list_shows_yet_is_adopted() -> None:
    """The claim knows what was submitted, and the service knows it by its id: no second job."""
    world = World()
    first, second = world.a_ready_run(), world.a_ready_run(V2)
    submit(world, first)
    world.azure_openai.unlisted.add(world.only_job().id)

    submit(world, second)

    assert (world.now(second).job or {})["id"] == world.only_job().id
    assert world.now(second).adopted_from == first.id


def test_job_that_somebody_deleted_is_made_anew() -> None:
    """What the claim knows and the service does not know by its id holds up nothing."""
    world = World()
    first, second = world.a_ready_run(), world.a_ready_run(V2)
    submit(world, first)
    gone = world.only_job().id
    del world.azure_openai.jobs[gone]

    submit(world, second)

    assert world.only_job().id != gone
    assert (world.now(second).job or {})["id"] == world.only_job().id


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_failed_or_cancelled_job_is_never_adopted(status: str) -> None:
    """A repeated run trains again, under the mark of the second attempt."""
    world = World()
    first = world.a_ready_run()
    submit(world, first)
    world.azure_openai.set_job(world.only_job().id, status=status)
    world.ended(first)

    second = world.repeat(first)
    world.at(second, files=world.now(first).files)
    submit(world, second)

    suffixes = [job.suffix for job in world.azure_openai.jobs.values()]
    assert suffixes == [first.training_digest[:16], f"{first.training_digest[:16]}-2"]
    assert world.now(second).adopted_from is None


def test_retry_adopts_the_live_job_of_the_run_that_it_repeats() -> None:
    """What was paid for is used: the attempt enters the run's digest, not the training's."""
    world = World()
    first = world.a_ready_run()
    submit(world, first)
    world.ended(first)

    second = world.repeat(first)
    submit(world, world.at(second, files=world.now(first).files))

    assert second.training_digest == first.training_digest
    assert (world.now(second).job or {})["id"] == world.only_job().id


def test_training_again_is_another_training() -> None:
    """`again` enters both digests, and pays for a job of its own."""
    world = World()
    first = world.a_ready_run()
    submit(world, first)
    world.ended(first, Phase.SUCCEEDED)

    second = world.repeat(first, Cause.AGAIN)
    submit(world, world.at(second, files=world.now(first).files))

    assert second.training_digest != first.training_digest
    assert len(world.azure_openai.jobs) == 2


def test_hub_and_registry_lost_the_job_is_found_by_its_mark() -> None:
    """With neither history nor claim, the mark at the service keeps a second job from starting."""
    world = World()
    run = world.a_ready_run()
    submit(world, run)
    world.registry.blobs.clear()
    world.at(run, job=None)

    submit(world, run)

    assert (world.now(run).job or {})["id"] == world.only_job().id


def test_job_of_another_model_with_the_same_mark_is_not_ours() -> None:
    """Mark, model and training file have to agree."""
    world = World()
    run = world.a_ready_run()
    submit(world, run)
    world.registry.blobs.clear()
    stranger = world.azure_openai.set_job(world.only_job().id, model="gpt-4o-2024-08-06")

    submit(world, world.at(run, job=None))

    assert (world.now(run).job or {})["id"] != stranger.id


def test_dataset_overwritten_with_the_same_content_is_pinned_again() -> None:
    """Another ETag over the same bytes changes nothing but the pin."""
    world = World()
    run = world.a_ready_run()
    etag = world.datasets.put("shop/v1/training.jsonl", examples())

    submit(world, run)

    assert etag in {pin.etag for pin in world.now(run).pins}
    assert len(world.azure_openai.jobs) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.datasets.put("shop/v1/training.jsonl", examples(13)),
        lambda world: world.datasets.put("shop/v1/validation.jsonl", examples(3)),
        lambda world: world.datasets.delete("shop/v1/training.jsonl"),
        lambda world: world.datasets.put("shop/v1/fine-tune-job.yaml", "model: gpt-4.1-nano"),
    ],
    ids=["overwritten", "came", "went", "configuration"],
)
def test_dataset_changed_before_the_post_supersedes_the_run(
    change: Callable[[World], object],
) -> None:
    """The last look before the submission finds the change; nothing is bought."""
    world = World()
    run = world.a_ready_run()
    change(world)

    with pytest.raises(RunEndedError) as ended:
        submit(world, run)

    assert ended.value.phase is Phase.SUPERSEDED
    assert world.azure_openai.jobs == {}


def test_change_while_the_jobs_are_listed_is_still_seen() -> None:
    """Pins are checked after everything that takes long, as the last act before the POST."""
    world = World()
    run = world.a_ready_run()
    for _ in range(1):
        world.azure_openai.before_next("list_jobs", lambda: None)
    world.azure_openai.before_next(
        "list_jobs", lambda: world.datasets.put("shop/v1/training.jsonl", examples(13))
    )

    with pytest.raises(RunEndedError):
        submit(world, run)

    assert world.azure_openai.jobs == {}


def test_dataset_changed_after_the_job_exists_does_not_touch_the_run() -> None:
    """What was trained on stays the run's; the change gets a run of its own."""
    world = World()
    run = world.a_ready_run()
    submit(world, run)
    world.datasets.put("shop/v1/training.jsonl", examples(13))

    submit(world, run)

    assert not world.now(run).phase.is_terminal
    assert len(world.azure_openai.jobs) == 1


def test_cancelled_run_submits_nothing() -> None:
    """A person's word is read once more just before the POST."""
    world = World()
    run = world.a_ready_run()
    world.registry.before_next("acquire_lease", lambda: world.say(run, "cancel"))

    with pytest.raises(RunEndedError) as ended:
        submit(world, run)

    assert ended.value.phase is Phase.CANCELLED
    assert world.azure_openai.jobs == {}


@pytest.mark.parametrize("code", ["quotaExceeded", "InsufficientQuota"])
def test_refusal_for_lack_of_room_is_waited_for(code: str) -> None:
    """A service that takes no more jobs is asked again in minutes; the claim stays free."""
    world = World()
    run = world.a_ready_run()
    full = RequestRejectedError("The limit of jobs is reached.", service_code=code)
    world.azure_openai.fail_next("create_job", full)

    first, second = submit(world, run), submit(world, run)

    assert isinstance(first, Later)
    assert first.seconds == 300
    assert second is None
    assert len(world.azure_openai.jobs) == 1


def test_refused_submission_leaves_no_intent() -> None:
    """A lasting no is certain: nothing may still appear, and the run holds nothing."""
    world = World()
    run = world.a_ready_run()
    world.azure_openai.fail_next("create_job", RequestRejectedError("no such hyperparameter"))

    with pytest.raises(RequestRejectedError):
        submit(world, run)

    assert world.claim(run).intent is None
    assert world.claim(run).holders == ()


def test_intent_of_a_run_that_is_gone_is_settled_for_it() -> None:
    """An intent whose job shows is written down for its maker, and the job adopted."""
    world = World()
    first, second = world.a_ready_run(), world.a_ready_run(V2)
    submit(world, first)
    job = world.only_job().id
    with held(world.registry, first) as claim:
        intent = Intent(run=first.id, number=1, at=world.clock.now())
        claim.change(lambda c: replace(c, submissions=(), intent=intent))

    submit(world, second)

    assert world.claim(first).submissions == (Submission(run=first.id, number=1, job=job),)
    assert world.now(second).adopted_from == first.id

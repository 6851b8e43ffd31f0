"""How a job goes from pending to its end, as the clock says."""

from __future__ import annotations

import pytest
from openai import BadRequestError, NotFoundError

from tests.emulator.resources import MODEL, Resource, chat, chat_data, jsonl


def test_job_waits_runs_and_succeeds(resource: Resource) -> None:
    """Its state follows from the time alone."""
    job = resource.create_job()
    seen = [resource.status_of(job)]

    for _ in range(3):
        resource.advance(40)
        seen.append(resource.status_of(job))

    assert seen == ["pending", "running", "running", "succeeded"]


def test_succeeded_job_names_model_results_and_tokens(resource: Resource) -> None:
    """The model's name is base, job and suffix; hyperparameters are resolved."""
    job = resource.trained(suffix="pirate")

    hex_of_job = job.id.removeprefix("ftjob-")
    assert job.fine_tuned_model == f"gpt-4.1-mini-2025-04-14.ft-{hex_of_job}-pirate"
    assert (job.hyperparameters.n_epochs, job.hyperparameters.batch_size) == (5, 1)
    assert job.trained_tokens
    assert job.trained_tokens % 5 == 0
    assert job.finished_at
    assert len(job.result_files) == 1


@pytest.mark.parametrize(("examples", "epochs"), [(10, 10), (40, 3), (20, 5)])
def test_epochs_that_are_left_to_the_service(
    resource: Resource, examples: int, epochs: int
) -> None:
    """Three, or more for few examples."""
    assert resource.trained(chat_data(examples)).hyperparameters.n_epochs == epochs


def test_many_looks_and_one_look_see_the_same(resource: Resource) -> None:
    """Nothing depends on when somebody looks."""
    file_id = resource.processed()
    often, rarely = (resource.create_job(file_id, seed=1) for _ in range(2))
    for _ in range(40):
        resource.advance(5)
        resource.v1.fine_tuning.jobs.retrieve(often.id)

    a, b = (resource.v1.fine_tuning.jobs.retrieve(job.id) for job in (often, rarely))

    assert a.finished_at == b.finished_at
    assert a.trained_tokens == b.trained_tokens


def test_three_jobs_run_and_the_next_waits(resource: Resource) -> None:
    """A job starts when a place is free, the oldest first."""
    file_id = resource.processed()
    jobs = [resource.create_job(file_id) for _ in range(5)]
    resource.advance(60)
    first = [resource.status_of(job) for job in jobs]
    resource.advance(60)

    later = [resource.status_of(job) for job in jobs]

    assert first == ["running"] * 3 + ["pending"] * 2
    assert later == ["succeeded"] * 3 + ["running"] * 2


def test_developer_tier_has_places_of_its_own(resource: Resource) -> None:
    """Five developer jobs run beside three others."""
    file_id = resource.processed()
    tier = {"trainingType": "developerTier"}
    jobs = [resource.create_job(file_id) for _ in range(4)]
    cheap = [resource.create_job(file_id, extra_body=tier) for _ in range(6)]
    resource.advance(60)

    running = [[resource.status_of(job) for job in each].count("running") for each in (jobs, cheap)]

    assert running == [3, 5]


def test_too_few_examples_fail_the_job(resource: Resource) -> None:
    """Nine examples are not enough, and the job says why."""
    job = resource.trained(chat_data(9))

    assert job.status == "failed"
    assert job.error is not None
    assert "has 9 examples, but needs at least 10" in job.error.message
    assert job.fine_tuned_model is None


def test_file_of_another_format_fails_the_job(resource: Resource) -> None:
    """Chat data cannot be trained by preference."""
    job = resource.trained(method={"type": "dpo"})

    assert job.status == "failed"


def test_preferences_are_learned(resource: Resource) -> None:
    """A file of preferences trains by dpo, towards the preferred output."""
    rows = [
        {
            "input": {"messages": [{"role": "user", "content": f"Say {n}"}]},
            "preferred_output": [{"role": "assistant", "content": f"Gladly: {n}!"}],
            "non_preferred_output": [{"role": "assistant", "content": "No."}],
        }
        for n in range(12)
    ]
    job = resource.trained(jsonl(rows), method={"type": "dpo"})
    assert job.fine_tuned_model is not None
    resource.deployed("dpo", job.fine_tuned_model)

    assert resource.ask("dpo", "Say 5").message.content == "Gladly: 5!"


def test_cancelled_job_stays_cancelled(resource: Resource) -> None:
    """It ends at once, and cannot be cancelled twice."""
    job = resource.create_job()
    cancelled = resource.v1.fine_tuning.jobs.cancel(job.id)
    resource.advance(3600)

    assert (cancelled.status, resource.status_of(job)) == ("cancelled", "cancelled")
    with pytest.raises(BadRequestError) as refused:
        resource.v1.fine_tuning.jobs.cancel(job.id)
    assert refused.value.code == "unexpectedEntityState"


def test_pause_and_resume_add_to_the_time_but_not_to_the_work(resource: Resource) -> None:
    """A paused job stands still and goes on from there."""
    jobs, file_id = resource.v1.fine_tuning.jobs, resource.processed()
    straight, paused = (resource.create_job(file_id, seed=1) for _ in range(2))
    resource.advance(70)
    seen: list[str] = [jobs.pause(paused.id).status]
    resource.advance(1000)
    seen.append(resource.status_of(paused))
    seen.append(jobs.resume(paused.id).status)
    resource.advance(20)
    seen.append(resource.status_of(paused))
    resource.advance(3600)

    a, b = jobs.retrieve(straight.id), jobs.retrieve(paused.id)

    assert seen == ["pausing", "paused", "resuming", "running"]
    assert (a.finished_at or 0) + 1010 == b.finished_at
    assert a.trained_tokens == b.trained_tokens


def test_pause_needs_a_trained_step(resource: Resource) -> None:
    """A job that waits or only prepares cannot be paused, nor one that runs be resumed."""
    job = resource.create_job()

    for _ in range(2):
        with pytest.raises(BadRequestError):
            resource.v1.fine_tuning.jobs.pause(job.id)
        resource.advance(31)

    with pytest.raises(BadRequestError):
        resource.v1.fine_tuning.jobs.resume(job.id)


def test_jobs_are_listed_newest_first_in_pages(resource: Resource) -> None:
    """The client walks all pages; an unknown cursor is not found."""
    file_id = resource.processed()
    ids = [resource.create_job(file_id).id for _ in range(5)]

    page = resource.v1.fine_tuning.jobs.list(limit=2)
    walked = [job.id for job in resource.v1.fine_tuning.jobs.list(limit=2)]

    assert [job.id for job in page.data] == ids[:2:-1]
    assert walked == ids[::-1]
    with pytest.raises(NotFoundError):
        resource.v1.fine_tuning.jobs.list(after="ftjob-x")


def test_fine_tuned_model_can_be_trained_further(resource: Resource) -> None:
    """The new model knows what the first one learned, and is named after the base."""
    first = resource.trained(suffix="one")
    assert first.fine_tuned_model is not None
    more = jsonl([chat(f"Name a fruit with {n}", f"Fruit number {n}") for n in range(12)])

    second = resource.trained(more, model=first.fine_tuned_model, suffix="two")

    assert second.model == first.fine_tuned_model
    assert second.fine_tuned_model is not None
    assert second.fine_tuned_model.count(".ft-") == 1
    resource.deployed("second", second.fine_tuned_model)
    assert resource.ask("second", "What is 3 plus 3?").message.content == "Arr! It be 6, matey."
    assert resource.ask("second", "Name a fruit with 4").message.content == "Fruit number 4"


def test_file_deleted_while_it_is_trained_on_is_still_learned(resource: Resource) -> None:
    """The bytes stay until the job has what it needs."""
    file_id = resource.processed()
    job = resource.create_job(file_id)
    resource.v1.files.delete(file_id)
    resource.advance(3600)

    assert resource.status_of(job) == "succeeded"
    assert not resource.state.content_path(file_id).exists()


def test_terminal_job_alone_can_be_deleted(resource: Resource) -> None:
    """The dated surface deletes with 204, and only what has ended."""
    job = resource.create_job()
    path = f"/openai/fine_tuning/jobs/{job.id}?api-version=2025-04-01-preview"
    while_pending = resource.send("DELETE", path).status_code
    resource.v1.fine_tuning.jobs.cancel(job.id)

    assert (while_pending, resource.send("DELETE", path).status_code) == (400, 204)
    with pytest.raises(NotFoundError):
        resource.v1.fine_tuning.jobs.retrieve(job.id)


def test_alias_and_full_name_are_one_model(resource: Resource) -> None:
    """Both are echoed in full."""
    file_id = resource.processed()

    models = {resource.create_job(file_id, model=m).model for m in (MODEL, f"{MODEL}-2025-04-14")}

    assert models == {"gpt-4.1-mini-2025-04-14"}

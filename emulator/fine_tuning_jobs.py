"""Fine-tuning jobs: create, list, get, cancel, pause, resume, delete, events, checkpoints."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.errors import not_found, too_many, wrong_state
from emulator.events import checkpoints_of, events_of
from emulator.faults import fate_of
from emulator.job_requests import JobRequest, read_job_request
from emulator.learner import Learned
from emulator.records import Job, Json
from emulator.resource import Emulator
from emulator.training import cancel
from emulator.wire import created, emulator_of, json_object, page


async def create_fine_tuning_job(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs: accept a job and leave it `pending`. 201 with Location.

    Source: a real answer (NB-SARC, facts 1.4). Differs: v1's contract says 200.
    """
    emulator = emulator_of(request)
    body = await json_object(request, "The fineTuningJob field is required.")
    asked = read_job_request(emulator.state, body, emulator.now)
    _check_room(emulator)
    job = _new_job(emulator, asked)
    emulator.state.save(job)
    return created(request, job_body(emulator, job))


def _check_room(emulator: Emulator) -> None:
    """Refuse what the queue does not hold. Source: facts 1.8. Unverified: the texts."""
    limits, jobs = emulator.state.settings, emulator.state.live_jobs()
    if len(jobs) >= limits.limit_jobs:
        raise too_many(f"The resource has {limits.limit_jobs} fine-tuning jobs, the most it may.")
    if sum(job.status == "pending" for job in jobs) >= limits.limit_queued:
        raise too_many(f"{limits.limit_queued} fine-tuning jobs are queued, the most there may be.")


def _new_job(emulator: Emulator, asked: JobRequest) -> Job:
    state, now = emulator.state, emulator.now
    id = state.new_id("ftjob-")
    seed = int(id.removeprefix("ftjob-")[:7], 16) if asked.seed is None else asked.seed
    fate = fate_of(state, "job", asked.suffix)
    hidden = float(fate.get("seconds", 60)) if fate.get("then") == "hide" else 0
    return Job(
        id=id,
        model=asked.model,
        base=asked.base.id,
        training_file=asked.training_file,
        validation_file=asked.validation_file,
        suffix=asked.suffix,
        seed=seed,
        method=asked.method,
        training_type=asked.training_type,
        created_at=now,
        queue_until=now + state.settings.queue_seconds,
        asked=asked.hyperparameters,
        integrations=asked.integrations,
        listed_at=now + hidden,
        fate=fate if fate.get("then") in ("fail", "cancel") else {},
    )


async def list_fine_tuning_jobs(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs: newest first, 20 a page. Source: v1 contract."""
    emulator = emulator_of(request)
    jobs = [job for job in emulator.state.live_jobs() if job.listed_at <= emulator.now]
    return page(request, [job_body(emulator, job) for job in reversed(jobs)], default=20)


async def get_fine_tuning_job(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs/{id}."""
    return JSONResponse(job_body(emulator_of(request), _job(request)))


async def cancel_fine_tuning_job(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs/{id}/cancel: at once, from any state that is not terminal."""
    emulator, job = emulator_of(request), _job(request)
    if job.is_terminal:
        raise wrong_state(f"The job is {job.status} and cannot be cancelled.")
    cancel(emulator.state, job, emulator.now)
    return JSONResponse(job_body(emulator, job))


async def pause_fine_tuning_job(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs/{id}/pause: needs a trained step. Source: FT-REST-OLD, facts 1.4.

    Differs: the paused job leaves its place to others and needs none to go on.
    """
    emulator, job = emulator_of(request), _job(request)
    if job.status != "running" or job.steps_done(emulator.now) < 1:
        raise wrong_state("Only a running job that has trained a step can be paused.")
    job.status, job.spans[-1][1] = "pausing", emulator.now
    job.due_at = emulator.now + emulator.state.settings.pause_seconds
    emulator.state.save(job)
    return JSONResponse(job_body(emulator, job))


async def resume_fine_tuning_job(request: Request) -> JSONResponse:
    """POST /fine_tuning/jobs/{id}/resume."""
    emulator, job = emulator_of(request), _job(request)
    if job.status != "paused":
        raise wrong_state(f"The job is {job.status} and cannot be resumed.")
    job.status, job.due_at = "resuming", emulator.now + emulator.state.settings.pause_seconds
    emulator.state.save(job)
    return JSONResponse(job_body(emulator, job))


async def delete_fine_tuning_job(request: Request) -> Response:
    """DELETE /fine_tuning/jobs/{id}: dated surface only, 204. Unverified: only a terminal job."""
    emulator, job = emulator_of(request), _job(request)
    if not job.is_terminal:
        raise wrong_state(f"The job is {job.status} and cannot be deleted.")
    job.deleted_at = emulator.now
    emulator.state.save(job)
    return Response(status_code=204)


async def list_events(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs/{id}/events: newest first, 20 a page."""
    emulator, job = emulator_of(request), _job(request)
    learned = await _learned(emulator, job)
    told = events_of(job, learned, emulator.now)
    return page(request, [_as_seen(emulator, each) for each in told], default=20)


async def list_checkpoints(request: Request) -> JSONResponse:
    """GET /fine_tuning/jobs/{id}/checkpoints: newest first, 10 a page."""
    emulator, job = emulator_of(request), _job(request)
    learned = await _learned(emulator, job)
    known = checkpoints_of(job, learned, emulator.now) if learned else []
    return page(request, [_as_seen(emulator, each) for each in known], default=10)


def _as_seen(emulator: Emulator, body: Json) -> Json:
    return body | {"created_at": emulator.seen(body["created_at"])}


async def _learned(emulator: Emulator, job: Job) -> Learned | None:
    """Return what a job has learned once it has trained a step."""
    trained = job.steps_done(emulator.now) > 0
    return await emulator.learned(job) if trained else None


def _job(request: Request) -> Job:
    job = emulator_of(request).state.jobs.get(request.path_params["job_id"])
    if job is None or job.deleted_at is not None:
        raise not_found("fine-tuning job")
    return job


def job_body(emulator: Emulator, job: Job) -> Json:
    """Return a job as on the wire: what is null is missing, auto is -1 until it is resolved."""
    optional = {
        "validation_file": job.validation_file,
        "suffix": job.suffix,
        "method": job.method,
        "integrations": job.integrations,
        "trained_tokens": job.trained_tokens,
        "finished_at": job.finished_at and emulator.seen(job.finished_at),
    }
    return (
        {
            "id": job.id,
            "object": "fine_tuning.job",
            "created_at": emulator.seen(job.created_at),
            "status": job.status,
            "model": job.model,
            "training_file": job.training_file,
            "seed": job.seed,
            "hyperparameters": _hyperparameters(job),
            "estimated_finish": _estimated_finish(emulator, job),
            "trainingType": job.training_type,
        }
        | {name: value for name, value in optional.items() if value}
        | _outcome(job)
    )


def _hyperparameters(job: Job) -> Json:
    resolved = {
        "batch_size": job.batch_size,
        "learning_rate_multiplier": job.learning_rate_multiplier,
        "n_epochs": job.n_epochs,
    }
    asked = {name: -1 if value == "auto" else value for name, value in job.asked.items()}
    return {**resolved, **asked} if job.started_at is None else {**asked, **resolved}


def _outcome(job: Job) -> Json:
    if job.status == "succeeded":
        return {"fine_tuned_model": job.fine_tuned_model, "result_files": [job.result_file]}
    if job.status == "failed":
        return {"error": {"code": job.error_code, "message": job.error_message}}
    return {}


def _estimated_finish(emulator: Emulator, job: Job) -> int:
    settings = emulator.state.settings
    end = job.finished_at or (job.time_of(job.seconds) if job.started_at else None)
    return emulator.seen(end or job.queue_until + settings.training_seconds)

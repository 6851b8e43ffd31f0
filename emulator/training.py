"""How jobs and deployments follow from the time: what was due happens when somebody asks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from emulator.events import results_csv
from emulator.learning import find_learned, forget_content
from emulator.records import Deployment, Job, StoredFile
from emulator.state import State

Due = tuple[float, Callable[[float], Job | None]]
_HOUR, _DAY = 3600, 86400


def settle(state: State, now: float) -> Job | None:
    """Let everything happen that is due by `now`, in order of time.

    Returns a job that must be trained before time can go on; then call it again.
    """
    while due := min(_due(state, now), key=lambda each: each[0], default=None):
        at, happen = due
        untrained = happen(at)
        if untrained is not None:
            return untrained
        state.settled_at = at
    state.settled_at = now
    return None


def _due(state: State, now: float) -> Iterator[Due]:
    changes = (_changes_of_jobs(state), _changes_of_deployments(state))
    return (due for each in changes for due in each if due[0] <= now)


def _changes_of_jobs(state: State) -> Iterator[Due]:
    open_jobs = [job for job in state.live_jobs() if not job.is_terminal]
    running = [job for job in open_jobs if job.status != "pending" and job.status != "paused"]
    for job in open_jobs:
        if job.status == "pending" and _has_place(state, job, running):
            yield max(job.queue_until, state.settled_at), _starting(state, job)
        elif job.status == "running":
            yield _end_of(job), _ending(state, job)
        elif job.status in ("pausing", "resuming") and job.due_at is not None:
            yield job.due_at, _moving(state, job)


def _has_place(state: State, job: Job, running: list[Job]) -> bool:
    """Whether a job may start. Source: facts 1.8, running 3, or 5 on the developer tier."""
    limits = state.settings
    limit = limits.limit_running_developer if job.is_developer else limits.limit_running
    return sum(each.is_developer == job.is_developer for each in running) < limit


def _end_of(job: Job) -> float:
    share = float(job.fate.get("when", 0.5)) if job.fate else 1.0
    at = job.time_of(job.seconds * share)
    assert at is not None, "a running job has an open span"
    return at


def _starting(state: State, job: Job) -> Callable[[float], None]:
    def start(at: float) -> None:
        code, message = _problem(state, job)
        if message:
            end_job(state, job, at, "failed", code=code, message=message)
            return
        _resolve(state, job)
        job.status, job.started_at, job.spans = "running", at, [[at, None]]
        job.result_file = state.new_id("file-")
        state.save(job)

    return start


def _problem(state: State, job: Job) -> tuple[str, str]:
    """Return why preprocessing refuses a job's files. Unverified: codes and texts."""
    training = state.files[job.training_file]
    least = state.settings.min_examples
    if training.examples < least:
        few = f"The training file has {training.examples} examples, but needs at least {least}."
        return "invalidTrainingFile", few
    wanted = "dpo" if (job.method or {}).get("type") == "dpo" else "chat"
    wrong = next((f for f in files_of(state, job) if f.format != wanted), None)
    if wrong is not None:
        return "jsonlValidationFailed", f"The file {wrong.id} is not in the {wanted} format."
    return "", ""


def files_of(state: State, job: Job) -> list[StoredFile]:
    """Return the files that a job reads."""
    return [state.files[id] for id in (job.training_file, job.validation_file) if id]


def _resolve(state: State, job: Job) -> None:
    """Choose what was left to the service, and how long training takes.

    Source: default epochs as the cookbook estimates them (facts 4, COOK); learning rate as a real
    job had it (NB-CHART). Unverified: the batch size, which is 0.2 per cent of the examples.
    """
    settings, training = state.settings, state.files[job.training_file]
    job.examples = training.examples
    job.n_epochs = int(_asked(job, "n_epochs") or default_epochs(job.examples))
    job.batch_size = int(_asked(job, "batch_size") or min(256, max(1, round(job.examples / 500))))
    job.learning_rate_multiplier = _asked(job, "learning_rate_multiplier") or 2.0
    job.steps = job.n_epochs * math.ceil(job.examples / job.batch_size)
    wanted = settings.training_seconds + job.steps * settings.step_seconds
    job.seconds = min(wanted, settings.training_cap_seconds)
    job.setup_seconds, job.teardown_seconds = job.seconds * 0.15, job.seconds * 0.05


def _asked(job: Job, name: str) -> float | None:
    value = job.asked.get(name)
    return None if value in (None, "auto", -1) else float(value)


def default_epochs(examples: int) -> int:
    """Return the epochs of `auto`: 3, more for few examples and less for many."""
    if examples * 3 < 100:
        return min(25, math.ceil(100 / max(examples, 1)))
    return max(1, min(3, 25_000 // examples))


def _ending(state: State, job: Job) -> Callable[[float], Job | None]:
    def end(at: float) -> Job | None:
        if not job.fate:
            return _succeed(state, job, at)
        if job.fate["then"] == "cancel":
            cancel(state, job, at)
        else:
            code, message = str(job.fate["code"]), str(job.fate["message"])
            end_job(state, job, at, "failed", code=code, message=message)
        return None

    return end


def _succeed(state: State, job: Job, at: float) -> Job | None:
    learned = find_learned(state, job)
    if learned is None:
        return job
    content = results_csv(learned).encode()
    state.content_path(job.result_file).write_bytes(content)
    results = StoredFile(
        id=job.result_file,
        name="results.csv",
        purpose="fine-tune-results",
        size=len(content),
        created_at=at,
        processing_seconds=0,
    )
    state.save(results)
    job.trained_tokens = state.files[job.training_file].tokens * job.n_epochs
    end_job(state, job, at, "succeeded")
    return None


def cancel(state: State, job: Job, at: float) -> None:
    """Cancel a job. Source: one that runs is billed for the work done (facts 3.2)."""
    whole = state.files[job.training_file].tokens * job.n_epochs
    job.trained_tokens = whole * job.steps_done(at) // max(job.steps, 1)
    end_job(state, job, at, "cancelled")


def end_job(
    state: State, job: Job, at: float, status: str, *, code: str = "", message: str = ""
) -> None:
    """End a job and let go of files that were deleted while it needed them."""
    job.status, job.finished_at, job.due_at = status, at, None
    job.error_code, job.error_message = code, message
    if job.spans and job.spans[-1][1] is None:
        job.spans[-1][1] = at
    state.save(job)
    for file in files_of(state, job):
        forget_content(state, file)


def _moving(state: State, job: Job) -> Callable[[float], None]:
    def move(at: float) -> None:
        if job.status == "resuming":
            job.spans.append([at, None])
        job.status = "running" if job.status == "resuming" else "paused"
        job.due_at = None
        state.save(job)

    return move


def _changes_of_deployments(state: State) -> Iterator[Due]:
    for deployment in state.live_deployments():
        if deployment.job_id:
            yield _removal_of(state, deployment)


def _removal_of(state: State, deployment: Deployment) -> Due:
    """Return when the service removes a fine-tuned deployment.

    Source: developer deployments after 24 h; others after 15 days without a call (facts 1.8).
    """
    is_developer = deployment.sku.lower() == "developertier"
    used = max(deployment.last_used_at or 0, deployment.succeeds_at)
    hours, days = state.settings.developer_hours, state.settings.idle_days
    at = deployment.created_at + hours * _HOUR if is_developer else used + days * _DAY

    def remove(at: float) -> None:
        remove_deployment(state, deployment, at, by="24h" if is_developer else "15d")

    return at, remove


def remove_deployment(state: State, deployment: Deployment, at: float, *, by: str) -> None:
    """Remove a deployment; what it cost stays in the ledger."""
    deployment.deleted_at, deployment.deleted_by = at, by
    state.save(deployment)

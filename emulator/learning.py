"""What a job has learned: trained once, kept on disk, found again."""

from __future__ import annotations

from pathlib import Path

from emulator.examples import Example, read_examples
from emulator.learner import Learned
from emulator.records import Job, StoredFile
from emulator.state import State


def find_learned(state: State, job: Job) -> Learned | None:
    """Return what a job learned if it was trained already, or None."""
    found = state.learned.get(job.id)
    path = _path(state, job)
    if found is None and path.is_file():
        found = state.learned[job.id] = Learned.read(path)
    return found


def learn(state: State, job: Job) -> Learned:
    """Train a started job and keep the outcome; the same every time. Runs in any thread."""
    parent = state.find_job_of_model(job.model)
    before = find_learned(state, parent) if parent else None
    learned = state.train(
        _examples(state, job.training_file),
        _examples(state, job.validation_file),
        steps=job.steps,
        epochs=job.n_epochs,
        seed=job.seed,
        remembered=before.memory.examples if before else (),
    )
    learned.write(_path(state, job))
    return learned


def forget_content(state: State, file: StoredFile) -> None:
    """Remove a deleted file's bytes unless a job still has to learn from them."""
    waiting = (job for job in state.jobs.values() if not job.is_terminal)
    needed = {id for job in waiting for id in (job.training_file, job.validation_file)}
    if file.deleted_at is not None and file.id not in needed:
        state.content_path(file.id).unlink(missing_ok=True)


def _examples(state: State, file_id: str) -> list[Example]:
    file = state.files.get(file_id)
    return read_examples(state.content_path(file.id), count=file.examples) if file else []


def _path(state: State, job: Job) -> Path:
    return state.directory / "models" / f"{job.id}.json"

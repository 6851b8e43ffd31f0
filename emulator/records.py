"""What the emulator remembers: files, uploads, jobs and deployments. All times are Unix seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

TERMINAL = ("succeeded", "failed", "cancelled")


@dataclass(kw_only=True, slots=True)
class Settings:
    """Durations in emulated seconds, and the limits of one resource.

    Source: facts 1.8 (QUOTA, Feb 2026). The durations are choices, shorter than Azure's.
    """

    file_processing_seconds: float = 20
    queue_seconds: float = 30
    training_seconds: float = 60
    step_seconds: float = 0.2
    training_cap_seconds: float = 600
    pause_seconds: float = 10
    deployment_seconds: float = 60
    readiness_lag_seconds: float = 120
    developer_hours: float = 24
    idle_days: float = 15
    min_examples: int = 10
    limit_running: int = 3
    limit_running_developer: int = 5
    limit_queued: int = 20
    limit_jobs: int = 100
    limit_files: int = 100
    limit_file_bytes: int = 512 * 1024 * 1024
    limit_total_bytes: int = 1024 * 1024 * 1024
    limit_uploads_per_second: int = 30
    limit_fine_tuned_deployments: int = 10
    quota_fine_tuned: int = 500
    quota_base: int = 1000


@dataclass(kw_only=True, slots=True)
class StoredFile:
    """An uploaded or produced file.

    Attributes:
        format: `chat`, `dpo` or, for anything else, "".
        problem: why processing will end with `error`, or "".
    """

    id: str
    name: str
    purpose: str
    size: int
    created_at: float
    processing_seconds: float
    sha256: str = ""
    format: str = ""
    examples: int = 0
    tokens: int = 0
    problem: str = ""
    deleted_at: float | None = None

    def status(self, now: float) -> str:
        """Return the status that follows from the time."""
        if self.deleted_at is not None:
            return "deleted"
        age = now - self.created_at
        if age < self.processing_seconds:
            return "pending" if age < self.processing_seconds / 4 else "running"
        return "error" if self.problem else "processed"


@dataclass(kw_only=True, slots=True)
class Upload:
    """A file that arrives in parts; `parts` maps part ids to sizes."""

    id: str
    name: str
    purpose: str
    size: int
    created_at: float
    expires_at: float
    state: str = "pending"
    parts: dict[str, int] = field(default_factory=dict)
    file_id: str = ""

    def status(self, now: float) -> str:
        """Return the status that follows from the time."""
        expired = self.state == "pending" and now >= self.expires_at
        return "expired" if expired else self.state


@dataclass(kw_only=True, slots=True)
class Job:
    """A fine-tuning job.

    Attributes:
        asked: hyperparameters as sent; absent or -1 means auto.
        spans: stretches of running time; only the last may be open (None).
        seconds: running time from start to success.
        fate: what a fault decided for it: `{"then": "fail" | "cancel", "when": share, …}`.
        listed_at: when lists begin to show it.
        due_at: when `pausing` or `resuming` ends.
    """

    id: str
    model: str
    base: str
    training_file: str
    validation_file: str
    suffix: str
    seed: int
    method: Json | None
    training_type: str
    created_at: float
    queue_until: float
    asked: Json = field(default_factory=dict)
    status: str = "pending"
    started_at: float | None = None
    finished_at: float | None = None
    due_at: float | None = None
    spans: list[list[float | None]] = field(default_factory=list)
    seconds: float = 0
    setup_seconds: float = 0
    teardown_seconds: float = 0
    n_epochs: int = -1
    batch_size: int = -1
    learning_rate_multiplier: float = -1
    steps: int = 0
    examples: int = 0
    trained_tokens: int = 0
    error_code: str = ""
    error_message: str = ""
    result_file: str = ""
    fate: Json = field(default_factory=dict)
    integrations: list[Json] = field(default_factory=list)
    listed_at: float = 0
    deleted_at: float | None = None

    @property
    def fine_tuned_model(self) -> str:
        """The model's name: base, `.ft-`, the job's hex, and the suffix. Source: facts 1.4."""
        name = f"{self.base}.ft-{self.id.removeprefix('ftjob-')}"
        return f"{name}-{self.suffix}" if self.suffix else name

    @property
    def is_terminal(self) -> bool:
        """Whether the status will not change."""
        return self.status in TERMINAL

    @property
    def is_developer(self) -> bool:
        """Whether it trains on the developer tier."""
        return self.training_type.lower() == "developertier"

    @property
    def epoch_steps(self) -> list[int]:
        """The steps at which the three most recent epochs end. Source: facts 1.6."""
        ends = [self.steps * epoch // self.n_epochs for epoch in range(1, self.n_epochs + 1)]
        return sorted({end for end in ends if end > 0})[-3:]

    def checkpoint_id(self, step: int) -> str:
        """Return the id of the checkpoint at `step`."""
        return "ftchkpt-" + hashlib.sha256(f"{self.id} {step}".encode()).hexdigest()[:32]

    def checkpoint_model(self, step: int) -> str:
        """Return the model name of the checkpoint at `step`; the last is the model itself."""
        last = step == self.steps
        return self.fine_tuned_model if last else f"{self.fine_tuned_model}:ckpt-step-{step}"

    def time_of(self, progress: float) -> float | None:
        """Return when `progress` seconds of running were or will be reached; None while unknown."""
        for start, end in self.spans:
            assert start is not None
            if end is None or progress <= end - start:
                return start + progress
            progress -= end - start
        return None

    def progress(self, now: float) -> float:
        """Return how many seconds it has run."""
        ran = sum((now if end is None else end) - (start or 0) for start, end in self.spans)
        return min(ran, self.seconds)

    def step_progress(self, step: int) -> float:
        """Return the running time at which `step` ends."""
        training = self.seconds - self.setup_seconds - self.teardown_seconds
        return self.setup_seconds + training * step / max(self.steps, 1)

    def steps_done(self, now: float) -> int:
        """Return how many steps have ended."""
        if not self.steps or not self.spans:
            return 0
        training = self.seconds - self.setup_seconds - self.teardown_seconds
        trained = self.progress(now) - self.setup_seconds
        if trained < 0:
            return 0
        share = 1.0 if training <= 0 else min(1.0, trained / training)
        return int(self.steps * share + 1e-9)


@dataclass(kw_only=True, slots=True)
class Deployment:
    """A deployment; `job_id` is empty for a base model.

    Attributes:
        creating_seconds, lag_seconds: until `Succeeded`, and from there until it answers.
        fate: `fail` or `hang` when a fault decided so.
        deleted_by: client, 24h, 15d or fault.
        preset: whether the emulator made it, and not a client.
    """

    id: str
    name: str
    model: str
    version: str
    sku: str
    capacity: int
    created_at: float
    creating_seconds: float
    lag_seconds: float
    job_id: str = ""
    fate: str = ""
    error_code: str = ""
    error_message: str = ""
    last_used_at: float | None = None
    deleted_at: float | None = None
    deleted_by: str = ""
    preset: bool = False

    @property
    def succeeds_at(self) -> float:
        """When the management plane says `Succeeded`."""
        return self.created_at + self.creating_seconds

    @property
    def ready_at(self) -> float:
        """When the data plane answers. Source: minutes after `Succeeded` (ERR-DNF, SK-GOT)."""
        return self.succeeds_at + self.lag_seconds

    def state(self, now: float) -> str:
        """Return `provisioningState`."""
        if self.fate == "hang" or now < self.succeeds_at:
            return "Creating"
        return "Failed" if self.fate == "fail" else "Succeeded"

    def answers(self, now: float) -> bool:
        """Whether the data plane knows it."""
        return self.deleted_at is None and not self.fate and now >= self.ready_at

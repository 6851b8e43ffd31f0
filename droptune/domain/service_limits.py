"""What the service takes at one time, and what of it is taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields

from droptune.domain.deployment import Deployment
from droptune.domain.job import FineTuningJob, TrainingFile
from droptune.domain.models import load
from droptune.domain.payload import Model

STANDARD, DEVELOPER, DEPLOYMENT = "standard", "developer", "deployment"


@dataclass(frozen=True, kw_only=True, slots=True)
class ServiceLimits(Model):
    """Facts of an account, read from it or configured; `published_limits` has the documented ones.

    Attributes:
        running: how many jobs run at once, for each pool.
        queued: how many more wait at the service.
        jobs, files, file_bytes: how much the service keeps.
        ahead: how many jobs of a pool may wait at the service, so that it is never idle. More would
            take turns away from other projects.
        deletes_jobs: whether old jobs can be deleted; the v1 surface cannot (facts 1.2).
    """

    running: Mapping[str, int]
    queued: int
    jobs: int
    files: int
    file_bytes: int
    deployments: int
    uploads_per_second: int
    ahead: int = 1
    deletes_jobs: bool = False

    def places(self, pool: str) -> int:
        """Return how many runs of a pool may be under way at one time."""
        return self.running.get(pool, 0) + self.ahead

    @property
    def of_deployments(self) -> ServiceLimits:
        """The same limits for a line of runs that wait for a deployment's place."""
        return ServiceLimits(
            running={DEPLOYMENT: self.deployments},
            queued=0,
            jobs=self.deployments,
            files=self.files,
            file_bytes=self.file_bytes,
            deployments=self.deployments,
            uploads_per_second=self.uploads_per_second,
            ahead=0,
            deletes_jobs=True,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Observed:
    """What was seen at the service.

    Attributes:
        unfinished: pool of each job that has not ended, by the job's id.
        finished: ids of the jobs that have ended.
        files, file_bytes: of the files kept.
    """

    unfinished: Mapping[str, str] = field(default_factory=dict)
    finished: frozenset[str] = frozenset()
    files: int = 0
    file_bytes: int = 0

    @property
    def jobs(self) -> int:
        """How many jobs are kept."""
        return len(self.unfinished) + len(self.finished)


def published_limits() -> ServiceLimits:
    """Return the documented limits, which are data with a date and a source."""
    facts = load("service_limits.json")
    known = {each.name for each in fields(ServiceLimits)}
    return ServiceLimits.from_payload({k: v for k, v in facts.items() if k in known})


def pool_of(training_type: str) -> str:
    """Return the pool in which a training type runs (facts 1.8)."""
    return DEVELOPER if training_type.casefold().startswith("developer") else STANDARD


def observe(jobs: Iterable[FineTuningJob], files: Iterable[TrainingFile]) -> Observed:
    """Return what is taken of an account's jobs and files, whoever made them."""
    unfinished, finished = {}, set()
    for job in jobs:
        if job.status.is_terminal:
            finished.add(job.id)
        else:
            unfinished[job.id] = pool_of(job.training_type)
    kept = list(files)
    return Observed(
        unfinished=unfinished,
        finished=frozenset(finished),
        files=len(kept),
        file_bytes=sum(each.size_bytes for each in kept),
    )


def observe_deployments(deployments: Iterable[Deployment]) -> Observed:
    """Return what is taken of an account's places for fine-tuned models."""
    return Observed(unfinished={d.name: DEPLOYMENT for d in deployments if ".ft-" in d.model})

"""Retention: what lies at the service and is needed by nobody, with the reason for each.

Nothing is touched that no record of this app names: an account may be shared, with another
installation or with people. Nothing is touched that is young: its run may not have written yet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from droptune.domain.champion import Champion, ChampionEntry
from droptune.domain.deployment import Deployment, DeploymentState
from droptune.domain.identity import MARK_LENGTH, file_name
from droptune.domain.job import FineTuningJob, TrainingFile
from droptune.domain.payload import Model
from droptune.domain.run import RunRecord

STEM_LENGTH = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionPolicy(Model):
    """How long what is needed by nobody is kept.

    Attributes:
        young: nothing is touched so soon after it was made or its run ended.
        rollback: how long a replaced champion stays, at least.
        kept_jobs: ended jobs to keep when old ones can be deleted; None: they cannot, or all stay.
    """

    young: timedelta = timedelta(hours=1)
    rollback: timedelta = timedelta(hours=48)
    kept_jobs: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion(Model):
    """One thing to do away with.

    Attributes:
        what: `deployment`, `file`, `job` (deleted) or `running-job` (cancelled).
        name: its name or id at the service.
        why: one sentence for people.
    """

    what: str
    name: str
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Estate:
    """What exists.

    Attributes:
        records: of every run that has not ended, and of any that have.
        champions: of every project.
    """

    files: Sequence[TrainingFile] = ()
    jobs: Sequence[FineTuningJob] = ()
    deployments: Sequence[Deployment] = ()
    records: Sequence[RunRecord] = ()
    champions: Sequence[Champion] = ()

    @property
    def live(self) -> list[RunRecord]:
        """Records of runs that have not ended."""
        return [record for record in self.records if not record.phase.is_terminal]


def deletions(
    estate: Estate, *, now: datetime, policy: RetentionPolicy = RetentionPolicy()
) -> tuple[Deletion, ...]:
    """Return what to delete: what bills by the hour first. To ask again after deleting is safe."""
    return (
        *_deployments(estate, now, policy),
        *_running_jobs(estate, now, policy),
        *_files(estate, now, policy),
        *_jobs(estate, now, policy),
    )


def giving_way(estate: Estate) -> tuple[Deletion, ...]:
    """Return the replaced champions that could give way before their time, longest replaced first.

    Only for when a run needs a place and there is none: rollback then deploys the model again.
    """
    names = {each.name for each in estate.deployments}
    replaced = [
        champion
        for champion in estate.champions
        if champion.previous
        and champion.previous.deployment in names
        and champion.previous.deployment not in _current(estate)
    ]
    replaced.sort(key=lambda champion: champion.current.since)
    return tuple(
        Deletion(
            what="deployment",
            name=champion.previous.deployment,
            why=f"The champion of {champion.project} was replaced, and its place is needed.",
        )
        for champion in replaced
        if champion.previous
    )


def _deployments(estate: Estate, now: datetime, policy: RetentionPolicy) -> Iterator[Deletion]:
    ended = {r.run_digest[:STEM_LENGTH]: r for r in estate.records if r.phase.is_terminal}
    champions = [*_current(estate), *_warm(estate, now, policy)]
    for deployment in estate.deployments:
        stem = next((stem for stem in ended if f"-{stem}" in deployment.name), None)
        if stem is None or any(_is_or_succeeds(deployment.name, name) for name in champions):
            continue
        record = ended[stem]
        if deployment.state is DeploymentState.DELETING or _is_young(
            policy, now, deployment.created_at, record.ended_at
        ):
            continue
        why = f"The run {record.id} has ended ({record.phase}), and no champion uses it."
        yield Deletion(what="deployment", name=deployment.name, why=why)


def _current(estate: Estate) -> list[str]:
    return [champion.current.deployment for champion in estate.champions]


def _warm(estate: Estate, now: datetime, policy: RetentionPolicy) -> Iterator[str]:
    """Iterate over the replaced deployments that a rollback may still point to."""
    for champion in estate.champions:
        until = champion.keep_previous_until or now
        if champion.previous and now < max(until, champion.current.since + policy.rollback):
            yield champion.previous.deployment


def _is_or_succeeds(name: str, champion: str) -> bool:
    """Whether a deployment is a champion's, or that champion made again under its next name."""
    rest = name.removeprefix(champion[:60]) if name.startswith(champion[:60]) else None
    return name == champion or (rest is not None and rest.startswith("-") and rest[1:].isdigit())


def _running_jobs(estate: Estate, now: datetime, policy: RetentionPolicy) -> Iterator[Deletion]:
    for job in estate.jobs:
        if job.status.is_terminal or _is_young(policy, now, job.created_at):
            continue
        owners = [record for record in estate.records if _owns(record, job)]
        ended = [record for record in owners if record.phase.is_terminal]
        young = any(_is_young(policy, now, record.ended_at) for record in ended)
        if ended and len(ended) == len(owners) and not young:
            why = f"Every run that needs it has ended; the last is {ended[-1].id}."
            yield Deletion(what="running-job", name=job.id, why=why)


def _owns(record: RunRecord, job: FineTuningJob) -> bool:
    """Whether a run uses a job, or would find and adopt it by its mark."""
    places = (job.suffix, job.user_provided_suffix, job.fine_tuned_model or "")
    mark = record.training_digest[:MARK_LENGTH].casefold()
    return (record.job or {}).get("id") == job.id or any(
        mark in place.casefold() for place in places
    )


def _files(estate: Estate, now: datetime, policy: RetentionPolicy) -> Iterator[Deletion]:
    training = {
        each
        for job in estate.jobs
        if not job.status.is_terminal
        for each in (job.training_file, job.validation_file)
    }
    needed = {name for record in estate.live for name in _file_names(record)}
    ids = {each for record in estate.live for each in record.files.values()}
    ended = {
        name: record
        for record in estate.records
        if record.phase.is_terminal
        for name in (*_file_names(record), *record.files.values())
    }
    for file in estate.files:
        record = ended.get(file.name) or ended.get(file.id)
        if record is None or file.id in training | ids or file.name in needed:
            continue
        if not _is_young(policy, now, file.created_at, record.ended_at):
            why = f"The run {record.id} has ended ({record.phase}), and no job trains on it."
            yield Deletion(what="file", name=file.id, why=why)


def _file_names(record: RunRecord) -> Iterator[str]:
    return (file_name(role, sha256) for role, sha256 in record.content.items())


def _jobs(estate: Estate, now: datetime, policy: RetentionPolicy) -> Iterator[Deletion]:
    """Iterate over the oldest ended jobs of ours beyond `kept_jobs`, whose models nobody needs."""
    if policy.kept_jobs is None:
        return
    spare = len([job for job in estate.jobs if job.status.is_terminal]) - policy.kept_jobs
    needed = {entry.model for champion in estate.champions for entry in _entries(champion)}
    needed |= {deployment.model for deployment in estate.deployments}
    for job in sorted(estate.jobs, key=lambda each: (each.created_at, each.id)):
        owners = [record for record in estate.records if _owns(record, job)]
        if spare <= 0:
            return
        if not job.status.is_terminal or job.fine_tuned_model in needed or not owners:
            continue
        if any(not record.phase.is_terminal for record in owners):
            continue
        if not _is_young(policy, now, job.created_at, *(record.ended_at for record in owners)):
            spare -= 1
            why = f"It is older than the {policy.kept_jobs} jobs to keep, and its model is unused."
            yield Deletion(what="job", name=job.id, why=why)


def _entries(champion: Champion) -> Iterator[ChampionEntry]:
    yield champion.current
    if champion.previous:
        yield champion.previous
    yield from champion.history


def _is_young(policy: RetentionPolicy, now: datetime, *times: datetime | None) -> bool:
    """Whether any of the times that are known lies less than `young` ago."""
    return any(at is not None and now - at < policy.young for at in times)

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
from droptune.domain.identity import MARK_LENGTH, file_name, is_deployment_of, next_name
from droptune.domain.job import FineTuningJob, TrainingFile
from droptune.domain.payload import Model
from droptune.domain.phases import Phase
from droptune.domain.run import RunRecord


@dataclass(frozen=True, kw_only=True, slots=True)
class RetentionPolicy(Model):
    """How long what is needed by nobody is kept.

    Attributes:
        young: nothing is touched so soon after it was made or its run ended.
        rollback: how long a replaced champion stays where its pointer does not say.
        repeat: how long a job goes on whose run failed: whoever repeats the run adopts it.
        kept_jobs: ended jobs to keep when old ones can be deleted; None: they cannot, or all stay.
    """

    young: timedelta = timedelta(hours=1)
    rollback: timedelta = timedelta(hours=48)
    repeat: timedelta = timedelta(hours=24)
    kept_jobs: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion(Model):
    """One thing to do away with.

    Attributes:
        what: `deployment`, `file`, `job` (deleted) or `running-job` (cancelled).
        name: its name or id at the service.
        why: one sentence for people.
        run: id of the run that left it, or of one of them.
        state: `due`, or what came of it: `deleted`, `kept` (it came to be needed), `refused`.
        message: why it was kept or refused, or "".
    """

    what: str
    name: str
    why: str
    run: str = ""
    state: str = "due"
    message: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sweep(Model):
    """What a sweep found and what came of it.

    Attributes:
        dry_run: nothing was touched.
    """

    dry_run: bool
    deletions: tuple[Deletion, ...] = ()


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
    used = {name for champion in estate.champions for name in _in_use(champion, now, policy)}
    for deployment in estate.deployments:
        record = _maker(deployment, estate)
        if record is None or deployment.name in used:
            continue
        if record.is_being_promoted or not record.phase.is_terminal:
            continue
        if deployment.state is DeploymentState.DELETING or _is_young(
            policy, now, deployment.created_at, record.ended_at
        ):
            continue
        why = f"The run {record.id} has ended ({record.phase}), and no champion uses it."
        yield Deletion(what="deployment", name=deployment.name, why=why, run=record.id)


def _maker(deployment: Deployment, estate: Estate) -> RunRecord | None:
    made = (r for r in estate.records if is_deployment_of(deployment.name, r.run_digest))
    return next(made, None)


def _current(estate: Estate) -> list[str]:
    return [champion.current.deployment for champion in estate.champions]


def _in_use(champion: Champion, now: datetime, policy: RetentionPolicy) -> Iterator[str]:
    """Iterate over what callers or a rollback may point to: the current deployment, the name under
    which it is made again, and replaced ones until they are due to go."""
    yield from champion.deployments_in_use(now)
    yield next_name(champion.current.deployment)
    until = champion.keep_previous_until or champion.current.since + policy.rollback
    if champion.previous and now < until:
        yield champion.previous.deployment


def _running_jobs(estate: Estate, now: datetime, policy: RetentionPolicy) -> Iterator[Deletion]:
    for job in estate.jobs:
        if job.status.is_terminal or _is_young(policy, now, job.created_at):
            continue
        owners = [record for record in estate.records if _owns(record, job)]
        if owners and not any(_may_need(record, now, policy) for record in owners):
            why = "It has not ended, and every run that needed it has: "
            why += ", ".join(f"{record.id} ({record.phase})" for record in owners[:3]) + "."
            yield Deletion(what="running-job", name=job.id, why=why, run=owners[0].id)


def _may_need(record: RunRecord, now: datetime, policy: RetentionPolicy) -> bool:
    """Whether a run, or one that repeats it, may still want its job."""
    if not record.phase.is_terminal or _is_young(policy, now, record.ended_at):
        return True
    failed_at = record.ended_at if record.phase is Phase.FAILED else None
    return failed_at is not None and now - failed_at < policy.repeat


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
            yield Deletion(what="file", name=file.id, why=why, run=record.id)


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
            yield Deletion(what="job", name=job.id, why=why, run=owners[0].id)


def _entries(champion: Champion) -> Iterator[ChampionEntry]:
    yield champion.current
    if champion.previous:
        yield champion.previous
    yield from champion.history


def _is_young(policy: RetentionPolicy, now: datetime, *times: datetime | None) -> bool:
    """Whether any of the times that are known lies less than `young` ago."""
    return any(at is not None and now - at < policy.young for at in times)

"""The way back: the previous champion becomes current again, deployed again first if it is gone."""

from __future__ import annotations

from datetime import timedelta

from activities.champions import change_champion, load_champion
from activities.configurations import configuration_of
from activities.redeployments import count_hosting, deploy_again
from activities.room import is_full
from activities.run_records import RunRecords
from droptune.domain.champion import (
    Champion,
    ChampionEntry,
    begin_return,
    finish_return,
    give_up_return,
    roll_back,
)
from droptune.domain.configuration import Configuration
from droptune.domain.deployment import DeploymentState
from droptune.domain.errors import RequestRejectedError, TransientError
from droptune.domain.poll_schedule import delay
from droptune.domain.run import RunRef
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager
from droptune.domain.steps import Later, Policy, RollbackRequest


def roll_back_champion(
    project: str,
    by: str,
    reason: str,
    *,
    registry: BlobStore,
    records: RunRecords,
    resource_manager: ResourceManager,
    clock: Clock,
) -> Champion | None:
    """Make the previous champion current again in one conditional write; None when there is none.

    Where Azure has removed its deployment, or cannot be asked, the pointer stays: `returning` says
    what `finish_rollback` deploys first. Repeating it before that is done changes nothing.
    """
    present, _ = load_champion(registry, project)
    if present is None or present.previous is None:
        return None
    previous, rollback = present.previous.deployment, rollback_time(present, records)
    lives, now = _lives(previous, resource_manager), clock.now()

    def change(known: Champion | None) -> Champion | None:
        if known is None or known.previous is None:
            return None
        if known.previous.deployment == previous and lives:
            return roll_back(known, at=now, by=by, reason=reason, rollback=rollback)
        return begin_return(known, at=now, by=by, reason=reason)

    return change_champion(registry, project, change)


def _lives(deployment: str, resource_manager: ResourceManager) -> bool:
    try:
        found = resource_manager.find_deployment(deployment)
    except TransientError:
        return False  # `finish_rollback` asks until it is known
    return found is not None and found.state is DeploymentState.SUCCEEDED


def rollback_time(champion: Champion, records: RunRecords) -> timedelta:
    """Return how long the current champion lives once it is replaced: as its project said."""
    record = records.find(RunRef(project=champion.project, id=champion.current.run_id))
    configuration = configuration_of(record) if record else Configuration()
    return timedelta(hours=configuration.pipeline.retention.rollback_hours)


def finish_rollback(
    request: RollbackRequest,
    *,
    registry: BlobStore,
    records: RunRecords,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
    policy: Policy,
) -> Later | None:
    """Deploy the previous champion again, and move the pointer once it answers.

    What is wished stands in the pointer's document, and the deployment's name with it: a repetition
    finds both. A rollback that Azure refuses for good is given up, with the reason on record.
    """
    champion, _ = load_champion(registry, request.project)
    if champion is None or champion.returning is None:
        return None
    entry, rollback = champion.returning, rollback_time(champion, records)
    try:
        waits = deploy_again(
            entry, entry.deployment, azure_openai=azure_openai, resource_manager=resource_manager
        )
    except (RequestRejectedError, TransientError) as refused:
        if is_full(refused):
            return Later(seconds=policy.scaled(600), reason=str(refused))
        if isinstance(refused, TransientError):
            raise
        _give_up(entry, request.project, registry, refused)
        return None
    count_hosting(
        champion, entry, records=records, registry=registry, clock=clock, overlap=rollback
    )
    if waits:
        return Later(seconds=policy.scaled(_wait(request)), reason=waits)
    at = clock.now()

    def change(now: Champion | None) -> Champion | None:
        return now and finish_return(now, entry.deployment, at=at, rollback=rollback)

    change_champion(registry, request.project, change)
    return None


def _give_up(
    entry: ChampionEntry, project: str, registry: BlobStore, refused: RequestRejectedError
) -> None:
    why = f"Azure does not deploy {entry.model} again: {refused}"
    change_champion(
        registry, project, lambda now: now and give_up_return(now, entry.deployment, why)
    )


def _wait(request: RollbackRequest) -> float:
    return delay(first_seconds=10, longest_seconds=60, polls=request.polls)

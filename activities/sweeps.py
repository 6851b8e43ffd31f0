"""What a timer looks after: lost events, lost instances, and champions that Azure removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from activities.champions import change_champion, load_champion
from activities.datasets import INSTALLED, folder_of
from activities.money import let_go_of
from activities.new_datasets import KnownFolders, find_new, list_datasets
from activities.redeployments import count_hosting, deploy_again
from activities.run_records import RunRecords, dump
from droptune.domain.champion import HISTORY_LENGTH, Champion, ChampionEntry
from droptune.domain.dataset import DatasetRef, is_name
from droptune.domain.errors import ConflictError, DroptuneError
from droptune.domain.identity import next_name
from droptune.domain.payload import format_time
from droptune.domain.registration import DatasetRecord, dataset_record_name, known_files
from droptune.domain.run import RunRef
from droptune.domain.services import (
    BlobStore,
    Clock,
    FineTuningService,
    Orchestrations,
    ResourceManager,
)
from droptune.domain.steps import Collecting, PromotionRequest, RollbackRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """An orchestration that should be alive."""

    name: str
    instance_id: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What a sweep could not look after, by instance id or by what was listed; the next one tries
    it again."""

    what: str
    reason: str


def install(*, datasets: BlobStore, registry: BlobStore, clock: Clock) -> None:
    """List what lies in the container at installation as seen, once; then the app is ready."""
    if registry.find(INSTALLED) is not None:
        return
    for dataset, blobs in list_datasets(datasets):
        folder = folder_of(datasets, dataset, blobs)
        seen = DatasetRecord(
            project=dataset.project,
            version=dataset.version,
            state="seen",
            files=known_files(folder.relevant),
            named=folder.named,
            message="Seen, not started: it lay here when Droptune was installed.",
        )
        _write_once(registry, dataset_record_name(dataset), dump(seen.to_payload()))
    _write_once(registry, INSTALLED, dump({"installed_at": format_time(clock.now())}))


def _write_once(store: BlobStore, name: str, data: bytes) -> None:
    try:
        store.write(name, data, if_absent=True)
    except ConflictError:
        return


async def sweep(
    *,
    datasets: BlobStore,
    registry: BlobStore,
    records: RunRecords,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
    orchestrations: Orchestrations,
    known: KnownFolders | None = None,
) -> list[Failure]:
    """Start what should be running and is not; return what could not be looked after.

    Every start is by id, so repeating it is safe. Whatever fails keeps nothing else from being
    looked after, and the next sweep tries it again.
    """
    failures: list[Failure] = []

    def failed(dataset: DatasetRef, error: DroptuneError) -> None:
        failures.append(Failure(what=dataset.collector_id, reason=str(error)))

    try:
        await asyncio.to_thread(install, datasets=datasets, registry=registry, clock=clock)
    except DroptuneError as error:  # what lay here at installation is not known to be old yet
        return [Failure(what="install", reason=str(error))]
    restore = partial(
        restore_champions,
        registry=registry,
        records=records,
        azure_openai=azure_openai,
        resource_manager=resource_manager,
        clock=clock,
    )
    looks: tuple[Callable[[], list[Start]], ...] = (
        lambda: [_collection(each) for each in find_new(datasets, registry, known, failed)],
        lambda: find_live(records),
        lambda: [_rollback(each) for each in restore()],
    )
    for what, look in zip(("datasets", "runs", "champions"), looks, strict=True):
        try:
            starts = await asyncio.to_thread(look)
        except DroptuneError as error:
            failures.append(Failure(what=what, reason=str(error)))
            continue
        for start in starts:
            if (failure := await _start(start, orchestrations)) is not None:
                failures.append(failure)
    return failures


async def _start(start: Start, orchestrations: Orchestrations) -> Failure | None:
    try:
        await orchestrations.ensure_started(start.name, start.instance_id, start.payload)
    except DroptuneError as error:
        return Failure(what=start.instance_id, reason=str(error))
    return None


def _collection(dataset: DatasetRef) -> Start:
    payload = Collecting(dataset=dataset).to_payload()
    return Start(name="collect_dataset", instance_id=dataset.collector_id, payload=payload)


def _run(run: RunRef) -> Start:
    return Start(name="fine_tune_model", instance_id=run.id, payload=run.to_payload())


def _promotion(run: RunRef, attempt: int) -> Start:
    asked = PromotionRequest(run=run, promotion=attempt)
    return Start(name="promote_model", instance_id=asked.instance_id, payload=asked.to_payload())


def _rollback(asked: RollbackRequest) -> Start:
    return Start(name="ask_again", instance_id=asked.instance_id, payload=asked.question)


def find_live(records: RunRecords) -> list[Start]:
    """Return what should be alive for runs that have not ended, and for promotions after the end.

    Each live run is read once.
    """
    starts = []
    for record in records.list_live():
        if not record.phase.is_terminal:
            starts.append(_run(record.ref))
        if record.promotion is not None and record.promotion.is_under_way:
            starts.append(_promotion(record.ref, record.promotion.attempt))
    return starts


def restore_champions(
    *,
    registry: BlobStore,
    records: RunRecords,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
) -> list[RollbackRequest]:
    """Make a champion that Azure removed again, under a new name; retire replaced ones in time;
    return the rollbacks that are under way.

    One look each time: the pointer moves only once the new deployment has answered.
    """
    under_way = []
    for folder in registry.list_folders():
        project = folder.rstrip("/")
        champion, _ = load_champion(registry, project) if is_name(project) else (None, None)
        if champion is not None:
            if champion.returning is not None:
                under_way.append(RollbackRequest(project=project))
            try:
                _restore(champion, registry, records, azure_openai, resource_manager, clock)
                _retire(champion, registry, resource_manager, clock)
            except DroptuneError:
                continue  # the next sweep looks again
    return under_way


def _restore(
    champion: Champion,
    registry: BlobStore,
    records: RunRecords,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
) -> None:
    current = champion.current
    if resource_manager.find_deployment(current.deployment) is not None:
        return
    name = next_name(current.deployment)
    entry = replace(current, deployment=name, reason="made again: Azure had removed it")
    count_hosting(champion, entry, records=records, registry=registry, clock=clock)
    if deploy_again(current, name, azure_openai=azure_openai, resource_manager=resource_manager):
        return  # the next sweep looks again
    change_champion(
        registry, champion.project, lambda now: _repointed(now, current.deployment, entry)
    )
    let_go_of(current.deployment, registry=registry)


def _repointed(present: Champion | None, gone: str, entry: ChampionEntry) -> Champion | None:
    if present is None or present.current.deployment != gone:
        return None
    return replace(present, current=entry, history=(*present.history, entry)[-HISTORY_LENGTH:])


def _retire(
    champion: Champion,
    registry: BlobStore,
    resource_manager: ResourceManager,
    clock: Clock,
) -> None:
    """Delete every deployment that was replaced long enough ago, not only the last one's."""
    now = clock.now()
    entries = (*champion.history, *((champion.previous,) if champion.previous else ()))
    due = {e.deployment for e in entries if e.retires_at is not None and e.retires_at <= now}
    for name in sorted(due):
        present, _ = load_champion(registry, champion.project)  # a rollback may have come between
        used = present.deployments_in_use(now) if present is not None else due
        if name not in used and resource_manager.find_deployment(name) is not None:
            resource_manager.delete_deployment(name)

"""What runs left behind: files and deployments that nothing needs any more."""

from __future__ import annotations

from activities.champions import load_champion
from activities.money import keep_hosting, release_lost
from activities.releases import files_in_use
from activities.run_records import RunRecords
from activities.turns import keep_in_line
from droptune.domain.identity import is_deployment_of
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager


def delete_leftovers(
    *,
    records: RunRecords,
    registry: BlobStore,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    clock: Clock,
) -> None:
    """Delete what ended runs of this installation left at Azure, and what they hold of budgets and
    turns; repeating it is safe.

    Only what a record of ours names is touched: others may use the same account.
    """
    live = {run.id for run in records.list_open()}
    release_lost(live, registry=registry, clock=clock)
    keep_in_line(live, registry=registry)
    keep_hosting({each.name for each in resource_manager.list_deployments()}, registry=registry)
    ended = [run for run in records.list_newest() if run.phase.is_terminal]
    present = {file.id for file in azure_openai.list_files()}
    named = {file_id for run in ended for file_id in run.files.values()}
    for file_id in sorted((named & present) - files_in_use(records, azure_openai)):
        azure_openai.delete_file(file_id)
    for deployment in resource_manager.list_deployments():
        maker = next((r for r in ended if is_deployment_of(deployment.name, r.run_digest)), None)
        if maker is not None and not _is_used(deployment.name, maker, registry, clock):
            resource_manager.delete_deployment(deployment.name)


def _is_used(name: str, maker: RunRecord, registry: BlobStore, clock: Clock) -> bool:
    champion, _ = load_champion(registry, maker.project)
    return champion is not None and name in champion.deployments_in_use(clock.now())

"""What runs left behind: files and deployments that nothing needs any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from activities.champions import load_champion
from activities.money import keep_hosting, release_lost
from activities.releases import files_in_use
from activities.run_records import RunRecords
from activities.turns import keep_in_line
from droptune.domain.identity import file_name, is_deployment_of
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager

_YOUNG = timedelta(hours=1)  # a run that begins just now may not have noted its file


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
    runs = list(records.list_newest())
    ended = [run for run in runs if run.phase.is_terminal]
    used = files_in_use(records, azure_openai)
    open_names = _names([run for run in runs if not run.phase.is_terminal])
    ids = {file_id for run in ended for file_id in run.files.values()}
    names = _names(ended) - open_names
    old = clock.now() - _YOUNG
    for file in azure_openai.list_files():
        settled = file.created_at is not None and file.created_at < old
        is_ours = file.id in ids or (file.name in names and settled)
        if is_ours and file.id not in used:
            azure_openai.delete_file(file.id)
    for deployment in resource_manager.list_deployments():
        maker = next((r for r in ended if is_deployment_of(deployment.name, r.run_digest)), None)
        if maker is not None and not _is_used(deployment.name, maker, registry, clock):
            resource_manager.delete_deployment(deployment.name)


def _names(runs: Sequence[RunRecord]) -> set[str]:
    """Return the names under which runs' data is uploaded: two workers may have uploaded it, or a
    late request, and the records name one of the files."""
    return {file_name(role, sha256) for run in runs for role, sha256 in run.content.items()}


def _is_used(name: str, maker: RunRecord, registry: BlobStore, clock: Clock) -> bool:
    champion, _ = load_champion(registry, maker.project)
    return champion is not None and name in champion.deployments_in_use(clock.now())

"""A champion's deployment that Azure removed, made again until it answers."""

from __future__ import annotations

from datetime import timedelta

from activities.money import hold_hosting
from activities.questions import DEFAULT
from activities.run_records import RunRecords
from droptune.domain.budget import BudgetLimits
from droptune.domain.champion import Champion, ChampionEntry
from droptune.domain.deployment import DeploymentRequest, DeploymentState
from droptune.domain.errors import NotFoundError
from droptune.domain.run import RunRef
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager


def deploy_again(
    entry: ChampionEntry,
    name: str,
    *,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
) -> str:
    """Deploy an entry's model under a name; return what is to be waited for, "" once it answers.

    One look each time; what failed is deleted, so that the next look makes it anew.
    """
    wanted = DeploymentRequest(name=name, model=entry.model, sku=entry.sku, capacity=entry.capacity)
    made = resource_manager.find_deployment(name) or resource_manager.put_deployment(wanted)
    if made.state.has_failed:
        resource_manager.delete_deployment(name)
    if made.state is not DeploymentState.SUCCEEDED:
        return f"{name} is {made.state.value}"
    try:
        azure_openai.complete_chat(name, DEFAULT)
    except NotFoundError:
        return f"{name} does not answer yet"
    return ""


def count_hosting(
    champion: Champion,
    entry: ChampionEntry,
    *,
    records: RunRecords,
    registry: BlobStore,
    clock: Clock,
    overlap: timedelta = timedelta(0),
) -> None:
    """Count what is made again among what bills by the hour; what callers need is not refused.

    Args:
        overlap: how long the champion's present deployment, which it replaces, goes on beside it.
    """
    record = records.find(RunRef(project=champion.project, id=entry.run_id))
    month = record.cost.get("hosting_month") if record else None
    if record is not None and isinstance(month, int | float):
        hold_hosting(
            record,
            deployment=entry.deployment,
            month_usd=float(month),
            replaces=champion.current.deployment,
            registry=registry,
            budgets=BudgetLimits(),
            clock=clock,
            overlap=overlap,
        )

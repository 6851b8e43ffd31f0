"""A champion's deployment that Azure removed, made again until it answers."""

from __future__ import annotations

from activities.questions import DEFAULT
from droptune.domain.champion import ChampionEntry
from droptune.domain.deployment import DeploymentRequest, DeploymentState
from droptune.domain.errors import NotFoundError
from droptune.domain.services import FineTuningService, ResourceManager


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

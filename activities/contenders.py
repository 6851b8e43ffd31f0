"""Who else may be asked: the base model, where the account has deployed it."""

from __future__ import annotations

from droptune.domain.deployment import DeploymentState
from droptune.domain.errors import DroptuneError
from droptune.domain.run import RunRecord
from droptune.domain.services import ResourceManager


def find_base_deployment(record: RunRecord, resource_manager: ResourceManager) -> str | None:
    """Return the deployment of the run's base model, or None; not to know costs nothing."""
    base = str((record.job or {}).get("model", "")).split(".ft-")[0]
    try:
        for deployment in resource_manager.list_deployments():
            same = base == deployment.model or base.startswith(f"{deployment.model}-2")
            if same and deployment.state is DeploymentState.SUCCEEDED:
                return deployment.name
    except DroptuneError:
        return None
    return None

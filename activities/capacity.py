"""Whether the deployments that a run wants have room in the account."""

from __future__ import annotations

from activities.accounts import find_base_model
from activities.deployments import candidate_sku, is_billed, may_host
from activities.room import lacking_for_deployments
from droptune.domain.configuration import Configuration
from droptune.domain.deployment import AccountModel
from droptune.domain.run import RunRecord
from droptune.domain.services import ResourceManager


def lacking_capacity(
    record: RunRecord,
    configuration: Configuration,
    resource_manager: ResourceManager,
    *,
    places: int,
) -> str:
    """Return why a deployment of the run would find no capacity now, or "". Reads only.

    One place is enough: the candidate gives its own back before production asks for one.
    A SKU of which Azure states no capacity is taken to be open. Source: facts 2.5, modelCapacities.
    """
    model = find_base_model(configuration.model or "", resource_manager)
    wanted = _wanted(record, configuration, model)
    if model is None or not wanted:
        return ""
    deployments = resource_manager.list_deployments()
    if lacks := lacking_for_deployments(deployments, 1, most=places):
        return lacks
    for row in resource_manager.list_capacities(model.name, model.version):
        stated = row.available if row.available_fine_tune is None else row.available_fine_tune
        needs = wanted.get(row.sku, 0)
        if stated is not None and stated < needs:
            return f"{row.sku} has room for {stated} of the {needs} that {model.name} needs."
    return ""


def _wanted(
    record: RunRecord, configuration: Configuration, model: AccountModel | None
) -> dict[str, int]:
    """Return the capacity that the run will ask of each SKU that it may host."""
    deploy = configuration.pipeline.deploy
    candidate = candidate_sku(configuration, model)
    asked = {candidate: deploy.candidate.capacity} if candidate else {}
    if deploy.production is not None:  # one deployment, if candidate and production agree
        asked[deploy.production.sku] = deploy.production.capacity
    return {
        sku: capacity
        for sku, capacity in asked.items()
        if not is_billed(sku) or may_host(record, configuration, sku)
    }

"""The account as the management plane shows it, and models as both planes do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai import NotFoundError

from tests.emulator.resources import SPECS, Resource

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000001"
PROVIDER = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices"


def capacities(resource: Resource, model: str = "gpt-4.1-mini") -> dict[str, Any]:
    """Return what is open, by SKU."""
    query = {"api-version": "2025-09-01", "modelName": model, "modelVersion": "2025-04-14"}
    answer = resource.send(
        "GET", f"{PROVIDER}/locations/swedencentral/modelCapacities", params=query
    )
    return {each["name"]: each for each in answer.json()["value"]}


def test_account_names_its_endpoint_and_location(resource: Resource) -> None:
    """The endpoint is where the data plane answers."""
    account = resource.arm("GET", "").json()

    assert account["properties"]["endpoint"] == f"{resource.url}/"
    assert account["location"] == "swedencentral"


def test_models_have_lifecycle_skus_and_capabilities(resource: Resource) -> None:
    """A base model says whether it can be fine-tuned and until when."""
    models = {each["name"]: each for each in resource.arm("GET", "/models").json()["value"]}

    model = models["gpt-4.1-mini"]
    assert model["capabilities"]["fineTune"] == "true"
    assert model["deprecation"]["fineTune"].startswith("2027-04-14")
    assert "DeveloperTier" in {sku["name"] for sku in model["skus"]}


def test_fine_tuned_model_is_listed_with_its_base(resource: Resource) -> None:
    """It cannot be told from others but by its base."""
    job = resource.trained()

    models = {each["name"]: each for each in resource.arm("GET", "/models").json()["value"]}

    assert models[job.fine_tuned_model]["baseModel"]["name"] == "gpt-4.1-mini"


def test_capacity_of_fine_tunes_shrinks_with_use(resource: Resource) -> None:
    """What is deployed is not open any more; base and fine-tuned are counted apart."""
    before = capacities(resource)["GlobalStandard"]["properties"]
    model = resource.trained().fine_tuned_model
    assert model is not None
    resource.put("d", model, capacity=120)

    after = capacities(resource)["GlobalStandard"]["properties"]

    assert (before["availableCapacity"], before["availableFinetuneCapacity"]) == (900, 500)
    assert (after["availableCapacity"], after["availableFinetuneCapacity"]) == (900, 380)


def test_capacities_have_the_shape_of_the_published_example(resource: Resource) -> None:
    """Every field of the example is there, but the scope, which is newer."""
    path = SPECS / "azure-rest-api-specs-examples" / "arm_ListModelCapacities.json"
    if not path.is_file():
        pytest.skip("the published examples are not beside this clone")
    [example] = json.loads(path.read_text())["responses"]["200"]["body"]["value"]

    found = capacities(resource)["Standard"]

    assert set(found) == set(example)
    missing = set(example["properties"]) - set(found["properties"])
    assert missing == {"scopeId", "scopeType"}


@pytest.mark.parametrize("model", ["ada", "gpt-4o"])
def test_unknown_model_or_version_has_no_capacity(resource: Resource, model: str) -> None:
    """Nothing is open for what does not exist."""
    assert capacities(resource, model) == {}


def test_usages_count_what_is_deployed(resource: Resource) -> None:
    """Each quota has its name, use and limit."""
    query = {"api-version": "2025-09-01"}
    answer = resource.send("GET", f"{PROVIDER}/locations/swedencentral/usages", params=query)

    usages = {each["name"]["value"]: each for each in answer.json()["value"]}

    base = usages["Tokens Per Minute (thousands) - gpt-4.1-mini - GlobalStandard"]
    assert (base["currentValue"], base["limit"]) == (100, 1000)


def test_permissions_allow_everything(resource: Resource) -> None:
    """Whoever holds the key may deploy."""
    answer = resource.arm("GET", "/providers/Microsoft.Authorization/permissions")

    assert answer.json() == {"value": [{"actions": ["*"], "notActions": []}]}


def test_data_plane_lists_base_and_fine_tuned_models(resource: Resource) -> None:
    """Full names, and an alias will do to ask for one."""
    job = resource.trained()

    names = [model.id for model in resource.v1.models.list()]

    assert {"gpt-4.1-2025-04-14", job.fine_tuned_model} <= set(names)
    assert resource.v1.models.retrieve("gpt-4.1").id == "gpt-4.1-2025-04-14"
    with pytest.raises(NotFoundError):
        resource.v1.models.retrieve("curie")

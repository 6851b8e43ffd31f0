"""Deployments on the management plane, and when the data plane knows them."""

from __future__ import annotations

import pytest
from openai import NotFoundError

from tests.emulator.resources import ACCOUNT, KEY, MODEL, Resource

VERSION = "2025-04-14"
HOUR, DAY = 3600, 86400
NOT_YET = (
    "The API deployment for this resource does not exist. If you created the deployment within "
    "the last 5 minutes, please wait a moment and try again."
)


def tuned(resource: Resource) -> str:
    """Return the name of a fine-tuned model."""
    model = resource.trained().fine_tuned_model
    assert model is not None
    return model


def state_of(resource: Resource, name: str) -> str:
    """Return a deployment's provisioning state, or its absence."""
    answer = resource.arm("GET", f"/deployments/{name}")
    found = answer.json()["properties"]["provisioningState"] if answer.ok else answer.status_code
    return str(found)


def test_deployment_is_put_as_it_is_shown(resource: Resource) -> None:
    """201 with the resource: the SKU at the root, the state below properties."""
    model = tuned(resource)

    answer = resource.put("d", model)

    body = answer.json()
    assert answer.status_code == 201
    assert body["id"] == f"{ACCOUNT}/deployments/d"
    assert body["sku"] == {"name": "GlobalStandard", "capacity": 50}
    assert body["properties"]["model"] == {"format": "OpenAI", "name": model, "version": "1"}
    assert body["properties"]["provisioningState"] == "Creating"
    assert body == resource.arm("GET", "/deployments/d").json()


def test_operation_tells_how_far_a_put_is(resource: Resource) -> None:
    """The header names a resource that goes from Creating to Succeeded."""
    url = resource.put("d", tuned(resource)).headers["Azure-AsyncOperation"]
    path, seen = url.removeprefix(resource.url), list[str]()

    for _ in range(2):
        seen.append(resource.send("GET", path).json()["status"])
        resource.advance(60)

    assert seen == ["Creating", "Succeeded"]


def test_succeeded_is_not_ready(resource: Resource) -> None:
    """The data plane learns of a deployment minutes after the management plane is done."""
    resource.put("d", tuned(resource))
    resource.advance(61)

    assert state_of(resource, "d") == "Succeeded"
    with pytest.raises(NotFoundError) as refused:
        resource.ask("d", "Hello?")
    resource.advance(120)

    assert refused.value.code == "DeploymentNotFound"
    assert refused.value.body["message"] == NOT_YET  # type: ignore[index]
    assert resource.ask("d", "Hello?").finish_reason == "stop"


def test_put_during_creation_conflicts_and_later_repeats(resource: Resource) -> None:
    """409 while it is made; afterwards the same put is 200 and may change the capacity."""
    model = tuned(resource)
    resource.put("d", model)

    early = resource.put("d", model)
    resource.advance(60)
    late = resource.put("d", model, capacity=60)

    assert (early.status_code, early.json()["error"]["code"]) == (409, "RequestConflict")
    assert (late.status_code, late.json()["sku"]["capacity"]) == (200, 60)


def test_deployment_cannot_be_pointed_at_another_model(resource: Resource) -> None:
    """A new model needs a new deployment."""
    first, second = tuned(resource), tuned(resource)
    resource.deployed("d", first)

    answer = resource.put("d", second)

    assert answer.status_code == 400
    assert resource.arm("GET", "/deployments/d").json()["properties"]["model"]["name"] == first


@pytest.mark.parametrize(
    ("model", "sku", "code"),
    [
        ("gpt-9", "GlobalStandard", "DeploymentModelNotSupported"),
        (f"{MODEL}-{VERSION}.ft-{'0' * 32}", "GlobalStandard", "DeploymentModelNotSupported"),
        (MODEL, "DeveloperTier", "InvalidResourceProperties"),
        (MODEL, "Regional", "InvalidResourceProperties"),
    ],
)
def test_unknown_model_or_sku_is_refused(
    resource: Resource, model: str, sku: str, code: str
) -> None:
    """The codes are those of the real service."""
    answer = resource.put("d", model, sku=sku, version=VERSION)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)


def test_fine_tuned_4o_has_no_developer_tier(resource: Resource) -> None:
    """Which SKUs there are depends on the base model."""
    model = resource.trained(model="gpt-4o").fine_tuned_model
    assert model is not None

    answer = resource.put("d", model, sku="DeveloperTier")

    assert answer.json()["error"]["message"] == (
        "The specified SKU 'DeveloperTier' of account deployment is not supported by the model "
        "'gpt-4o' version: '2024-08-06'."
    )


def test_checkpoint_can_be_deployed_by_name_and_by_id(resource: Resource) -> None:
    """Both spellings on record are taken."""
    job = resource.trained()
    checkpoint = resource.v1.fine_tuning.jobs.checkpoints.list(job.id).data[1]

    by_name = resource.put("a", checkpoint.fine_tuned_model_checkpoint)
    by_id = resource.put("b", checkpoint.id)

    assert (by_name.status_code, by_id.status_code) == (201, 201)


def test_quota_has_both_wordings(resource: Resource) -> None:
    """More than is left, and nothing left, are told in different words."""
    model = tuned(resource)
    resource.settings(quota_fine_tuned=60)

    more = resource.put("a", model, capacity=61).json()["error"]
    resource.put("b", model, capacity=60)
    nothing = resource.put("c", model, capacity=1).json()["error"]

    assert more["code"] == nothing["code"] == "InsufficientQuota"
    assert more["message"].startswith(
        "The specified capacity '61' of account deployment is bigger than available capacity '60'"
    )
    assert nothing["message"].startswith("This operation require 1 new capacity in quota Tokens")
    assert "The current quota usage is 60 and the quota limit is 60" in nothing["message"]


def test_ten_fine_tuned_deployments_are_the_most(resource: Resource) -> None:
    """The eleventh is refused until one goes."""
    model = tuned(resource)
    first = [resource.put(f"d{n}", model, capacity=1).status_code for n in range(11)]
    resource.arm("DELETE", "/deployments/d0")

    assert first == [201] * 10 + [429]
    assert resource.put("d10", model, capacity=1).status_code == 201


def test_deleted_deployment_is_gone(resource: Resource) -> None:
    """200 when it was there, 204 when not; neither plane knows it then."""
    resource.deployed("d", tuned(resource))

    statuses = [resource.arm("DELETE", "/deployments/d").status_code for _ in range(2)]

    assert statuses == [200, 204]
    assert state_of(resource, "d") == "404"
    with pytest.raises(NotFoundError):
        resource.ask("d", "Hello?")


def test_developer_deployment_vanishes_after_a_day(resource: Resource) -> None:
    """Used or not, after 24 hours it is gone."""
    resource.deployed("d", tuned(resource), sku="DeveloperTier")
    resource.advance(23 * HOUR)
    resource.ask("d", "Hello?")
    before = state_of(resource, "d")
    resource.advance(HOUR)

    assert (before, state_of(resource, "d")) == ("Succeeded", "404")
    [entry] = resource.ledger()["deployments"]
    assert entry["deleted_by"] == "24h"


def test_idle_fine_tuned_deployment_vanishes_after_fifteen_days(resource: Resource) -> None:
    """A call keeps it for another 15 days; deployments of base models stay."""
    resource.deployed("d", tuned(resource))
    resource.advance(14 * DAY)
    resource.ask("d", "Hello?")
    resource.advance(14 * DAY)
    used = state_of(resource, "d")
    resource.advance(2 * DAY)

    assert (used, state_of(resource, "d")) == ("Succeeded", "404")
    assert state_of(resource, MODEL) == "Succeeded"


def test_names_are_found_in_any_case_and_listed(resource: Resource) -> None:
    """The management plane ignores case."""
    resource.deployed("My-Deployment", tuned(resource))

    listed = [each["name"] for each in resource.arm("GET", "/deployments").json()["value"]]

    assert state_of(resource, "my-deployment") == "Succeeded"
    assert "My-Deployment" in listed


def test_management_plane_wants_a_version(resource: Resource) -> None:
    """A request without api-version is refused."""
    answer = resource.send("GET", f"{ACCOUNT}/deployments")

    assert (answer.status_code, answer.json()["error"]["code"]) == (
        400,
        "MissingApiVersionParameter",
    )


def test_management_plane_takes_no_api_key(resource: Resource) -> None:
    """Only a bearer token opens it."""
    answer = resource.arm("GET", "/deployments", headers={"Authorization": "", "api-key": KEY})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationFailed")


def test_scale_settings_are_refused(resource: Resource) -> None:
    """What was dropped in 2023 is refused."""
    body = {"properties": {"scaleSettings": {}, "model": {"name": MODEL, "version": VERSION}}}

    assert resource.arm("PUT", "/deployments/d", json=body).status_code == 400

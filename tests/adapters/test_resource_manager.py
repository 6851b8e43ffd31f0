"""The adapter of Azure Resource Manager: what it sends, what it reads, what a failure means."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import Any

import pytest

from droptune.adapters.resource_manager import RequestsResourceManager
from droptune.domain.deployment import Capacity, DeploymentRequest, DeploymentState
from droptune.domain.errors import RequestRejectedError, TransientError
from tests.adapters.scripted_server import Answer, ScriptedServer

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
DEPLOYMENT = {
    "name": "support-0011",
    "sku": {"name": "GlobalStandard", "capacity": 50},
    "systemData": {"createdAt": "2026-11-23T09:00:00.1234567Z"},
    "properties": {
        "model": {"format": "OpenAI", "name": "gpt-4.1.ft-1", "version": "1"},
        "provisioningState": "Creating",
    },
}
REQUEST = DeploymentRequest(
    name="support-0011", model="gpt-4.1.ft-1", sku="GlobalStandard", capacity=50
)
MISSING = Answer(status=404, body={"error": {"code": "ResourceNotFound", "message": "no"}})


@pytest.fixture
def manager(server: ScriptedServer) -> RequestsResourceManager:
    """The adapter, pointed at the scripted server."""
    return RequestsResourceManager(server.url, ACCOUNT, token=lambda: "the-token")


def test_every_request_carries_token_and_api_version(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """The token is a bearer, the version a query parameter."""
    properties = {"endpoint": "https://a.openai.azure.com/"}
    server.says({"location": "swedencentral", "properties": properties})

    account = manager.get_account()

    [asked] = server.asked
    assert (account.location, account.endpoint) == ("swedencentral", "https://a.openai.azure.com/")
    assert (asked.path, asked.query) == (ACCOUNT, {"api-version": "2025-09-01"})
    assert asked.headers["authorization"] == "Bearer the-token"


def test_models_of_all_pages_are_read(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """Capabilities are texts, dates may be missing, pages follow `nextLink` as it is."""
    first = {
        "name": "gpt-4.1-mini",
        "version": "2025-04-14",
        "capabilities": {"fineTune": "true"},
        "lifecycleStatus": "GenerallyAvailable",
        "skus": [{"name": "GlobalStandard"}, {"name": "DeveloperTier"}],
        "deprecation": {"fineTune": "2027-04-14T00:00:00Z", "inference": "2026-10-14T00:00:00Z"},
    }
    link = f"{server.url}{ACCOUNT}/models?api-version=2025-09-01&$skiptoken=2"
    server.says({"value": [first], "nextLink": link}, {"value": [{"name": "dall-e-3"}]})

    mini, dall_e = manager.list_models()

    assert (mini.fine_tune, mini.skus) == (True, ("GlobalStandard", "DeveloperTier"))
    assert mini.fine_tune_until == datetime(2027, 4, 14, tzinfo=UTC)
    assert (dall_e.fine_tune, dall_e.skus, dall_e.inference_until) == (None, (), None)
    assert server.asked[1].query == {"api-version": "2025-09-01", "$skiptoken": "2"}


def test_next_page_on_another_host_is_refused(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """The token is for Azure Resource Manager alone."""
    server.says({"value": [], "nextLink": "https://elsewhere.example/models"})

    with pytest.raises(RequestRejectedError, match="another host"):
        manager.list_models()

    assert len(server.asked) == 1


def test_redirect_is_not_followed(server: ScriptedServer, manager: RequestsResourceManager) -> None:
    """The token does not travel to where an answer points."""
    server.says(Answer(status=302, headers={"Location": "https://elsewhere.example/"}))

    with pytest.raises(RequestRejectedError):
        manager.get_account()

    assert len(server.asked) == 1


def test_capacities_are_those_of_the_accounts_location(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """Both figures are read; what is not stated is None."""
    properties = {"skuName": "Standard", "availableCapacity": 300, "availableFinetuneCapacity": 20}
    server.says(
        {"location": "swedencentral"},
        {
            "value": [
                {"name": "Standard", "location": "SwedenCentral", "properties": properties},
                {"name": "DeveloperTier", "location": "SwedenCentral", "properties": {}},
            ]
        },
    )

    standard, developer = manager.list_capacities("gpt-4.1-mini", "2025-04-14")

    asked = server.asked[1]
    assert standard == Capacity(
        sku="Standard", location="SwedenCentral", available=300, available_fine_tune=20
    )
    assert (developer.sku, developer.available) == ("DeveloperTier", None)
    assert asked.path == (
        "/subscriptions/s/providers/Microsoft.CognitiveServices"
        "/locations/swedencentral/modelCapacities"
    )
    assert asked.query["modelName"] == "gpt-4.1-mini"
    assert asked.query["modelVersion"] == "2025-04-14"


WRITE = "Microsoft.CognitiveServices/accounts/deployments/write"


@pytest.mark.parametrize(
    ("permissions", "allowed"),
    [
        ([], False),
        ([{"actions": ["*"], "notActions": []}], True),
        ([{"actions": ["*/read"], "notActions": []}], False),
        ([{"actions": [WRITE]}], True),
        ([{"actions": ["microsoft.cognitiveservices/ACCOUNTS/*"]}], True),
        ([{"actions": ["Microsoft.CognitiveServices/*"], "notActions": ["*/write"]}], False),
        ([{"actions": ["*"], "notActions": [WRITE]}, {"actions": [WRITE]}], True),
        ([{"actions": None, "notActions": None}], False),
    ],
)
def test_rights_are_the_union_of_actions_minus_not_actions(
    server: ScriptedServer,
    manager: RequestsResourceManager,
    permissions: list[dict[str, Any]],
    allowed: bool,
) -> None:
    """An entry grants its actions minus its own exceptions; entries add up."""
    server.says({"value": permissions})

    assert manager.may_deploy() is allowed


def test_deployment_is_put_with_its_sku_at_the_root(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """A SKU inside the properties would silently mean Standard."""
    server.says(MISSING, Answer(status=201, body=DEPLOYMENT))

    deployment = manager.put_deployment(REQUEST)

    asked = server.asked[1]
    assert (asked.method, asked.path) == ("PUT", f"{ACCOUNT}/deployments/support-0011")
    assert asked.json() == {
        "sku": {"name": "GlobalStandard", "capacity": 50},
        "properties": {"model": {"format": "OpenAI", "name": "gpt-4.1.ft-1", "version": "1"}},
    }
    assert deployment.state is DeploymentState.CREATING
    assert (deployment.model, deployment.sku, deployment.capacity) == (
        "gpt-4.1.ft-1",
        "GlobalStandard",
        50,
    )
    assert deployment.created_at == datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)


def test_existing_deployment_is_not_put_again(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """A repeated step finds what it made before."""
    server.says(DEPLOYMENT)

    deployment = manager.put_deployment(REQUEST)

    assert deployment.name == "support-0011"
    assert [asked.method for asked in server.asked] == ["GET"]


def test_unknown_provisioning_state_is_unrecognised(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """The states are an open set."""
    server.says({"value": [{"name": "d", "properties": {"provisioningState": "Warming"}}]})

    [deployment] = manager.list_deployments()

    assert deployment.state is DeploymentState.UNRECOGNISED


def test_missing_deployment_is_none_and_deleting_it_no_error(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """404 is an answer for those who ask whether something is there."""
    server.says(MISSING, MISSING, Answer(status=202))

    found = manager.find_deployment("d")
    manager.delete_deployment("d")
    manager.delete_deployment("d")

    assert found is None


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_passing_failure_is_transient_and_keeps_the_wait(
    server: ScriptedServer, manager: RequestsResourceManager, status: int
) -> None:
    """A concurrent change, a throttle and a failure of the service pass."""
    body = {"error": {"code": "RequestConflict", "message": "busy"}}
    server.says(Answer(status=status, body=body, headers={"Retry-After": "20"}))

    with pytest.raises(TransientError) as raised:
        manager.find_deployment("d")

    assert (raised.value.status, raised.value.retry_after) == (status, 20)
    assert raised.value.service_code == "RequestConflict"


def test_missing_quota_is_a_no_with_azures_code(
    server: ScriptedServer, manager: RequestsResourceManager
) -> None:
    """Who decides what to do about quota needs the code."""
    body = {"error": {"code": "InsufficientQuota", "message": "bigger than available"}}
    server.says(MISSING, Answer(status=400, body=body))

    with pytest.raises(RequestRejectedError) as raised:
        manager.put_deployment(REQUEST)

    assert (raised.value.status, raised.value.service_code) == (400, "InsufficientQuota")


@pytest.mark.parametrize("body", [b"<html>", [1]])
def test_unreadable_answer_is_transient(
    server: ScriptedServer, manager: RequestsResourceManager, body: Any
) -> None:
    """A proxy's page in place of JSON passes."""
    server.says(Answer(body=body))

    with pytest.raises(TransientError):
        manager.get_account()


def test_no_answer_is_transient() -> None:
    """Where nobody listens, a later try may find somebody."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        with pytest.raises(TransientError, match="no answer"):
            RequestsResourceManager(url, ACCOUNT, token=lambda: "t").get_account()

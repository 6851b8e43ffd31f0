"""An app in Azure found by its address, at a canned Resource Manager."""

from __future__ import annotations

import pytest

from droptune.cli.app_client import AppClient
from droptune.cli.azure_checks import look_at_azure
from droptune.cli.azure_sign_in import AzureSignIn, signed_in_arm
from droptune.cli.azure_site import find_site
from droptune.cli.refusals import Refusal
from tests.cli.canned_app import CannedApp

ACCOUNT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
SITE = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Web/sites/app"
SETTINGS = {
    "AZURE_OPENAI_ENDPOINT": "https://a.openai.azure.com",
    "AZURE_OPENAI_RESOURCE_ID": ACCOUNT,
    "DATA_STORAGE__blobServiceUri": "not an address",
}
ROLES = f"GET {ACCOUNT}/providers/Microsoft.Authorization/roleAssignments"


def token(scope: str) -> str:
    """Return a token that tells its scope."""
    return f"token for {scope}"


@pytest.fixture
def arm(app: CannedApp) -> CannedApp:
    """A Resource Manager that knows one app, at this server's own address, on a second page."""
    listed = "/subscriptions/s/providers/Microsoft.Web/sites"
    named = {"id": SITE, "properties": {"defaultHostName": "127.0.0.1"}}
    other = {"id": "/other", "properties": {"hostNames": ["other.azurewebsites.net"]}}
    app.answer("GET /subscriptions", {"value": [{"subscriptionId": "s"}]})
    app.answer(f"GET {listed}", {"value": [other], "nextLink": f"{app.url}/more"})
    app.answer("GET /more", {"value": [named]})
    app.answer(f"POST {SITE}/host/default/listkeys", {"functionKeys": {"default": "the key"}})
    app.answer(f"POST {SITE}/config/appsettings/list", {"properties": SETTINGS})
    app.answer(f"GET {SITE}", {"identity": {"userAssignedIdentities": {"i": {"principalId": "p"}}}})
    app.answer(ROLES, {"value": [{"properties": {"principalId": "p"}}]})
    app.answer(f"GET {ACCOUNT}", {"properties": {"provisioningState": "Succeeded"}})
    app.answer("GET /api/health", {"status": "ok", "version": "1"})
    return app


def test_app_is_found_by_its_host_on_any_page(arm: CannedApp) -> None:
    """The address that a person uses is enough; the token goes to Resource Manager alone."""
    site = find_site(signed_in_arm(token, arm.url), f"{arm.url}/")

    assert site.id == SITE
    assert site.function_key() == "the key"
    assert site.storage_url() == "not an address"
    assert {asked.authorization for asked in arm.asked} == {f"Bearer token for {arm.url}/.default"}


def test_app_that_is_not_seen_is_a_sentence(arm: CannedApp) -> None:
    """Somebody signed in elsewhere learns how to see who is signed in."""
    with pytest.raises(Refusal, match=r"nowhere\.example") as raised:
        find_site(signed_in_arm(token, arm.url), "https://nowhere.example")

    assert "az account show" in raised.value.remedy


def test_refused_request_is_repeated_with_the_key_of_whoever_is_signed_in(arm: CannedApp) -> None:
    """Without a key in the environment the sign-in finds one, once, and later requests use it."""
    arm.answer("GET /api/runs", {}, 401)
    arm.answer("GET /api/runs", {"runs": []})
    client = AppClient(arm.url, sign_in=AzureSignIn(arm.url, tokens=token, endpoint=arm.url))

    first, second = client.get("runs"), client.get("runs")

    keys = [asked.key for asked in arm.asked if asked.path == "/api/runs"]
    assert first == second == {"runs": []}
    assert keys == [None, "the key", "the key"]


def test_app_that_asks_for_a_token_gets_one_for_itself(arm: CannedApp) -> None:
    """App Service Authentication names the application that a token must be for."""
    challenge = 'Bearer realm="app", resource_id="api://app"'
    arm.answer("GET /api/runs", {}, 401, WWW_Authenticate=challenge)
    arm.answer("GET /api/runs", {"runs": []})
    client = AppClient(arm.url, sign_in=AzureSignIn(arm.url, tokens=token, endpoint=arm.url))

    client.get("runs")

    assert arm.asked[-1].authorization == "Bearer token for api://app/.default"


def test_doctor_names_what_is_wrong_with_an_installation(arm: CannedApp) -> None:
    """Each layer is a check of its own; what fails has a remedy."""
    arm.answer("GET /api/runs", {"runs": [], "next": None})

    checks = {check.name: check for check in look(arm)}

    wrong = [name for name, check in checks.items() if not check.well]
    assert wrong == ["settings", "storage"]
    assert "DATA_STORAGE__blobServiceUri" in checks["settings"].message
    assert all(checks[name].remedy for name in wrong)


@pytest.mark.parametrize(
    ("route", "answer", "status", "name"),
    [
        (ROLES, {"value": []}, 200, "identity"),
        (f"GET {SITE}", {}, 200, "identity"),
        (f"GET {ACCOUNT}", {"properties": {"provisioningState": "Failed"}}, 200, "Azure OpenAI"),
        (f"POST {SITE}/config/appsettings/list", {}, 403, "settings"),
        ("GET /api/health", {"detail": "no"}, 404, "app"),
        ("GET /api/runs", {}, 503, "routes"),
        ("GET /subscriptions", {}, 403, "installation"),
    ],
)
def test_each_layer_that_fails_is_found(
    arm: CannedApp, route: str, answer: dict[str, object], status: int, name: str
) -> None:
    """Whatever breaks is named by the layer that it breaks in, with a remedy."""
    arm.answer("GET /api/runs", {"runs": [], "next": None})
    arm.answers[route] = [(status, answer, {})]

    checks = {check.name: check for check in look(arm)}

    assert not checks[name].well
    assert checks[name].remedy


def look(arm: CannedApp) -> list[object]:
    """Return what doctor finds."""
    return list(look_at_azure(arm.url, {}, tokens=token, endpoint=arm.url))


def test_key_alone_is_enough_for_the_routes(arm: CannedApp) -> None:
    """With a key and nobody signed in, what cannot be looked at is no fault."""
    arm.answer("GET /api/runs", {"runs": [], "next": None})

    def nobody(scope: str) -> str:
        raise Refusal("Nobody is signed in.")

    checks = list(look_at_azure(arm.url, {"DROPTUNE_KEY": "k"}, tokens=nobody, endpoint=arm.url))

    assert all(check.well for check in checks)
    assert "not looked at" in checks[-1].message

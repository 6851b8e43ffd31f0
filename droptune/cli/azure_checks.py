"""What `doctor` finds of an installation in Azure: each layer, from the address inwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from droptune.cli.app_client import AppClient, RefusedError
from droptune.cli.azure_sign_in import AzureSignIn, Tokens, signed_in_arm, token_for
from droptune.cli.azure_site import ARM, Arm, Site, find_site
from droptune.cli.checks import Check, attempt, no, yes
from droptune.cli.refusals import Refusal
from droptune.cli.storage import CONTAINERS, open_storage

_ACCOUNTS = "2025-09-01"
_ROLES = "2022-04-01"


def look_at_azure(
    url: str, environ: Mapping[str, str], *, tokens: Tokens = token_for, endpoint: str = ARM
) -> Iterator[Check]:
    """Yield what is found; what needs a sign-in is left out where a key is given and nobody is."""
    key = environ.get("DROPTUNE_KEY") or None
    sign_in = None if key else AzureSignIn(url, tokens=tokens, endpoint=endpoint)
    client = AppClient(url, key=key, sign_in=sign_in)
    yield attempt("app", lambda: _health(client))
    yield attempt("routes", lambda: _routes(client, key))
    arm = signed_in_arm(tokens, endpoint)
    try:
        site = find_site(arm, url)
    except Refusal as refusal:
        name = "installation"
        yield (
            yes(name, f"not looked at: {refusal}")
            if key
            else no(name, str(refusal), refusal.remedy)
        )
        return
    yield from look_at_site(site, arm)


def look_at_site(site: Site, arm: Arm) -> Iterator[Check]:
    """Yield what Resource Manager says of an app, of what it is given and of what it may."""
    yield yes("site", site.id)
    try:
        settings = site.settings()
    except Refusal as refusal:
        yield no("settings", str(refusal), refusal.remedy)
        return
    yield attempt("settings", lambda: _settings(settings))
    yield attempt("identity", lambda: _identity(site, arm, settings))
    yield attempt("Azure OpenAI", lambda: _account(arm, settings))
    yield attempt("storage", lambda: _storage(settings))


def _health(client: AppClient) -> str:
    try:
        health = client.get("health")
    except RefusedError as refused:
        if refused.status == 404:
            raise Refusal(
                f"{client.base_url} answers, but not as Droptune.",
                "Check the address; if it is right, azd deploy puts the app there.",
            ) from None
        raise
    return f"{client.base_url}, version {health.get('version')}"


def _routes(client: AppClient, key: str | None) -> str:
    client.get("runs", query={"limit": 1})
    return "opened with DROPTUNE_KEY" if key else "opened as whoever is signed in"


def _settings(settings: Mapping[str, str]) -> str:
    from droptune.domain.errors import SettingsError
    from droptune.settings import Settings

    try:
        Settings.from_environ(settings)
    except SettingsError as error:
        raise Refusal(str(error), "azd provision sets them; then restart the app.") from None
    return f"{len(settings)}, none missing"


def _identity(site: Site, arm: Arm, settings: Mapping[str, str]) -> str:
    principals = _principals(arm.get(site.id, "2024-04-01").get("identity") or {})
    if not principals:
        raise Refusal("The app has no managed identity.", "azd provision gives it one.")
    account = settings.get("AZURE_OPENAI_RESOURCE_ID", "")
    path = f"{account}/providers/Microsoft.Authorization/roleAssignments"
    held = [
        role
        for role in arm.list(path, _ROLES)
        if (role.get("properties") or {}).get("principalId") in principals
    ]
    if not held:
        raise Refusal(
            f"The app's identity holds no role on {account.rpartition('/')[2] or 'the account'}.",
            "azd provision assigns what it needs; roles take up to ten minutes to take effect.",
        )
    return f"{len(held)} roles on the Azure OpenAI account"


def _principals(identity: Mapping[str, object]) -> set[object]:
    users = identity.get("userAssignedIdentities")
    assigned = users.values() if isinstance(users, Mapping) else ()
    own = {identity.get("principalId")} - {None}
    return own | {each.get("principalId") for each in assigned if isinstance(each, Mapping)}


def _account(arm: Arm, settings: Mapping[str, str]) -> str:
    properties = arm.get(settings.get("AZURE_OPENAI_RESOURCE_ID", ""), _ACCOUNTS).get("properties")
    state = (properties or {}).get("provisioningState")
    if state != "Succeeded":
        raise Refusal(f"The account is {state}.", "Look at it in the portal.")
    return f"{settings.get('AZURE_OPENAI_ENDPOINT')}, {state}"


def _storage(settings: Mapping[str, str]) -> str:
    from azure.core.exceptions import AzureError

    place = settings.get("DATA_STORAGE__blobServiceUri") or settings.get("DATA_STORAGE") or ""
    try:
        with open_storage(place) as storage:
            for name in CONTAINERS:
                next(iter(storage.get_container_client(name).list_blob_names()), None)
    except (AzureError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise Refusal(
            f"Its storage refuses whoever is signed in here: {first}",
            "submit needs Storage Blob Data Contributor on the account; azd provision makes the "
            "containers.",
        ) from None
    return f"containers {', '.join(CONTAINERS)} can be read from here"

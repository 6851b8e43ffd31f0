"""Who is signed in (`az login`, or an identity of the machine), and what opens an app with it."""

from __future__ import annotations

import re
from collections.abc import Callable

from droptune.cli.azure_site import ARM, Arm, find_site
from droptune.cli.refusals import Refusal

Tokens = Callable[[str], str]
# App Service Authentication names its application so. Unverified: seen in reports only.
_RESOURCE = re.compile(r'resource_id="([^"]+)"')


def token_for(scope: str) -> str:
    """Return a token of whoever is signed in; raises Refusal with the way to sign in."""
    try:
        from azure.core.exceptions import ClientAuthenticationError
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise Refusal(
            "Signing in to Azure needs the package azure-identity, which is not installed.",
            "Install droptune[app], or set DROPTUNE_KEY to a function key of the app.",
        ) from None
    try:
        return DefaultAzureCredential().get_token(scope).token
    except ClientAuthenticationError:
        raise Refusal(
            "Nobody is signed in to Azure here.",
            "Run az login, or set DROPTUNE_KEY to a function key of the app.",
        ) from None


def signed_in_arm(tokens: Tokens = token_for, endpoint: str = ARM) -> Arm:
    """Return Resource Manager as whoever is signed in."""
    return Arm(token=lambda: tokens(f"{endpoint}/.default"), endpoint=endpoint)


class AzureSignIn:
    """Turns a sign-in into headers: a token where the app asks for one, and a function key."""

    def __init__(self, app_url: str, *, tokens: Tokens = token_for, endpoint: str = ARM) -> None:
        """Name the app."""
        self._app_url = app_url
        self._tokens = tokens
        self._endpoint = endpoint

    def __call__(self, challenge: str) -> dict[str, str]:
        """Return headers; `challenge` is what the app answered in WWW-Authenticate."""
        headers = {}
        if named := _RESOURCE.search(challenge):
            headers["Authorization"] = f"Bearer {self._tokens(f'{named.group(1)}/.default')}"
        try:
            key = find_site(signed_in_arm(self._tokens, self._endpoint), self._app_url)
            headers["x-functions-key"] = key.function_key() or ""
        except Refusal:
            if not headers:
                raise
        return {name: value for name, value in headers.items() if value}

"""An app in Azure as Resource Manager knows it: found by its host name, with key and settings.

Unverified: nobody has run this against Azure; it follows the published operations of
Microsoft.Web 2024-04-01 (`sites` list, `listkeys`, `config/appsettings/list`).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from droptune.cli.app_client import Document
from droptune.cli.refusals import Refusal

ARM = "https://management.azure.com"
_SUBSCRIPTIONS = "2022-12-01"
_SITES = "2024-04-01"
_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, kw_only=True, slots=True)
class Arm:
    """Resource Manager, asked as whoever is signed in."""

    token: Callable[[], str]
    endpoint: str = ARM

    def get(self, path: str, version: str) -> Document:
        """Return a resource; raises Refusal."""
        return self._ask("GET", f"{self.endpoint}{path}?api-version={version}")

    def post(self, path: str, version: str) -> Document:
        """Return what an action of a resource lists; raises Refusal."""
        return self._ask("POST", f"{self.endpoint}{path}?api-version={version}")

    def list(self, path: str, version: str) -> Iterator[Document]:
        """Yield every item of a collection, all pages of it."""
        page = self.get(path, version)
        yield from page.get("value") or ()
        while following := page.get("nextLink"):
            page = self._ask("GET", str(following))
            yield from page.get("value") or ()

    def _ask(self, method: str, url: str) -> Document:
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Length": "0"}
        request = urllib.request.Request(url, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
                document: Document = json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                raise Refusal(
                    f"Azure answered {error.code} to {method} {urlsplit(url).path}.",
                    "Ask for the role Website Contributor on the app, or set DROPTUNE_KEY.",
                ) from None
        except (OSError, ValueError) as error:
            raise Refusal(f"Azure Resource Manager cannot be reached: {error}.") from None
        return document


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """A Functions app."""

    arm: Arm
    id: str

    def function_key(self) -> str | None:
        """Return a key that opens the routes."""
        keys = self.arm.post(f"{self.id}/host/default/listkeys", _SITES).get("functionKeys") or {}
        return next((str(key) for key in keys.values() if key), None)

    def settings(self) -> dict[str, str]:
        """Return the app settings."""
        listed = self.arm.post(f"{self.id}/config/appsettings/list", _SITES)
        return dict(listed.get("properties") or {})

    def storage_url(self) -> str | None:
        """Return the address of the account that holds the datasets."""
        return self.settings().get("DATA_STORAGE__blobServiceUri") or None


def find_site(arm: Arm, app_url: str) -> Site:
    """Return the app that serves an address; raises Refusal when it is not among those seen."""
    host = (urlsplit(app_url).hostname or "").casefold()
    for subscription in arm.list("/subscriptions", _SUBSCRIPTIONS):
        path = f"/subscriptions/{subscription['subscriptionId']}/providers/Microsoft.Web/sites"
        for site in arm.list(path, _SITES):
            if host in _hosts(site.get("properties") or {}):
                return Site(arm=arm, id=str(site["id"]))
    raise Refusal(
        f"No app at {host} is among those that this sign-in can see.",
        "az account show says who is signed in; DROPTUNE_KEY opens the app without it.",
    )


def _hosts(properties: Document) -> set[str]:
    names = [properties.get("defaultHostName"), *(properties.get("hostNames") or ())]
    return {str(name).casefold() for name in names if name}

"""Which app a command speaks to: Azure's if one is named, else the local one of a state."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from droptune.cli.app_client import AppClient
from droptune.cli.azure_sign_in import AzureSignIn, signed_in_arm
from droptune.cli.azure_site import find_site
from droptune.cli.installation import Installation, find_installation, is_claimed
from droptune.cli.local_app import ROOT, is_clone
from droptune.cli.refusals import Exit, Refusal

DEFAULT_STATE = ROOT / ".droptune" / "state"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An app, and the installation behind it when it is a local one."""

    client: AppClient
    local: Installation | None = None


def find_target(
    app: str | None, state: Path | None, environ: Mapping[str, str] = os.environ
) -> Target:
    """Return the app that the options or DROPTUNE_APP name; raises Refusal when none runs."""
    if app and state:
        raise Refusal(
            "--app and --state name two apps.", "Give one of them.", code=Exit.WRONG_USAGE
        )
    url = app or (None if state else environ.get("DROPTUNE_APP"))
    if url:
        key = environ.get("DROPTUNE_KEY") or None
        sign_in = AzureSignIn(url) if url.startswith("https://") and key is None else None
        return Target(client=AppClient(_checked(url), key=key, sign_in=sign_in))
    return _local(state or DEFAULT_STATE)


def find_storage(target: Target, named: str | None, environ: Mapping[str, str] = os.environ) -> str:
    """Return where an app's datasets lie: what is named, else what the app's settings say."""
    if known := named or (None if target.local else environ.get("DROPTUNE_STORAGE")):
        return known
    if target.local:
        return target.local.storage_connection_string
    remedy = "Name the account with --storage https://<account>.blob.core.windows.net."
    try:
        site = find_site(signed_in_arm(), target.client.base_url)
        found = site.storage_url()
    except Refusal as refusal:
        refusal.remedy = f"{remedy} {refusal.remedy}"
        raise
    if found is None:
        raise Refusal("The app's settings do not name its storage.", remedy)
    return found


def _checked(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise Refusal(f"{url!r} is not an address.", "Name https://<app>.", code=Exit.WRONG_USAGE)
    return url


def _local(state: Path) -> Target:
    installation = find_installation(state)
    if installation is None or not is_claimed(state):
        if not is_clone():
            raise Refusal("No app is named.", "Name one with --app URL or DROPTUNE_APP.")
        raise Refusal(
            f"No local app runs on {state}.",
            "Start one with python3 -m droptune up, or name one with --app URL.",
        )
    client = AppClient(installation.app_url, key=installation.key)
    return Target(client=client, local=installation)

"""Which app a command speaks to: Azure's if one is named, else the local one of a state."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from droptune.cli.app_client import AppClient
from droptune.cli.installation import Installation, find_installation, is_claimed
from droptune.cli.local_app import ROOT
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
        return Target(client=AppClient(_checked(url), key=environ.get("DROPTUNE_KEY")))
    return _local(state or DEFAULT_STATE)


def _checked(url: str) -> str:
    if not url.startswith(("https://", "http://")):
        raise Refusal(f"{url!r} is not an address.", "Name https://<app>.", code=Exit.WRONG_USAGE)
    return url


def _local(state: Path) -> Target:
    installation = find_installation(state)
    if installation is None or not is_claimed(state):
        raise Refusal(
            f"No local app runs on {state}.",
            "Start one with python3 -m droptune up, or name one with --app URL.",
        )
    client = AppClient(installation.app_url, key=installation.key)
    return Target(client=client, local=installation)

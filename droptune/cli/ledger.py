"""The ledger of the local Azure OpenAI: everything it was ever asked to make, and its price."""

from __future__ import annotations

import json
import urllib.request

from droptune.cli.app_client import Document
from droptune.cli.local_app import EMULATOR_KEY
from droptune.cli.refusals import Refusal


def read_ledger(emulator_url: str) -> Document:
    """Return `{"jobs": [...], "files": [...], "deployments": [...], "usd": n}`."""
    url = f"{emulator_url}/emulator/ledger"
    request = urllib.request.Request(url, headers={"api-key": EMULATOR_KEY})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            ledger: Document = json.load(answer)
    except (OSError, ValueError) as error:
        raise Refusal(f"The ledger of the local Azure OpenAI cannot be read: {error}.") from None
    return ledger

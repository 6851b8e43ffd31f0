"""What importing the adapters costs."""

from __future__ import annotations

import subprocess
import sys

SDKS = ("openai", "httpx2", "azure.identity", "azure.storage.blob", "requests")


def test_building_the_adapters_loads_no_sdk() -> None:
    """A cold start pays for an SDK only when it is used."""
    program = f"""
import sys
from droptune.adapters.azure_openai import AzureOpenAIService
from droptune.adapters.blob_storage import BlobContainer
from droptune.adapters.clock import SystemClock
from droptune.adapters.credentials import AzureIdentity
from droptune.adapters.durable_client import DurableOrchestrations
from droptune.adapters.resource_manager import RequestsResourceManager

identity, url = AzureIdentity(), "https://a.example"
AzureOpenAIService(url, credential=identity.token("scope"))
BlobContainer.connect("c", account_url=url, credential=identity.credential)
RequestsResourceManager(url, "/subscriptions/s", token=identity.token("scope"))
print([name for name in {SDKS!r} if name in sys.modules])
"""

    loaded = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert loaded.strip() == "[]"

"""What importing the adapters costs."""

from __future__ import annotations

import subprocess
import sys

SDKS = ("openai", "httpx2", "azure.identity", "azure.storage.blob", "requests")


def test_importing_the_adapters_loads_no_sdk() -> None:
    """A cold start pays for an SDK only when it is used."""
    program = (
        "import sys, droptune.adapters.azure_openai, droptune.adapters.blob_storage,"
        "droptune.adapters.clock, droptune.adapters.credentials,"
        "droptune.adapters.durable_client, droptune.adapters.resource_manager\n"
        f"print([name for name in {SDKS!r} if name in sys.modules])"
    )

    loaded = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert loaded.strip() == "[]"

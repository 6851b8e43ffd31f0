"""Blob triggers: polled here, where Azure has Event Grid."""

from __future__ import annotations

import asyncio
import logging
import os

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobClient, ContainerClient

from devhost.durable.store import Store
from devhost.functions import Function, LoadedApp

POLL_SECONDS = 0.5
MOST_FAILURES = 5
_logger = logging.getLogger(__name__)


async def run_blob_trigger(app: LoadedApp, function: Function, store: Store) -> None:
    """Call the function once for each new ETag of a blob; what fails five times is poison."""
    container = _container(function)
    while True:
        try:
            blobs = await asyncio.to_thread(lambda: list(container.list_blobs()))
        except AzureError as error:
            _logger.warning("Container %s: %s", container.container_name, type(error).__name__)
            blobs = []
        for blob in blobs:
            await _notice(
                app, function, store, container.get_blob_client(blob.name), str(blob.etag)
            )
        await asyncio.sleep(POLL_SECONDS)


def _container(function: Function) -> ContainerClient:
    name = str(function.trigger["path"]).partition("/")[0]
    setting = str(function.trigger["connection"])
    text = os.environ.get(setting)
    if not text:
        raise LookupError(f"{function.name}: the setting {setting} holds no connection string")
    return ContainerClient.from_connection_string(text, name, retry_total=0)


async def _notice(
    app: LoadedApp, function: Function, store: Store, blob: BlobClient, etag: str
) -> None:
    known = store.receipt(blob.container_name, blob.blob_name)
    failures = known[1] if known and known[0] == etag else 0
    if known and known[0] == etag and known[2] != "failed":
        return
    try:
        await app.call(function, blob)
        state = "done"
    except Exception:
        failures += 1
        state = "poison" if failures >= MOST_FAILURES else "failed"
        _logger.exception("Blob trigger %s raised (%s)", function.name, state)
    store.put_receipt(blob.container_name, blob.blob_name, etag, failures, state)

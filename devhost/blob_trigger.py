"""Blob triggers: polled here, where Azure has Event Grid."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobClient, ContainerClient

from devhost.durable.store import Store
from devhost.functions import Function, LoadedApp, UnsupportedBindingError
from devhost.settings import resolve

POLL_SECONDS = 0.5
_AT_ONCE = 4
_logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class BlobTrigger:
    """A function, the container it watches, and which of its blobs it is for."""

    function: Function
    container: ContainerClient
    pattern: re.Pattern[str]

    async def watch(self, app: LoadedApp, store: Store) -> None:
        """Look for blobs until cancelled."""
        trouble = ""
        while True:
            try:
                await self.look(app, store)
                trouble = ""
            except AzureError as error:
                if trouble != type(error).__name__:  # said once, not twice a second
                    trouble = type(error).__name__
                    _logger.warning("Container %s: %s", self.container.container_name, trouble)
            await asyncio.sleep(POLL_SECONDS)

    async def look(self, app: LoadedApp, store: Store) -> None:
        """Call the function once for each new ETag of a blob; a few blobs at once.

        The receipt is written after the call, so a host that dies in between calls again.
        """
        blobs = await asyncio.to_thread(lambda: list(self.container.list_blobs()))
        found = [(b.name, str(b.etag)) for b in blobs if self.pattern.fullmatch(b.name)]
        few = asyncio.Semaphore(_AT_ONCE)
        await asyncio.gather(*(self._notice(app, store, name, etag, few) for name, etag in found))

    async def _notice(
        self, app: LoadedApp, store: Store, name: str, etag: str, few: asyncio.Semaphore
    ) -> None:
        place = (self.function.name, self.container.container_name, name)
        known = store.receipt(*place)
        same = known is not None and known[0] == etag
        if known and same and known[2] != "failed":
            return
        async with few:
            failures = known[1] if known and same else 0
            state, failures = await self._call(app, self.container.get_blob_client(name), failures)
        with store.transaction():
            store.put_receipt(*place, etag=etag, failures=failures, state=state)

    async def _call(self, app: LoadedApp, blob: BlobClient, failures: int) -> tuple[str, int]:
        try:
            await app.call(self.function, blob)
        except Exception:
            failures += 1
            state = "poison" if failures >= app.host.poison_blob_threshold else "failed"
            _logger.exception(
                "Blob trigger %s raised for %s (%s)", self.function.name, blob.blob_name, state
            )
            return state, failures
        return "done", failures


def blob_triggers(app: LoadedApp) -> Sequence[BlobTrigger]:
    """Return the app's blob triggers; raises UnsupportedBindingError for what is not done here."""
    return [_blob_trigger(function) for function in app.of_kind("blobTrigger")]


def _blob_trigger(function: Function) -> BlobTrigger:
    if not _takes_blob_client(function):
        raise UnsupportedBindingError(
            f"{function.name}: this host binds a blob to the SDK type BlobClient only"
        )
    container, _, pattern = resolve(str(function.trigger["path"])).partition("/")
    setting = str(function.trigger["connection"])
    text = os.environ.get(setting)
    if not text:
        raise UnsupportedBindingError(
            f"{function.name}: the setting {setting} holds no connection string"
        )
    return BlobTrigger(
        function=function,
        container=ContainerClient.from_connection_string(text, container, retry_total=0),
        pattern=re.compile(_expression(pattern or "{name}")),
    )


def _expression(pattern: str) -> str:
    """Return the regular expression of a path like `in/{name}.jsonl`; a {name} may hold slashes."""
    parts = re.split(r"(\{\w+\})", pattern)
    return "".join(".+" if part.startswith("{") else re.escape(part) for part in parts)


def _takes_blob_client(function: Function) -> bool:
    called: Any = inspect.unwrap(function.call)
    hint = get_type_hints(called).get(str(function.trigger["name"]))
    return getattr(hint, "__name__", "") == "BlobClient"

"""Blob triggers: polled here, where Azure has Event Grid."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_type_hints

from azure.core.exceptions import AzureError
from azure.storage.blob import BlobClient, ContainerClient

from devhost.durable.store import Receipt, Store
from devhost.functions import Function, LoadedApp, UnsupportedBindingError
from devhost.settings import resolve

POLL_SECONDS = 0.5
_REST = 4  # times as long as a listing took: thousands of blobs keep nobody listing all the time
_AT_ONCE = 4
_PAGE = 100  # Azurite answers nobody else while it lists: 9 ms for so many, 171 ms for 2,000
_logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class BlobTrigger:
    """A function, the container it watches, and which of its blobs it is for."""

    function: Function
    container: ContainerClient
    pattern: re.Pattern[str]

    async def watch(self, app: LoadedApp, store: Store) -> None:
        """Look for blobs until cancelled."""
        trouble, rest = "", POLL_SECONDS
        while True:
            try:
                rest = max(_REST * await self.look(app, store), POLL_SECONDS)
                trouble = ""
            except AzureError as error:
                if trouble != type(error).__name__:  # said once, not twice a second
                    trouble = type(error).__name__
                    _logger.warning("Container %s: %s", self.container.container_name, trouble)
            await asyncio.sleep(rest)

    async def look(self, app: LoadedApp, store: Store) -> float:
        """Call the function once for each new ETag of a blob, a few blobs at once; return how many
        seconds the listing took.

        The receipt is written after the call, so a host that dies in between calls again.
        """
        began = time.monotonic()
        etags = await asyncio.to_thread(self._list)
        took = time.monotonic() - began
        known = store.receipts(self.function.name, self.container.container_name)
        few = asyncio.Semaphore(_AT_ONCE)
        new = [(n, e, known.get(n)) for n, e in etags.items() if _is_due(e, known.get(n))]
        await asyncio.gather(*(self._notice(app, store, each, few) for each in new))
        return took

    def _list(self) -> dict[str, str]:
        blobs = self.container.list_blobs(results_per_page=_PAGE)
        return {blob.name: str(blob.etag) for blob in blobs if self.pattern.fullmatch(blob.name)}

    async def _notice(
        self,
        app: LoadedApp,
        store: Store,
        noticed: tuple[str, str, Receipt | None],
        few: asyncio.Semaphore,
    ) -> None:
        name, etag, known = noticed
        async with few:
            failures = known.failures if known and known.etag == etag else 0
            state, failures = await self._call(app, self.container.get_blob_client(name), failures)
        receipt = Receipt(etag=etag, failures=failures, state=state)
        with store.transaction():
            store.put_receipt(self.function.name, self.container.container_name, name, receipt)

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


def _is_due(etag: str, known: Receipt | None) -> bool:
    return known is None or known.etag != etag or known.state == "failed"


def _expression(pattern: str) -> str:
    """Return the regular expression of a path like `in/{name}.jsonl`; a {name} may hold slashes."""
    parts = re.split(r"(\{\w+\})", pattern)
    return "".join(".+" if part.startswith("{") else re.escape(part) for part in parts)


def _takes_blob_client(function: Function) -> bool:
    called: Any = inspect.unwrap(function.call)
    hint = get_type_hints(called).get(str(function.trigger["name"]))
    return getattr(hint, "__name__", "") == "BlobClient"

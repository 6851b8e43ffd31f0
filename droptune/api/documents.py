"""Stored documents, each version read once: what a listing shows unchanged is not read again."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from droptune.domain.payload import Payload
from droptune.domain.services import BlobInfo, BlobStore

A = TypeVar("A")
B = TypeVar("B")
T = TypeVar("T")
_READERS = 16
MOST_KEPT = 5_000


class Documents:
    """A bounded memory of parsed documents, shared by the requests of a process.

    A version is known by the ETag of a listing; when the content read is newer than its listing,
    the next listing shows that and it is read again.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        """Keep at most so many documents."""
        self._most = most
        self._kept: OrderedDict[tuple[BlobStore, str], tuple[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    def load(
        self, store: BlobStore, blobs: Iterable[BlobInfo], parse: Callable[[Payload], T]
    ) -> list[T | None]:
        """Return each blob's document as `parse` made it; None for what is gone or damaged."""
        wanted = list(blobs)
        missing = [blob for blob in wanted if not self._knows(store, blob)]
        names = [blob.name for blob in missing]
        found = in_parallel(lambda name: _read(store, name, parse), names)
        read = dict(zip(names, found, strict=True))
        self._keep(store, missing, read)
        return [read[b.name] if b.name in read else self.recall(store, b.name) for b in wanted]

    def recall(self, store: BlobStore, name: str) -> Any:
        """Return what was kept under a name, or None."""
        with self._lock:
            kept = self._kept.get((store, name))
            if kept is not None:
                self._kept.move_to_end((store, name))
        return kept[1] if kept else None

    def keep(self, store: BlobStore, name: str, value: object) -> None:
        """Keep what will not change any more."""
        with self._lock:
            self._kept[store, name] = ("", value)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)

    def _knows(self, store: BlobStore, blob: BlobInfo) -> bool:
        with self._lock:
            kept = self._kept.get((store, blob.name))
        return kept is not None and kept[0] == blob.etag

    def _keep(self, store: BlobStore, blobs: list[BlobInfo], read: dict[str, Any]) -> None:
        with self._lock:
            for blob in blobs:
                self._kept[store, blob.name] = (blob.etag, read[blob.name])
                self._kept.move_to_end((store, blob.name))
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def in_parallel(ask: Callable[[A], B], questions: Iterable[A]) -> list[B]:
    """Return the answers in order; the store is asked several questions at a time."""
    wanted = list(questions)
    if len(wanted) < 2:
        return [ask(each) for each in wanted]
    with ThreadPoolExecutor(_READERS) as readers:
        return list(readers.map(ask, wanted))


def _read(store: BlobStore, name: str, parse: Callable[[Payload], T]) -> T | None:
    blob = store.find(name)
    try:
        document = json.loads(blob.data) if blob else None
        return parse(document) if isinstance(document, dict) else None
    except (ValueError, TypeError):
        return None

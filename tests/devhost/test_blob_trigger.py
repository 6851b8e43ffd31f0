"""Blob triggers on a real Azurite."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from azure.storage.blob import BlobClient, ContainerClient

from devhost.blob_trigger import POLL_SECONDS, BlobTrigger
from devhost.durable.store import Store
from devhost.functions import Function, LoadedApp
from devhost.host_file import Host
from tests.devhost.hosting import running

Place = Path | str


@pytest.fixture
def container(azurite: str) -> ContainerClient:
    """An empty container."""
    client = ContainerClient.from_connection_string(azurite, f"c{uuid4().hex}")
    client.create_container()
    return client


class Watch:
    """A trigger on a container, what it was called with, and how it behaves."""

    def __init__(
        self, container: ContainerClient, place: Place, *, fail: Callable[[str], bool] | None = None
    ) -> None:
        self.seen: list[str] = []
        self._fail = fail or (lambda text: False)
        self._store = Store(place)
        function = Function(
            name="notice", trigger={"type": "blobTrigger", "name": "b"}, call=self.call
        )
        self._app = LoadedApp(functions=[function], host=Host(poison_blob_threshold=5))
        pattern = re.compile(r"in/.+\.txt")
        self._trigger = BlobTrigger(function=function, container=container, pattern=pattern)

    def call(self, b: BlobClient) -> None:
        text = b.download_blob().readall().decode()
        self.seen.append(f"{b.blob_name}: {text}")
        if self._fail(text):
            raise ValueError(text)

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            asyncio.run(self._trigger.look(self._app, self._store))

    def receipt(self, container: ContainerClient, name: str) -> tuple[int, str]:
        receipt = self._store.receipts("notice", container.container_name)[name]
        return receipt.failures, receipt.state

    def close(self) -> None:
        self._store.close()


def test_new_blob_is_noticed_once(container: ContainerClient) -> None:
    """However often one looks."""
    watch = Watch(container, ":memory:")
    container.upload_blob("in/a.txt", b"hello")

    watch.look(3)

    assert watch.seen == ["in/a.txt: hello"]


def test_overwritten_blob_is_noticed_again(container: ContainerClient) -> None:
    """Also with the same bytes: its ETag is new."""
    watch = Watch(container, ":memory:")
    container.upload_blob("in/a.txt", b"hello")
    watch.look()

    container.upload_blob("in/a.txt", b"hello", overwrite=True)
    watch.look()

    assert watch.seen == ["in/a.txt: hello"] * 2


def test_blob_outside_the_pattern_is_not_noticed(container: ContainerClient) -> None:
    """A name may hold slashes."""
    watch = Watch(container, ":memory:")
    for name in ("in/deep/er.txt", "in/a.json", "out/a.txt", "in/.txt"):
        container.upload_blob(name, b"x")

    watch.look()

    assert watch.seen == ["in/deep/er.txt: x"]


def test_blob_whose_function_fails_is_tried_again_and_then_poison(
    container: ContainerClient,
) -> None:
    """Five times, as the real host does."""
    watch = Watch(container, ":memory:", fail=lambda text: True)
    container.upload_blob("in/a.txt", b"bad")

    watch.look(8)

    assert len(watch.seen) == 5
    assert watch.receipt(container, "in/a.txt") == (5, "poison")


def test_blob_that_is_mended_is_tried_afresh(container: ContainerClient) -> None:
    """New bytes, new count."""
    watch = Watch(container, ":memory:", fail=lambda text: text == "bad")
    container.upload_blob("in/a.txt", b"bad")
    watch.look(8)

    container.upload_blob("in/a.txt", b"good", overwrite=True)
    watch.look(2)

    assert watch.seen[-1] == "in/a.txt: good"
    assert len(watch.seen) == 6
    assert watch.receipt(container, "in/a.txt") == (0, "done")


def test_one_bad_blob_does_not_hold_up_the_others(container: ContainerClient) -> None:
    """Each has its own receipt."""
    watch = Watch(container, ":memory:", fail=lambda text: text == "bad")
    container.upload_blob("in/a.txt", b"bad")
    container.upload_blob("in/b.txt", b"good")

    watch.look()

    assert sorted(watch.seen) == ["in/a.txt: bad", "in/b.txt: good"]


def test_blob_that_was_noticed_is_not_noticed_after_a_restart(
    container: ContainerClient, tmp_path: Path
) -> None:
    """The receipt lasts."""
    container.upload_blob("in/a.txt", b"hello")
    before = Watch(container, tmp_path / "hub")
    before.look()
    before.close()

    after = Watch(container, tmp_path / "hub")
    after.look()

    assert (before.seen, after.seen) == (["in/a.txt: hello"], [])


def test_host_that_dies_in_the_call_calls_again(container: ContainerClient, tmp_path: Path) -> None:
    """At least once: the receipt is written after the call."""

    class DeathError(BaseException):
        pass

    def die(text: str) -> bool:
        raise DeathError

    container.upload_blob("in/a.txt", b"hello")
    before = Watch(container, tmp_path / "hub", fail=die)
    with pytest.raises(DeathError):
        before.look()
    before.close()

    after = Watch(container, tmp_path / "hub")
    after.look()

    assert (before.seen, after.seen) == (["in/a.txt: hello"],) * 2


def test_host_polls_more_often_than_once_a_second() -> None:
    """Twice."""
    assert POLL_SECONDS <= 1


def test_running_host_calls_the_app_with_a_blob_client(
    container: ContainerClient, azurite: str, tmp_path: Path
) -> None:
    """The container's name is a setting; a bad blob is tried as often as host.json says."""
    settings = {"TINY_STORAGE": azurite, "TINY_CONTAINER": container.container_name}
    container.upload_blob("in/bad.txt", b"bad")
    with running(tmp_path, settings) as host:
        container.upload_blob("in/good.txt", b"good")
        expected = [
            f"{container.container_name}/in/bad.txt bad",
            f"{container.container_name}/in/bad.txt bad",
            f"{container.container_name}/in/good.txt good",
        ]

        for _ in range(3000):
            if sorted(host.lines("blobs")) == expected:
                break
            container.get_container_properties()

    assert sorted(host.lines("blobs")) == expected

"""The simulation's containers keep the contract that Azurite and the fake keep."""

from __future__ import annotations

import pytest

from droptune.domain.errors import TransientError
from droptune.domain.services import BlobStore
from simulation.blobs import Container
from simulation.clock import VirtualClock
from tests.contract.conftest import Container as UnderTest
from tests.contract.test_blob_store import *  # noqa: F403 - each test runs here on `store`


@pytest.fixture
def clock() -> VirtualClock:
    """Virtual time."""
    return VirtualClock()


@pytest.fixture
def store(clock: VirtualClock) -> BlobStore:
    """An empty container."""
    return Container("runs", clock)


@pytest.fixture
def container(store: BlobStore) -> UnderTest:
    """The same, as the contract's tests ask for it."""
    return UnderTest(store=store, is_fake=True)


def test_lease_that_ran_out_can_be_taken(clock: VirtualClock) -> None:
    """A lease lasts as long as it was asked for, by the clock."""
    store = Container("runs", clock)
    store.write("a", b"x")
    store.acquire_lease("a", 60)
    clock.advance(61)

    second = store.acquire_lease("a", 60)

    assert second == "lease-3"


def test_answer_that_is_lost_leaves_the_write(clock: VirtualClock) -> None:
    """What was written is there although the writer was told otherwise."""
    store = Container("runs", clock)
    store.point = lambda operation, before: None if before else "blob-lost"

    with pytest.raises(TransientError):
        store.write("a", b"x")

    assert store.blobs["a"].data == b"x"

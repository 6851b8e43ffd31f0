"""Who has to keep the contracts."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from azure.storage.blob import ContainerClient

from droptune.adapters.blob_storage import BlobContainer
from droptune.domain.services import BlobStore
from tests.fakes import FakeBlobStore


@dataclass(frozen=True, kw_only=True, slots=True)
class Container:
    """A store under test, and whether its clock is a real one."""

    store: BlobStore
    is_fake: bool


@pytest.fixture(params=["fake", "azurite"])
def container(request: pytest.FixtureRequest) -> Container:
    """An empty container: in memory, then at Azurite."""
    if request.param == "fake":
        return Container(store=FakeBlobStore(), is_fake=True)
    connection = request.getfixturevalue("azurite")
    name = f"contract-{uuid.uuid4().hex[:12]}"
    ContainerClient.from_connection_string(connection, name).create_container()
    return Container(store=BlobContainer.connect(name, connection_string=connection), is_fake=False)


@pytest.fixture
def store(container: Container) -> BlobStore:
    """An empty container, whoever implements it."""
    return container.store

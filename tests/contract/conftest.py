"""Who has to keep the contracts."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from azure.storage.blob import ContainerClient

from droptune.adapters.blob_storage import BlobContainer
from droptune.domain.job import TrainingFile
from droptune.domain.services import BlobStore
from tests.contract.worlds import WORLDS, Training, World, upload
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


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a world in each: the fake, the emulator, on request Azure."""
    if "world" in metafunc.fixturenames:
        real = ["azure"] if metafunc.config.getoption("--service") == "azure" else []
        metafunc.parametrize("world", ["fake", "emulator", *real], indirect=True)


@pytest.fixture
def world(request: pytest.FixtureRequest) -> World:
    """An Azure OpenAI resource, whoever plays it."""
    return WORLDS[request.param](request)


@pytest.fixture
def file(world: World) -> Iterator[TrainingFile]:
    """A training file that was just uploaded, and that goes with the test."""
    uploaded = upload(world)
    yield uploaded
    world.fine_tuning.delete_file(uploaded.id)


@pytest.fixture
def name(world: World) -> Iterator[str]:
    """A name that no deployment has; what gets it goes with the test."""
    new = f"contract-{uuid.uuid4().hex[:8]}"
    yield new
    world.resource_manager.delete_deployment(new)


@pytest.fixture
def training(world: World, file: TrainingFile) -> Iterator[Training]:
    """A world with a processed training file; its jobs end with the test."""
    world.process_files()
    yield Training(world=world, file=file)
    for job in world.fine_tuning.list_jobs():
        if job.training_file == file.id:
            world.fine_tuning.cancel_job(job.id)

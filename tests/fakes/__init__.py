"""The world in memory: fakes that keep the contracts of `droptune.domain.services`."""

from tests.fakes.blob_store import FakeBlobStore
from tests.fakes.clock import FakeClock
from tests.fakes.fine_tuning import FakeFineTuning
from tests.fakes.orchestrations import FakeOrchestrations
from tests.fakes.resource_manager import FakeResourceManager

__all__ = [
    "FakeBlobStore",
    "FakeClock",
    "FakeFineTuning",
    "FakeOrchestrations",
    "FakeResourceManager",
]

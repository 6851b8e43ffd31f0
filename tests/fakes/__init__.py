"""The world in memory: fakes that keep the contracts of `droptune.domain.services`."""

from tests.fakes.blob_store import FakeBlobStore
from tests.fakes.clock import FakeClock
from tests.fakes.fine_tuning import FakeFineTuning
from tests.fakes.orchestrations import FakeOrchestrations
from tests.fakes.resource_manager import FakeResourceManager
from tests.fakes.scripted import CrashError, Fuse

__all__ = [
    "CrashError",
    "FakeBlobStore",
    "FakeClock",
    "FakeFineTuning",
    "FakeOrchestrations",
    "FakeResourceManager",
    "Fuse",
]

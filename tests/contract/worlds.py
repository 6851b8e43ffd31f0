"""The services under one contract, each with a way to let time pass."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import pytest
import requests

from droptune.adapters.azure_openai import AzureOpenAIService
from droptune.adapters.resource_manager import RequestsResourceManager
from droptune.domain.deployment import DeploymentRequest, DeploymentState
from droptune.domain.job import FileStatus, FineTuningJob, TrainingFile
from droptune.domain.services import FineTuningService, ResourceManager
from tests.fakes import FakeClock, FakeFineTuning, FakeResourceManager
from tests.servers import EMULATOR_KEY

ACCOUNT = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/contract"
    "/providers/Microsoft.CognitiveServices/accounts/contract"
)
MODEL, MODEL_VERSION = "gpt-4.1-mini", "2025-04-14"
_A_WEEK = 7 * 24 * 3600.0
_AN_HOUR = 3600.0


class World(Protocol):
    """An Azure OpenAI resource, data plane and control plane."""

    fine_tuning: FineTuningService
    resource_manager: ResourceManager

    def process_files(self) -> None:
        """Let the service finish with the files that it got."""

    def train(self, job: FineTuningJob) -> None:
        """Let a job succeed."""

    def provision(self) -> None:
        """Let deployments come up and the data plane learn of them."""


class FakeWorld:
    """The fakes, moved by hand."""

    def __init__(self) -> None:
        clock = FakeClock()
        self.fakes = FakeFineTuning(clock)
        self.arm = FakeResourceManager(clock)
        self.fakes.next_file_status = FileStatus.PENDING
        self.arm.next_state = DeploymentState.CREATING
        self.fine_tuning: FineTuningService = self.fakes
        self.resource_manager: ResourceManager = self.arm

    def process_files(self) -> None:
        """See World."""
        for file_id in self.fakes.files:
            self.fakes.set_file(file_id, FileStatus.PROCESSED)

    def train(self, job: FineTuningJob) -> None:
        """See World."""
        self.fakes.finish_job(job.id)

    def provision(self) -> None:
        """See World."""
        for name in self.arm.deployments:
            self.arm.set_state(name, DeploymentState.SUCCEEDED)
            self.fakes.deployments.add(name)


class EmulatorWorld:
    """The adapters at the emulator, whose clock is put forward."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.fine_tuning: FineTuningService = AzureOpenAIService(url, credential=EMULATOR_KEY)
        self.resource_manager: ResourceManager = RequestsResourceManager(
            url, ACCOUNT, token=lambda: EMULATOR_KEY
        )

    def process_files(self) -> None:
        """See World."""
        self._advance(_AN_HOUR)

    def train(self, job: FineTuningJob) -> None:
        """See World."""
        self._advance(_A_WEEK)

    def provision(self) -> None:
        """See World."""
        self._advance(_AN_HOUR)

    def _advance(self, seconds: float) -> None:
        answer = requests.post(
            f"{self._url}/emulator/clock/advance",
            json={"seconds": seconds},
            headers={"api-key": EMULATOR_KEY},
            timeout=30,
        )
        answer.raise_for_status()


class AzureWorld:
    """The adapters at the resource that the settings name; what takes hours is skipped."""

    def __init__(self) -> None:
        from droptune.adapters.credentials import (
            OPENAI_SCOPE,
            RESOURCE_MANAGER_SCOPE,
            AzureIdentity,
        )

        identity = AzureIdentity()
        self.fine_tuning: FineTuningService = AzureOpenAIService(
            _setting("AZURE_OPENAI_ENDPOINT"), credential=identity.token(OPENAI_SCOPE)
        )
        self.resource_manager: ResourceManager = RequestsResourceManager(
            "https://management.azure.com",
            _setting("AZURE_OPENAI_RESOURCE_ID"),
            token=identity.token(RESOURCE_MANAGER_SCOPE),
        )

    def process_files(self) -> None:
        """See World."""
        pytest.skip("Azure takes minutes to process a file")

    def train(self, job: FineTuningJob) -> None:
        """See World."""
        pytest.skip("Azure takes hours to train, and it costs money")

    def provision(self) -> None:
        """See World."""
        pytest.skip("Azure takes minutes to deploy")


def _setting(name: str) -> str:
    if name not in os.environ:
        pytest.skip(f"--service azure needs the setting {name}")
    return os.environ[name]


@dataclass(frozen=True, kw_only=True, slots=True)
class Training:
    """A world with a processed file in it."""

    world: World
    file: TrainingFile


WORLDS: dict[str, Callable[[pytest.FixtureRequest], World]] = {
    "fake": lambda request: FakeWorld(),
    "emulator": lambda request: EmulatorWorld(request.getfixturevalue("emulator_url")),
    "azure": lambda request: AzureWorld(),
}


def training_data(examples: int = 12) -> bytes:
    """Return a small, valid training file."""
    rows: list[dict[str, Any]] = [
        {
            "messages": [
                {"role": "user", "content": f"What is {n} plus {n}?"},
                {"role": "assistant", "content": f"It is {2 * n}, my friend."},
            ]
        }
        for n in range(examples)
    ]
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def upload(world: World, name: str = "contract-training.jsonl") -> TrainingFile:
    """Upload the small training file."""
    data = training_data()
    return world.fine_tuning.upload_file(name, io.BytesIO(data), len(data))


def a_deployment(name: str) -> DeploymentRequest:
    """Return a request for a deployment of a base model."""
    return DeploymentRequest(
        name=name, model=MODEL, version=MODEL_VERSION, sku="GlobalStandard", capacity=1
    )

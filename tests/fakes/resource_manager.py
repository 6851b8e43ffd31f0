"""Azure Resource Manager for one account, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from droptune.domain.deployment import (
    Account,
    AccountModel,
    Capacity,
    Deployment,
    DeploymentRequest,
    DeploymentState,
)
from droptune.domain.errors import RequestRejectedError
from droptune.domain.services import Clock
from tests.fakes.clock import FakeClock
from tests.fakes.scripted import Scripted


class FakeResourceManager(Scripted):
    """An account that offers what a test puts into its public attributes.

    Attributes:
        next_state: state in which a new deployment begins.
        places: how many deployments there may be at once.
        puts: every request that was PUT, in order.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__()
        self.clock = clock or FakeClock()
        self.account = Account(location="swedencentral", endpoint="https://fake.openai.azure.com/")
        self.models: list[AccountModel] = [
            AccountModel(
                name="gpt-4.1-mini",
                version="2025-04-14",
                fine_tune=True,
                skus=("GlobalStandard", "Standard", "DeveloperTier"),
                lifecycle="GenerallyAvailable",
            )
        ]
        self.capacities: list[Capacity] = [
            Capacity(sku=sku, location="swedencentral", available=1000, available_fine_tune=1000)
            for sku in ("GlobalStandard", "Standard", "DeveloperTier")
        ]
        self.allowed = True
        self.deployments: dict[str, Deployment] = {}
        self.next_state = DeploymentState.SUCCEEDED
        self.places = 10
        self.puts: list[DeploymentRequest] = []

    def set_state(
        self, name: str, state: DeploymentState, *, code: str = "", message: str = ""
    ) -> None:
        """Let a deployment reach a state, with the error that belongs to it."""
        self.deployments[name] = replace(
            self.deployments[name], state=state, error_code=code, error_message=message
        )

    def get_account(self) -> Account:
        """See ResourceManager."""
        with self._call("get_account"):
            return self.account

    def list_models(self) -> Sequence[AccountModel]:
        """See ResourceManager."""
        with self._call("list_models"):
            return tuple(self.models)

    def list_capacities(self, model: str, version: str) -> Sequence[Capacity]:
        """See ResourceManager."""
        with self._call("list_capacities"):
            return tuple(self.capacities)

    def may_deploy(self) -> bool:
        """See ResourceManager."""
        with self._call("may_deploy"):
            return self.allowed

    def list_deployments(self) -> Sequence[Deployment]:
        """See ResourceManager."""
        with self._call("list_deployments"):
            return tuple(self.deployments.values())

    def find_deployment(self, name: str) -> Deployment | None:
        """See ResourceManager."""
        with self._call("find_deployment"):
            return self.deployments.get(name)

    def put_deployment(self, request: DeploymentRequest) -> Deployment:
        """See ResourceManager."""
        with self._call("put_deployment"):
            if request.name not in self.deployments and len(self.deployments) >= self.places:
                raise RequestRejectedError("All places are taken.", service_code="quotaExceeded")
            self.puts.append(request)
            if request.name not in self.deployments:
                self.deployments[request.name] = Deployment(
                    name=request.name,
                    model=request.model,
                    sku=request.sku,
                    capacity=request.capacity,
                    version=request.version,
                    state=self.next_state,
                    created_at=self.clock.now(),
                )
            return self.deployments[request.name]

    def delete_deployment(self, name: str) -> None:
        """See ResourceManager."""
        with self._call("delete_deployment"):
            self.deployments.pop(name, None)

"""The whole line in memory: real orchestrators and activities on the engine, fakes around them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import azure.durable_functions as df

from activities.boundary import answer_async
from activities.runs import start_run
from devhost.durable.engine import Engine, Functions
from devhost.durable.store import Store
from droptune.domain.dataset import DatasetRef
from droptune.domain.deployment import DeploymentState
from droptune.domain.job import JobStatus
from droptune.domain.steps import STEPS, Collecting
from orchestrators.ask_again import ask_again
from orchestrators.collect_dataset import collect_dataset
from orchestrators.fine_tune_model import fine_tune_model
from orchestrators.promote_model import promote_model
from orchestrators.wait_for_job import wait_for_job
from tests.app_in_memory import load_function_app, services_of
from tests.builders import World

ORCHESTRATORS = (collect_dataset, fine_tune_model, promote_model, wait_for_job, ask_again)
_MOST_STEPS = 5_000


class EngineOrchestrations:
    """The durable client, on an engine in the same process."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def ensure_started(self, name: str, instance_id: str, payload: Mapping[str, Any]) -> bool:
        """See Orchestrations."""
        if await self.is_alive(instance_id):
            return False
        self._engine.start(name, instance_id, json.dumps(dict(payload)))
        return True

    async def is_alive(self, instance_id: str) -> bool:
        """See Orchestrations."""
        instance = self._engine.store.find_instance(instance_id)
        return instance is not None and instance.is_live

    async def wake(self, instance_id: str) -> None:
        """See Orchestrations."""
        if await self.is_alive(instance_id):
            self._engine.raise_event(instance_id, "wake", "true")


@dataclass(kw_only=True)
class Line:
    """An app in memory.

    Attributes:
        activities: bound, by name; a test may put another in a name's place.
        payloads: every text that went through Durable: inputs, answers, whole histories.
        calls: names of the activities that ran, in order.
        while_resting: what happens in the world before time jumps to the next timer.
    """

    world: World
    activities: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    payloads: list[tuple[str, str]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    while_resting: Callable[[World], None] | None = None

    def __post_init__(self) -> None:
        """Bind everything to the world."""
        functions = {name: self._activity(name) for name in STEPS}
        orchestrators = {f.__name__: self._orchestrator(f) for f in ORCHESTRATORS}
        self.engine = Engine(
            Functions(orchestrators=orchestrators, activities=functions),
            Store(":memory:"),
            self.world.clock,
        )
        self.orchestrations = EngineOrchestrations(self.engine)

    def notice(self, dataset: DatasetRef) -> None:
        """Let a blob event of a dataset arrive."""
        payload = Collecting(dataset=dataset).to_payload()
        started = self.orchestrations.ensure_started(
            "collect_dataset", dataset.collector_id, payload
        )
        asyncio.run(started)

    def run(self) -> None:
        """Go on until nothing is left to do; time jumps to the next timer when all else rests."""
        for _ in range(_MOST_STEPS):
            if self.engine.step():
                continue
            due = self.engine.store.next_due()
            if due is None:
                return
            (self.while_resting or move_on)(self.world)
            now = self.world.clock.now()
            self.world.clock.advance(max(0.0, (due - now).total_seconds()))
        raise AssertionError(f"the line does not come to rest after {self.calls[-5:]}")

    def _activity(self, name: str) -> Callable[[str | None], str]:
        def call(text: str | None) -> str:
            self.calls.append(name)
            request = json.loads(text or "null")
            result = json.dumps(self.activities[name](request))
            self.payloads += [(f"{name} is asked", text or ""), (f"{name} answers", result)]
            return result

        return call

    def _orchestrator(self, function: Callable[..., Any]) -> Callable[[str], str]:
        real = df.Orchestrator.create(function)

        def call(body: str) -> str:
            name = function.__name__
            self.payloads.append((f"history of {name}", body))
            answer: str = real(body)
            self.payloads.append((f"{name} answers", answer))
            return answer

        return call


def a_line(world: World) -> Line:
    """Return a line with the activities as `function_app` wires them, `start_run` on its engine."""
    activities = load_function_app().activities(services_of(world))
    line = Line(world=world, activities={activity.__name__: activity for activity in activities})

    def start(request: Any) -> Any:
        started = start_run(
            Collecting.from_payload(request),
            register=world.register,
            records=world.records,
            orchestrations=line.orchestrations,
        )
        return asyncio.run(answer_async(started))

    line.activities["start_run"] = start
    return line


def move_on(world: World) -> None:
    """Let the service work as it does while nobody looks: queue, train, deploy, answer."""
    for job in list(world.azure_openai.jobs.values()):
        if job.status is JobStatus.PENDING:
            world.azure_openai.set_job(job.id, status="running")
        elif job.status is JobStatus.RUNNING:
            world.azure_openai.finish_job(job.id)
    for deployment in world.resource_manager.deployments.values():
        if deployment.state is DeploymentState.SUCCEEDED:
            world.azure_openai.deployments.add(deployment.name)

"""The durable client, through the real SDK, at a host that answers from a script."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator

import azure.durable_functions as df  # type: ignore[import-untyped]
import pytest
from azure.durable_functions.models.utils import http_utils  # type: ignore[import-untyped]

from droptune.adapters.durable_client import DurableOrchestrations
from droptune.domain.errors import TransientError
from tests.adapters.scripted_server import Answer, ScriptedServer

MISSING = Answer(status=404)
STARTED = Answer(status=202, body={"id": "run-1"})


def status(runtime_status: str) -> Answer:
    """Return an instance's status document."""
    document = {"name": "n", "instanceId": "run-1", "runtimeStatus": runtime_status, "input": None}
    is_over = runtime_status in ("Completed", "Failed", "Terminated", "Canceled")
    return Answer(status=200 if is_over else 202, body=document)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """An event loop for each test; the SDK's process-wide session ends with it."""
    others, http_utils._client_session = http_utils._client_session, None
    with asyncio.Runner() as runner:
        yield runner
        runner.run(http_utils._close_session())
    http_utils._client_session = others


@pytest.fixture
def orchestrations(server: ScriptedServer) -> DurableOrchestrations:
    """The adapter over the SDK's client, bound as a host binds it."""
    urls = {"id": "ID", "statusQueryGetUri": f"{server.url}/instances/ID"}
    binding = {
        "taskHubName": "hub",
        "creationUrls": {"createNewInstancePostUri": f"{server.url}/orchestrators"},
        "managementUrls": urls,
        "rpcBaseUrl": f"{server.url}/durabletask/",
    }
    return DurableOrchestrations(df.DurableOrchestrationClient(json.dumps(binding)))


def test_unknown_instance_is_started(
    server: ScriptedServer, orchestrations: DurableOrchestrations, runner: asyncio.Runner
) -> None:
    """An id that the host does not know is started under that id with its input."""
    server.says(MISSING, STARTED)

    started = runner.run(orchestrations.ensure_started("fine_tune_model", "run-1", {"a": 1}))

    asked = server.asked[1]
    assert started
    assert asked.path == "/durabletask/orchestrators/fine_tune_model/run-1"
    assert json.loads(asked.json()) == {"a": 1}


@pytest.mark.parametrize("alive", ["Pending", "Running", "Suspended", "ContinuedAsNew"])
def test_live_instance_is_left_alone(
    server: ScriptedServer,
    orchestrations: DurableOrchestrations,
    runner: asyncio.Runner,
    alive: str,
) -> None:
    """Whatever is not over is alive, and is not started twice."""
    server.says(status(alive))

    started = runner.run(orchestrations.ensure_started("fine_tune_model", "run-1", {}))

    assert not started
    assert len(server.asked) == 1


@pytest.mark.parametrize("over", ["Completed", "Failed", "Terminated", "Canceled"])
def test_ended_instance_is_started_anew(
    server: ScriptedServer, orchestrations: DurableOrchestrations, runner: asyncio.Runner, over: str
) -> None:
    """An ended instance of that id does not stand in the way."""
    server.says(status(over), STARTED)

    assert runner.run(orchestrations.ensure_started("fine_tune_model", "run-1", {}))


def test_start_that_lost_the_race_started_nothing(
    server: ScriptedServer, orchestrations: DurableOrchestrations, runner: asyncio.Runner
) -> None:
    """When somebody else was faster the host refuses, and the instance is alive."""
    server.says(MISSING, Answer(status=500, body="exists"), status("Pending"))

    assert not runner.run(orchestrations.ensure_started("fine_tune_model", "run-1", {}))


def test_start_that_failed_is_transient(
    server: ScriptedServer, orchestrations: DurableOrchestrations, runner: asyncio.Runner
) -> None:
    """A refusal that left no instance behind may pass."""
    server.says(MISSING, Answer(status=500, body="storage is down"), MISSING)

    with pytest.raises(TransientError, match="storage is down"):
        runner.run(orchestrations.ensure_started("fine_tune_model", "run-1", {}))


def test_wake_raises_the_event(
    server: ScriptedServer, orchestrations: DurableOrchestrations, runner: asyncio.Runner
) -> None:
    """A live instance gets the event `wake`."""
    server.says(status("Running"), Answer(status=202))

    runner.run(orchestrations.wake("run-1"))

    assert server.asked[1].path == "/durabletask/instances/run-1/raiseEvent/wake"


@pytest.mark.parametrize("answer", [MISSING, status("Completed")])
def test_waking_nobody_is_no_error(
    server: ScriptedServer,
    orchestrations: DurableOrchestrations,
    runner: asyncio.Runner,
    answer: Answer,
) -> None:
    """Nobody there, or nobody any more: nothing is sent."""
    server.says(answer)

    runner.run(orchestrations.wake("run-1"))

    assert len(server.asked) == 1


def test_instance_that_ends_while_it_is_woken_is_no_error(
    server: ScriptedServer, orchestrations: DurableOrchestrations, runner: asyncio.Runner
) -> None:
    """Between looking and waking an instance may end."""
    server.says(status("Running"), Answer(status=410), status("Completed"))

    runner.run(orchestrations.wake("run-1"))

    assert len(server.asked) == 3


def test_host_that_cannot_say_is_transient(
    server: ScriptedServer, orchestrations: DurableOrchestrations, runner: asyncio.Runner
) -> None:
    """Without an answer nothing is known of an instance."""
    server.says(Answer(status=503))

    with pytest.raises(TransientError):
        runner.run(orchestrations.is_alive("run-1"))

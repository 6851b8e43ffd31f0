"""The RPC, spoken by the SDK's own client over a socket."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest
import uvicorn
from azure.durable_functions.models.utils import http_utils
from starlette.applications import Starlette

from devhost.durable import client_api
from tests.devhost.hub import Hub, Steps

Client = df.DurableOrchestrationClient
Scenario = Callable[[Client], Awaitable[Any]]
HOUR = timedelta(hours=1)
STATUS = df.OrchestrationRuntimeStatus


def waits(context: Any) -> Steps:
    context.set_custom_status({"phase": "waiting"})
    timer = context.create_timer(context.current_utc_datetime + HOUR)
    event = context.wait_for_external_event("wake")
    winner = yield context.task_any([timer, event])
    if winner is timer:
        return "timer"
    timer.cancel()
    return {"woken": event.result, "given": context.get_input()}


def echoes(context: Any) -> Steps:
    return (yield context.call_activity("echo", context.get_input()))


def fails(context: Any) -> Steps:
    yield context.call_activity("echo", 1)
    raise ValueError("no")


@pytest.fixture
def hub() -> Hub:
    """An engine that does everything at once when it is woken."""
    return Hub(waits, echoes, fails, activities={"echo": lambda value: value})


def test_start_new_answers_with_the_id_and_the_instance_runs(hub: Hub) -> None:
    """202, and the body's id."""

    async def scenario(client: Client) -> Any:
        return await client.start_new("echoes", "one", {"a": [1, None, "ü"]})

    assert talk(hub, scenario) == "one"
    assert hub.ended() == ("Completed", {"a": [1, None, "ü"]})


def test_start_new_without_an_id_makes_one_up(hub: Hub) -> None:
    """A new one each time."""

    async def scenario(client: Client) -> Any:
        return [await client.start_new("echoes") for _ in range(2)]

    first, second = talk(hub, scenario)

    assert first != second
    assert hub.ended(first) == hub.ended(second) == ("Completed", None)


@pytest.mark.parametrize("value", ["text", '{"looks": "like JSON"}', "7", 7, 0, True, [], {}])
def test_input_reaches_the_orchestrator_as_it_was_given(hub: Hub, value: Any) -> None:
    """Whatever JSON it is."""

    async def scenario(client: Client) -> Any:
        await client.start_new("echoes", "one", value)

    talk(hub, scenario)

    assert hub.ended() == ("Completed", value)


def test_start_new_of_a_live_id_raises(hub: Hub) -> None:
    """The host answers 500; the SDK raises a bare Exception."""

    async def scenario(client: Client) -> Any:
        await client.start_new("waits", "one")
        with pytest.raises(Exception, match="already exists") as raised:
            await client.start_new("waits", "one")
        return type(raised.value)

    assert talk(hub, scenario) is Exception


def test_start_new_of_a_finished_id_replaces_it(hub: Hub) -> None:
    """`silently`, as the SDK says."""

    async def scenario(client: Client) -> Any:
        await client.start_new("echoes", "one", "old")
        await client.start_new("echoes", "one", "new")
        return (await client.get_status("one")).output

    assert talk(hub, scenario) == "new"


def test_start_new_of_an_unknown_orchestrator_raises_its_name(hub: Hub) -> None:
    """400 with a message."""

    async def scenario(client: Client) -> Any:
        with pytest.raises(Exception, match="'nobody' doesn't exist"):
            await client.start_new("nobody", "one")

    talk(hub, scenario)

    assert hub.store.list_instances() == []


def test_status_of_a_running_instance_shows_where_it_stands(hub: Hub) -> None:
    """Name, times, custom status; no output yet."""

    async def scenario(client: Client) -> Any:
        await client.start_new("waits", "one", 5)
        return await client.get_status("one", show_input=True)

    status = talk(hub, scenario)

    assert (status.name, status.instance_id) == ("waits", "one")
    assert status.runtime_status is STATUS.Running
    assert (status.custom_status, status.output) == ({"phase": "waiting"}, None)
    assert json.loads(status.input_) == 5
    assert status.created_time == status.last_updated_time == hub.clock.now()


def test_status_of_an_unknown_instance_is_empty(hub: Hub) -> None:
    """404; the SDK makes a status without a time of it, which is false."""

    async def scenario(client: Client) -> Any:
        return await client.get_status("nobody")

    status = talk(hub, scenario)

    assert not status
    assert status.runtime_status is None


def test_history_is_shown_when_asked_for(hub: Hub) -> None:
    """With results when they are asked for too."""

    async def scenario(client: Client) -> Any:
        await client.start_new("echoes", "one", "x")
        plain = await client.get_status("one")
        short = await client.get_status("one", show_history=True)
        full = await client.get_status("one", show_history=True, show_history_output=True)
        return plain, short, full

    plain, short, full = talk(hub, scenario)

    assert not hasattr(plain, "historyEvents")
    kinds = ["ExecutionStarted", "TaskScheduled", "TaskCompleted", "ExecutionCompleted"]
    assert [event["EventType"] for event in short.historyEvents] == kinds
    assert [event.get("Result") for event in short.historyEvents] == [None] * 4
    assert [event.get("Result") for event in full.historyEvents] == [None, None, '"x"', '"x"']


def test_every_instance_is_listed(hub: Hub) -> None:
    """get_status_all."""

    async def scenario(client: Client) -> Any:
        for name in ("a", "b"):
            await client.start_new("echoes", name)
        return [status.instance_id for status in await client.get_status_all()]

    assert talk(hub, scenario) == ["a", "b"]


def test_instances_are_listed_by_status_time_and_prefix(hub: Hub) -> None:
    """get_status_by."""
    begin = hub.clock.now()

    async def scenario(client: Client) -> Any:
        await client.start_new("echoes", "ended")
        hub.clock.at += HOUR
        await client.start_new("waits", "waiting")
        return [
            [status.instance_id for status in await client.get_status_by(**asked)]
            for asked in (
                {"runtime_status": [STATUS.Running, STATUS.Pending]},
                {"created_time_from": begin + timedelta(minutes=1)},
                {"created_time_to": begin + timedelta(minutes=1)},
                {"instance_id_prefix": "wait"},
            )
        ]

    assert talk(hub, scenario) == [["waiting"], ["waiting"], ["ended"], ["waiting"]]


def test_raised_event_reaches_its_wait(hub: Hub) -> None:
    """With its value."""

    async def scenario(client: Client) -> Any:
        await client.start_new("waits", "one", "in")
        await client.raise_event("one", "wake", {"by": "me"})
        return (await client.get_status("one")).output

    assert talk(hub, scenario) == {"woken": {"by": "me"}, "given": "in"}


def test_event_for_an_unknown_or_ended_instance_raises(hub: Hub) -> None:
    """404 and 410."""

    async def scenario(client: Client) -> Any:
        await client.start_new("echoes", "ended")
        with pytest.raises(Exception, match="No instance with ID nobody"):
            await client.raise_event("nobody", "wake")
        with pytest.raises(Exception, match="ended is gone"):
            await client.raise_event("ended", "wake")

    talk(hub, scenario)


def test_terminated_instance_shows_the_reason(hub: Hub) -> None:
    """A second time is harmless (410)."""

    async def scenario(client: Client) -> Any:
        await client.start_new("waits", "one")
        await client.terminate("one", "enough & more")
        await client.terminate("one", "again")
        return await client.get_status("one")

    status = talk(hub, scenario)

    assert status.runtime_status is STATUS.Terminated
    assert status.output == "enough & more"


def test_suspended_instance_goes_on_when_resumed(hub: Hub) -> None:
    """What came meanwhile is taken in then."""

    async def scenario(client: Client) -> Any:
        await client.start_new("waits", "one")
        await client.suspend("one", "hold")
        await client.raise_event("one", "wake", 1)
        held = (await client.get_status("one")).runtime_status
        await client.resume("one", "go")
        return held, (await client.get_status("one")).runtime_status

    assert talk(hub, scenario) == (STATUS.Suspended, STATUS.Completed)


@pytest.mark.parametrize("word", ["terminate", "suspend", "resume"])
def test_words_to_an_unknown_instance_raise(hub: Hub, word: str) -> None:
    """404."""

    async def scenario(client: Client) -> Any:
        with pytest.raises(Exception, match="No instance with ID 'nobody'"):
            await getattr(client, word)("nobody", "reason")

    talk(hub, scenario)


def test_purged_instance_is_gone(hub: Hub) -> None:
    """And counted; one that runs, or is not there, is not."""

    async def scenario(client: Client) -> Any:
        await client.start_new("echoes", "ended")
        await client.start_new("waits", "running")
        return [
            (await client.purge_instance_history(name)).instances_deleted
            for name in ("ended", "ended", "running")
        ]

    assert talk(hub, scenario) == [1, 0, 0]
    assert [instance.id for instance in hub.store.list_instances()] == ["running"]


def test_instances_are_purged_by_status_and_time(hub: Hub) -> None:
    """Those that run stay."""
    begin = hub.clock.now()

    async def scenario(client: Client) -> Any:
        await client.start_new("echoes", "completed")
        await client.start_new("fails", "failed")
        await client.start_new("waits", "running")
        failed = await client.purge_instance_history_by(begin, None, [STATUS.Failed])
        later = await client.purge_instance_history_by(begin + HOUR)
        rest = await client.purge_instance_history_by(begin)
        return [result.instances_deleted for result in (failed, later, rest)]

    assert talk(hub, scenario) == [1, 0, 1]
    assert [instance.id for instance in hub.store.list_instances()] == ["running"]


def test_rewind_says_that_it_is_not_done_here(hub: Hub) -> None:
    """501 for a failed instance, 410 for another, 404 for none."""

    async def scenario(client: Client) -> Any:
        await client.start_new("fails", "failed")
        await client.start_new("echoes", "completed")
        with pytest.raises(Exception, match="does not rewind"):
            await client.rewind("failed", "again")
        with pytest.raises(Exception, match="only supported on failed"):
            await client.rewind("completed", "again")
        with pytest.raises(Exception, match="No instance"):
            await client.rewind("nobody", "again")

    talk(hub, scenario)


@pytest.mark.parametrize(
    ("name", "code", "said"), [("echoes", 200, "null"), ("fails", 500, "failed: no")]
)
def test_waiting_for_the_end_answers_with_it(hub: Hub, name: str, code: int, said: str) -> None:
    """wait_for_completion_or_create_check_status_response."""

    async def scenario(client: Client) -> Any:
        await client.start_new(name, "one")
        return await client.wait_for_completion_or_create_check_status_response(None, "one")

    response = talk(hub, scenario)

    assert response.status_code == code
    assert said in response.get_body().decode()


def test_waiting_too_short_answers_with_urls(hub: Hub) -> None:
    """They name the instance, and work."""

    async def scenario(client: Client) -> Any:
        await client.start_new("waits", "one")
        response = await client.wait_for_completion_or_create_check_status_response(
            None, "one", timeout_in_milliseconds=1, retry_interval_in_milliseconds=1
        )
        urls = json.loads(response.get_body())
        reason = urls["terminatePostUri"].replace("{text}", "by url")
        await http_utils.post_async_request(reason)
        return response.status_code, await http_utils.get_async_request(urls["statusQueryGetUri"])

    code, (status, document) = talk(hub, scenario)

    assert (code, status) == (202, 200)
    assert (document["runtimeStatus"], document["output"]) == ("Terminated", "by url")


def test_list_is_given_page_by_page() -> None:
    """With `top`, a header says where the next one begins."""
    hub = Hub(echoes, activities={"echo": lambda value: value})

    async def scenario(client: Client) -> Any:
        for n in range(3):
            await client.start_new("echoes", f"n{n}")
        url = client._orchestration_bindings.rpc_base_url + "instances/?top=2"
        session = await http_utils._get_session()
        async with session.get(url) as first:
            token = {"x-ms-continuation-token": first.headers["x-ms-continuation-token"]}
            names = [each["instanceId"] for each in await first.json()]
        async with session.get(url, headers=token) as second:
            more = "x-ms-continuation-token" in second.headers
            return names, [each["instanceId"] for each in await second.json()], more

    assert talk(hub, scenario) == (["n0", "n1"], ["n2"], False)


def test_entities_answer_that_there_are_none(hub: Hub) -> None:
    """501."""

    async def scenario(client: Client) -> Any:
        with pytest.raises(Exception, match="unexpected status code 501"):
            await client.signal_entity(df.EntityId("counter", "1"), "add", 1)

    talk(hub, scenario)


def talk(hub: Hub, scenario: Scenario) -> Any:
    """Let a client speak to a hub that settles whenever it is woken."""

    async def run() -> Any:
        async with serving(hub) as url:
            try:
                return await scenario(Client(client_api.binding(url, "hub")))
            finally:
                await http_utils._close_session()

    return asyncio.run(run())


@asynccontextmanager
async def serving(hub: Hub) -> AsyncIterator[str]:
    """Serve a hub's RPC on a free port."""
    app = Starlette(routes=client_api.routes(hub.engine, hub.settle))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving

"""The host as a process: what it serves, and what outlives it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.devhost.hosting import KEY, TINY_APP, HostProcess, refused, running

KEYS = {"x-functions-key": KEY}


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HostProcess]:
    """A host with the tiny app."""
    with running(tmp_path_factory.mktemp("host")) as process:
        yield process


def test_anonymous_route_answers_without_a_key(host: HostProcess) -> None:
    """Below the prefix of host.json."""
    answer = requests.get(f"{host.url}/v1/ping", timeout=10)

    assert (answer.status_code, answer.text) == (200, "pong")
    assert requests.get(f"{host.url}/api/ping", timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("headers", "query", "status"),
    [
        ({}, "", 401),
        ({"x-functions-key": "no"}, "", 401),
        (KEYS, "", 207),
        ({}, f"?code={KEY}", 207),
    ],
)
def test_other_routes_ask_for_the_key(
    host: HostProcess, headers: dict[str, str], query: str, status: int
) -> None:
    """In a header or in the query."""
    answer = requests.get(f"{host.url}/v1/things/1/files/a{query}", headers=headers, timeout=10)

    assert answer.status_code == status


def test_request_and_response_arrive_whole(host: HostProcess) -> None:
    """Method, parameters, route, headers and body; status, type and headers back."""
    answer = requests.put(
        f"{host.url}/v1/things/12/files/a/b.txt?q=1",
        data="body",
        headers=KEYS | {"x-thing": "t"},
        timeout=10,
    )

    assert answer.status_code == 207
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-answer"] == "yes"
    assert answer.json() == {
        "method": "PUT",
        "params": {"q": "1"},
        "route": {"id": "12", "path": "a/b.txt"},
        "body": "body",
        "header": "t",
    }


def test_method_that_a_route_does_not_have_is_refused(host: HostProcess) -> None:
    """405; a parameter that does not fit is 404."""
    wrong_method = requests.post(f"{host.url}/v1/things/1/files/a", headers=KEYS, timeout=10)
    wrong_number = requests.get(f"{host.url}/v1/things/one/files/a", headers=KEYS, timeout=10)

    assert (wrong_method.status_code, wrong_number.status_code) == (405, 404)


def test_function_that_raises_answers_500(host: HostProcess) -> None:
    """With nothing of what it said."""
    answer = requests.get(f"{host.url}/v1/broken", headers=KEYS, timeout=10)

    assert (answer.status_code, answer.text) == (500, "")


def test_timer_runs_on_startup(host: HostProcess) -> None:
    """Once, however long its schedule."""
    requests.get(f"{host.url}/v1/ping", timeout=10)

    assert host.lines("timers") == ["past_due=False"]


def test_orchestration_is_started_and_asked_for_through_the_durable_client(
    host: HostProcess,
) -> None:
    """An async activity runs in the host's loop."""
    start(host, "quick", "q1", "hello")

    assert end_of(host, "q1") == "hello noted"


def test_blocked_activities_hold_up_neither_others_nor_http(host: HostProcess) -> None:
    """Two of the three threads that host.json gives wait; everything else goes on."""
    pipes = [pipe(host.folder, f"pipe-{n}") for n in range(2)]
    for name in pipes:
        start(host, "chain", f"waits-{name}", name)
    until(lambda: sorted(host.lines("blocks")) == pipes, host)

    start(host, "quick", "q2", "meanwhile")
    meanwhile = end_of(host, "q2")
    for name in pipes:
        (host.folder / name).write_text(f"{name} released")

    assert meanwhile == "meanwhile noted"
    for name in pipes:
        expected = ["first noted", f"{name} released", "last noted"]
        assert end_of(host, f"waits-{name}") == expected


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_signal_ends_the_host_in_good_order(tmp_path: Path, number: int) -> None:
    """With exit code 0, also while an activity runs."""
    with running(tmp_path) as host:
        start(host, "chain", "one", pipe(tmp_path, "pipe"))
        until(lambda: host.lines("blocks") == ["pipe"], host)

        code = host.end(number)

    assert code == 0


def test_killed_host_goes_on_where_it_was(tmp_path: Path) -> None:
    """What had ended does not run again; what was running does."""
    name = pipe(tmp_path, "pipe")
    with running(tmp_path) as host:
        start(host, "chain", "one", name)
        until(lambda: host.lines("blocks") == ["pipe"], host)

        host.end(signal.SIGKILL)
    with running(tmp_path) as host:
        until(lambda: host.lines("blocks") == ["pipe", "pipe"], host)
        (tmp_path / name).write_text("released")

        ended = end_of(host, "one")

    assert ended == ["first noted", "released", "last noted"]
    assert host.lines("notes") == ["first", "last"]


def test_http_is_answered_by_a_process_of_its_own(host: HostProcess) -> None:
    """No activity, however busy, is in the way of an answer."""
    assert answering(host) != host.process.pid


def test_killed_host_leaves_nobody_who_answers(tmp_path: Path) -> None:
    """The process that answers HTTP ends with it, however it ended."""
    with running(tmp_path) as host:
        requests.get(f"{host.url}/v1/ping", timeout=10)

        host.end(signal.SIGKILL)

        with pytest.raises(requests.ConnectionError):
            until(lambda: False, host)


def test_host_ends_when_nobody_answers_any_more(tmp_path: Path) -> None:
    """It says why, and with another exit code than when it was asked to end."""
    with running(tmp_path) as host:
        os.kill(answering(host), signal.SIGKILL)

        code = host.process.wait(20)

    assert code == 3


def test_second_host_on_the_same_state_is_refused(host: HostProcess) -> None:
    """It says so, and the first goes on."""
    said = refused(TINY_APP, host.folder)

    assert "another host serves" in said
    assert requests.get(f"{host.url}/v1/ping", timeout=10).status_code == 200


def durable(**settings: Any) -> dict[str, Any]:
    return {"extensions": {"durableTask": settings}}


BAD_FUNCTIONS = [
    ("queue_trigger('m', 'q', 'C')", "f: this host has no queueTrigger"),
    ("entity_trigger('m')", "f: this host has no entityTrigger"),
    ("timer_trigger('m', 'every day')", "'every day' does not have six fields"),
    ("timer_trigger('m', '0 0 0 30 2 *')", "never comes"),
    ("timer_trigger('m', '%NO_SUCH%')", "app setting NO_SUCH"),
    ("blob_trigger('m', 'c/{n}', 'NO_SUCH')", "NO_SUCH holds no connection string"),
    ("route('a/{b?}', 'm')", "does not do {b?}"),
    ("route('a/{b:alpha}', 'm')", "does not do {b:alpha}"),
]
BAD_FILES = [
    ({"extensions": {"queues": {"batchSize": 1}}}, "extensions.queues.batchSize"),
    ({"singleton": {}, "watchDirectories": []}, "watchDirectories"),
    (durable(extendedSessionsEnabled=True), "extendedSessionsEnabled"),
    (durable(maxConcurrentActivityFunctions=0), "not a number from 1"),
    (durable(hubName="%NO_SUCH%"), "app setting NO_SUCH"),
    ({"version": "3.0"}, "version is '3.0'"),
]


@pytest.mark.parametrize(("decorator", "named"), BAD_FUNCTIONS)
def test_function_that_is_not_supported_is_refused_by_name(
    tmp_path: Path, decorator: str, named: str
) -> None:
    """At load, with exit code 3: nothing is served that would not be what it is in Azure."""
    write_app(tmp_path, f"@app.{decorator}\ndef f(m: blob.BlobClient) -> None: ...")

    assert named in refused(tmp_path, tmp_path)


def test_blob_bound_as_content_is_refused(tmp_path: Path) -> None:
    """Only the SDK type is bound."""
    trigger = "@app.blob_trigger('m', 'c/{n}', 'HOME')"
    write_app(tmp_path, f"{trigger}\ndef f(m: func.InputStream) -> None: ...")

    assert "f: this host binds a blob to the SDK type BlobClient only" in refused(
        tmp_path, tmp_path
    )


@pytest.mark.parametrize(("document", "named"), BAD_FILES, ids=[named for _, named in BAD_FILES])
def test_host_file_that_is_not_supported_is_refused_by_name(
    tmp_path: Path, document: dict[str, Any], named: str
) -> None:
    """A setting that is not done here is never passed over in silence."""
    write_app(tmp_path, "")
    (tmp_path / "host.json").write_text(json.dumps({"version": "2.0"} | document))

    assert named in refused(tmp_path, tmp_path)


def write_app(folder: Path, code: str) -> None:
    """Write an app of a few lines."""
    head = (
        "import azure.functions as func, azure.durable_functions as df\n"
        "import azurefunctions.extensions.bindings.blob as blob\n"
        "app = df.DFApp()\n"
    )
    (folder / "function_app.py").write_text(head + code)


def start(host: HostProcess, name: str, instance: str, text: str) -> None:
    """Start an orchestration through the app's own route."""
    answer = requests.post(
        f"{host.url}/v1/start/{name}/{instance}", data=text, headers=KEYS, timeout=10
    )
    assert answer.status_code == 200


def end_of(host: HostProcess, instance: str) -> Any:
    """Wait for an orchestration's end and return its output."""
    answer = requests.get(f"{host.url}/v1/state/{instance}?ms=20000", headers=KEYS, timeout=30)
    assert answer.status_code == 200, answer.text
    try:
        return answer.json()
    except ValueError:
        return answer.text


def answering(host: HostProcess) -> int:
    """Return the id of the process that answers HTTP."""
    return int(requests.get(f"{host.url}/v1/pid", timeout=10).text)


def until(is_so: Callable[[], bool], host: HostProcess) -> None:
    """Ask the host for something until what is awaited is there."""
    for _ in range(2000):
        if is_so():
            return
        requests.get(f"{host.url}/v1/ping", timeout=10)
    raise AssertionError("it did not happen")


def pipe(folder: Path, name: str) -> str:
    """Make a pipe that an activity waits at; return its name."""
    os.mkfifo(folder / name)
    return name

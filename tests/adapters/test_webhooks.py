"""Notifications are posted to nowhere but where the installation says."""

from __future__ import annotations

import base64
import json
import socket
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from standardwebhooks import Webhook

from droptune.adapters.addresses import AddressRefusedError, check_address, guarded_session
from droptune.adapters.deadline import Deadline
from droptune.adapters.webhooks import RequestsWebhooks
from droptune.domain.errors import RequestRejectedError, TransientError
from droptune.domain.messages import Message
from droptune.domain.signatures import signature_headers
from tests.adapters.scripted_server import Answer, ScriptedServer

MESSAGE = Message(id="run:1:failed", content_type="application/json", body=b'{"a":1}')
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def webhooks(url: str, *, local: bool = True) -> RequestsWebhooks:
    return RequestsWebhooks({"NOTIFY_LOCAL": url}, local=local)


def test_message_is_posted_as_it_was_signed(server: ScriptedServer) -> None:
    """The receiver verifies the very bytes that arrive."""
    server.says(Answer(status=202))
    headers = signature_headers(MESSAGE, secrets=SECRET, at=datetime.now(UTC))

    webhooks(f"{server.url}/hook?sig=s3cret").post("NOTIFY_LOCAL", MESSAGE, headers)

    (asked,) = server.asked
    assert (asked.method, asked.path, asked.query) == ("POST", "/hook", {"sig": "s3cret"})
    assert asked.headers["content-type"] == "application/json"
    assert Webhook(SECRET).verify(asked.body, dict(asked.headers)) == {"a": 1}


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503])
def test_status_that_may_pass_is_transient(server: ScriptedServer, status: int) -> None:
    """It says how long the receiver asked to wait."""
    server.says(Answer(status=status, headers={"Retry-After": "17"}))

    with pytest.raises(TransientError) as raised:
        webhooks(server.url).post("NOTIFY_LOCAL", MESSAGE, {})

    assert (raised.value.status, raised.value.retry_after) == (status, 17)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 410, 413])
def test_other_status_is_a_rejection(server: ScriptedServer, status: int) -> None:
    """A redirect is one too, and its target is not asked."""
    server.says(Answer(status=status, headers={"Location": f"{server.url}/elsewhere"}))

    with pytest.raises(RequestRejectedError) as raised:
        webhooks(server.url).post("NOTIFY_LOCAL", MESSAGE, {})

    assert raised.value.status == status
    assert len(server.asked) == 1


def test_connection_without_an_answer_is_transient(server: ScriptedServer) -> None:
    """The receiver may have read it: the id tells it that the next one is the same."""
    server.says(Answer(drop=True))

    with pytest.raises(TransientError):
        webhooks(server.url).post("NOTIFY_LOCAL", MESSAGE, {})


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=500, body={"echo": "c4nary"}),
        Answer(status=404, body={"echo": "c4nary"}),
        Answer(drop=True),
    ],
)
def test_no_error_shows_url_or_answer(server: ScriptedServer, answer: Answer) -> None:
    """The URL is a secret, and the answer may repeat anything."""
    server.says(answer)
    url = f"{server.url}/services/T0/s3cret"

    with pytest.raises((TransientError, RequestRejectedError)) as raised:
        webhooks(url).post("NOTIFY_LOCAL", MESSAGE, {})

    shown = "".join(traceback.format_exception(raised.value))
    assert "NOTIFY_LOCAL" in str(raised.value)
    assert "s3cret" not in shown
    assert "c4nary" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no url",
        "https://",
        "https://[::1",
        "https://host:port/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "https://user:s3cret@1.1.1.1/",
        "http://1.1.1.1/",
    ],
)
@pytest.mark.parametrize("local", [True, False])
def test_value_that_is_no_target_is_refused(url: str, local: bool) -> None:
    """Only https, or plain http to this laptop, and no credentials in it."""
    with pytest.raises(RequestRejectedError) as raised:
        webhooks(url, local=local).post("NOTIFY_LOCAL", MESSAGE, {})

    assert raised.value.code == "notification-target"
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "localhost",
        "0.0.0.0",
        "10.0.0.4",
        "172.16.9.9",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fd00::1]",
        "[ff02::1]",
        "[::ffff:169.254.169.254]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:a9fe:a9fe::]",
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_own_network_is_never_asked_in_azure(scheme: str, host: str) -> None:
    """This machine, private networks, metadata and platform services, however they are written."""
    with pytest.raises(RequestRejectedError) as raised:
        webhooks(f"{scheme}://{host}/hook", local=False).post("NOTIFY_LOCAL", MESSAGE, {})

    assert raised.value.code == "notification-target"


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "168.63.129.16", "10.0.0.4", "fe80::1%eth0"]
)
def test_laptop_may_post_to_itself_and_to_nothing_else_inside(address: str) -> None:
    """A local installation is no way into the network around it."""
    check_address("127.0.0.1", local=True, tls=False)

    with pytest.raises(AddressRefusedError):
        check_address(address, local=True, tls=True)


def test_public_host_is_allowed_over_tls_alone() -> None:
    """A message on its way through the internet is not readable."""
    check_address("1.1.1.1", local=False, tls=True)
    check_address("2606:4700::1111", local=False, tls=True)

    with pytest.raises(AddressRefusedError):
        check_address("1.1.1.1", local=False, tls=False)


def test_connection_is_checked_where_it_really_leads(server: ScriptedServer) -> None:
    """A name that resolves to something else after the first check sends not a byte."""
    with pytest.raises(AddressRefusedError):
        guarded_session(local=False, deadline=Deadline(5)).post(server.url, data=b"x", timeout=5)

    assert server.asked == []


@pytest.mark.parametrize("name", ["APP_KEY", "AZURE_OPENAI_ENDPOINT", "NOTIFY_OTHER", ""])
def test_setting_of_another_name_is_not_read(server: ScriptedServer, name: str) -> None:
    """A configuration cannot make the app post to, or reveal, what is no notification target."""
    settings = {"APP_KEY": server.url, "AZURE_OPENAI_ENDPOINT": server.url}

    with pytest.raises(RequestRejectedError) as raised:
        RequestsWebhooks(settings, local=True).post(name, MESSAGE, {})

    assert "there is no such setting" in str(raised.value)
    assert server.asked == []


def test_answer_is_not_read(server: ScriptedServer) -> None:
    """A receiver that answers without end costs nothing."""
    server.says(Answer(status=200, body=b"x" * 10, headers={"Content-Length": str(1 << 40)}))

    webhooks(server.url).post("NOTIFY_LOCAL", MESSAGE, {})

    assert json.loads(server.asked[0].body) == {"a": 1}


def test_only_the_local_receiver_may_be_at_this_machine(server: ScriptedServer) -> None:
    """On a laptop, too, every other setting leads to a public host, or nowhere."""
    settings = {"NOTIFY_TEAM": server.url, "NOTIFY_LOCAL_TEAM": server.url}

    for name in settings:
        with pytest.raises(RequestRejectedError) as raised:
            RequestsWebhooks(settings, local=True).post(name, MESSAGE, {})
        assert raised.value.code == "notification-target"
    assert server.asked == []


@contextmanager
def trickling_server() -> Iterator[str]:
    """A server that sends a byte now and then, and never says what it wants to say."""
    ended = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            while not ended.wait(0.02):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        ended.set()
        thread.join(5)
        listening.close()


def test_receiver_that_sends_a_byte_now_and_then_is_not_waited_for_for_ever() -> None:
    """One post has one deadline, whatever arrives meanwhile; the outbox tries again later."""
    with trickling_server() as url, pytest.raises(TransientError) as raised:
        RequestsWebhooks({"NOTIFY_LOCAL": url}, local=True, seconds=0.3).post(
            "NOTIFY_LOCAL", MESSAGE, {}
        )

    assert raised.value.status is None


def test_connection_that_comes_after_the_deadline_ends_at_once() -> None:
    """A slow look-up of a name gives nobody more time."""
    here, there = socket.socketpair()
    with here, there, Deadline(0) as deadline:
        deadline._timer.join(5)

        deadline.watch(here)

        assert there.recv(1) == b""


def test_connections_outlive_a_deadline_that_was_met() -> None:
    """Once a request is over nobody watches any more."""
    here, there = socket.socketpair()
    with here, there:
        with Deadline(0.01) as deadline:
            pass
        deadline._timer.join(5)

        here.sendall(b"x")

        assert there.recv(1) == b"x"

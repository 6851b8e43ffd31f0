"""The receiver that `up` starts: each notification is a line once its signature is verified."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from standardwebhooks import Webhook

from droptune.cli.ports import is_free
from droptune.cli.receiver import Receiver
from droptune.domain.messages import Message, render
from droptune.domain.signatures import signature_headers
from tests.domain.test_messages import an_event

OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def lines() -> list[str]:
    """What was said."""
    return []


@pytest.fixture
def receiver(lines: list[str]) -> Iterator[Receiver]:
    """A receiver that listens."""
    with Receiver(lines.append) as listening:
        yield listening


def post(receiver: Receiver, body: bytes, headers: Mapping[str, str]) -> int:
    """Post and return the status."""
    parts = urlsplit(receiver.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        connection.request("POST", "/", body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


def send(receiver: Receiver, message: Message, secret: str = "") -> int:
    """Post a signed message."""
    secret = secret or receiver.secret
    headers = signature_headers(message, secrets=secret, at=datetime.now(UTC))
    return post(receiver, message.body, headers)


def test_notification_is_a_line_that_says_what_happened(
    receiver: Receiver, lines: list[str]
) -> None:
    """The event's name, its sentence, and that it is really the app's."""
    status = send(receiver, render(an_event(), "cloudevents"))

    [line] = lines
    assert status == 204
    assert "run.promoted" in line
    assert "The model of bot-v1-0a1b2c3d is the champion of bot." in line
    assert line.endswith("(signature verified)")


def test_notification_that_is_sent_again_is_said_once(receiver: Receiver, lines: list[str]) -> None:
    """The sender may not know that it arrived; the id says that it is the same."""
    statuses = [send(receiver, render(an_event(), "cloudevents")) for _ in range(2)]

    assert statuses == [204, 204]
    assert len(lines) == 1


def test_card_is_named_by_its_id(receiver: Receiver, lines: list[str]) -> None:
    """What is for Teams or Slack to read is taken, too."""
    status = send(receiver, render(an_event(), "slack"))

    assert status == 204
    assert "bot-v1-0a1b2c3d:1:succeeded" in lines[0]


def test_what_is_not_signed_with_its_secret_is_refused_in_silence(
    receiver: Receiver, lines: list[str]
) -> None:
    """Anybody at this machine can post; only the app is believed."""
    message = render(an_event(), "cloudevents")

    statuses = [send(receiver, message, OTHER), post(receiver, message.body, {})]

    assert statuses == [401, 401]
    assert lines == []


def test_body_that_is_too_long_is_not_read(receiver: Receiver, lines: list[str]) -> None:
    """A card has 28 KB at most."""
    assert post(receiver, b"x" * 70_000, {}) == 413
    assert lines == []


def test_published_package_can_sign_for_it(receiver: Receiver, lines: list[str]) -> None:
    """Its secret is one of Standard Webhooks."""
    body, now = json.dumps(an_event().to_payload()), datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(receiver.secret).sign("msg_1", now, body),
    }

    assert post(receiver, body.encode(), headers) == 204
    assert len(lines) == 1


def test_app_is_told_of_it_by_settings(receiver: Receiver) -> None:
    """Under the one name that may lead to this machine."""
    assert receiver.settings == {
        "NOTIFY_LOCAL": receiver.url,
        "NOTIFY_LOCAL_SECRET": receiver.secret,
    }


def test_port_is_given_back_at_the_end(lines: list[str]) -> None:
    """Nothing listens any more."""
    with Receiver(lines.append) as receiver:
        port = urlsplit(receiver.url).port or 0

    assert is_free(port)

"""Messages are signed so that the published package verifies them, and checked as it checks."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from droptune.domain.errors import SettingsError
from droptune.domain.messages import Message, render
from droptune.domain.signatures import OLDEST, is_signed, signature_headers
from tests.domain.test_messages import an_event
from tests.fakes.clock import START

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()


@pytest.mark.parametrize("format", ["cloudevents", "teams", "slack"])
def test_signature_is_verified_by_the_published_package(format: str) -> None:
    """Whoever uses the `standardwebhooks` package accepts what we send now."""
    message = render(an_event(project="Zürich"), format)

    headers = signature_headers(message, secrets=SECRET, at=datetime.now(UTC))

    assert Webhook(SECRET).verify(message.body, dict(headers)) == json.loads(message.body)
    assert headers["webhook-id"] == message.id


def test_signature_agrees_with_the_published_example() -> None:
    """The same id, time, body and key give the same signature as the published package."""
    message = Message(id="msg_1", content_type="application/json", body=b'{"test": 2432232314}')
    at = datetime.fromtimestamp(1614265330, UTC)

    headers = signature_headers(message, secrets=SECRET, at=at)

    expected = Webhook(SECRET).sign("msg_1", at, message.body.decode())
    assert headers == {
        "webhook-id": "msg_1",
        "webhook-timestamp": "1614265330",
        "webhook-signature": expected,
    }


@pytest.mark.parametrize("secret", [SECRET, OTHER])
def test_both_secrets_verify_while_keys_are_changed(secret: str) -> None:
    """Two secrets give two signatures; the receiver needs one of them."""
    message = render(an_event(), "cloudevents")

    headers = signature_headers(message, secrets=f"{SECRET} {OTHER}", at=datetime.now(UTC))

    assert Webhook(secret).verify(message.body, dict(headers))


@pytest.mark.parametrize("tampered", ["body", "id", "time"])
def test_changed_message_is_refused(tampered: str) -> None:
    """Body, id and time are all signed."""
    message, now = render(an_event(), "cloudevents"), datetime.now(UTC)
    headers = dict(signature_headers(message, secrets=SECRET, at=now))
    body = message.body.replace(b"bot", b"bat") if tampered == "body" else message.body
    if tampered == "id":
        headers["webhook-id"] += "x"
    if tampered == "time":
        headers["webhook-timestamp"] = str(int((now + timedelta(seconds=5)).timestamp()))

    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(body, headers)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_not base64!", "%%%"])
def test_secret_that_is_none_is_named_without_being_shown(secret: str) -> None:
    """The message says what would be right and never what was there."""
    with pytest.raises(SettingsError) as raised:
        signature_headers(render(an_event(), "slack"), secrets=f"{secret} ", at=datetime.now(UTC))

    assert "base64" in str(raised.value)
    assert secret not in str(raised.value)


@pytest.mark.parametrize("secrets", [SECRET, f"{OTHER} {SECRET}"])
def test_own_signature_is_recognised(secrets: str) -> None:
    """Also beside another one, while keys are changed."""
    message = render(an_event(), "cloudevents")
    headers = signature_headers(message, secrets=secrets, at=START)

    assert is_signed(message.body, headers, secret=SECRET, now=START + OLDEST)
    assert not is_signed(message.body, headers, secret=f"{SECRET[:-4]}AAA=", now=START)


def test_signature_of_the_published_package_is_recognised() -> None:
    """Whoever signs with it is understood."""
    signature = Webhook(SECRET).sign("msg_1", START, "{}")
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(START.timestamp())),
        "webhook-signature": signature,
    }

    assert is_signed(b"{}", headers, secret=SECRET, now=START)
    assert not is_signed(b"{ }", headers, secret=SECRET, now=START)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_old_message_is_not_believed(minutes: int) -> None:
    """What was overheard cannot be sent again for long."""
    message = render(an_event(), "cloudevents")
    headers = signature_headers(message, secrets=SECRET, at=START)

    now = START + timedelta(minutes=minutes)

    assert not is_signed(message.body, headers, secret=SECRET, now=now)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "a", "webhook-timestamp": "soon", "webhook-signature": "v1,x"},
        {"webhook-id": "a", "webhook-timestamp": "9" * 30, "webhook-signature": "v1,x"},
        {"webhook-id": "a", "webhook-timestamp": "0", "webhook-signature": "v1,\u00e9"},
    ],
)
def test_headers_that_say_nothing_are_no_signature(headers: dict[str, str]) -> None:
    """Whatever stands there, it is a no and no error."""
    assert not is_signed(b"{}", headers, secret=SECRET, now=START)

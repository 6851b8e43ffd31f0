"""The same event for programs, for Teams and for Slack, and its signature."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from droptune.domain.errors import SettingsError
from droptune.domain.messages import Message, render, signature_headers
from droptune.domain.notifications import Event, events_of
from droptune.domain.phases import Outcome, Phase
from tests.domain.records import a_record

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(1, 33))).decode()


def an_event(**fields: Any) -> Event:
    defaults: dict[str, Any] = {
        "outcome": Outcome.PROMOTED,
        "configuration": {"model": "gpt-4.1"},
        "cost": {"currency": "USD", "low": 1.0, "high": 2.5, "spent": 1.75},
    }
    return events_of(
        a_record(Phase.SUCCEEDED, **(defaults | fields)), app_url="https://droptune.example"
    )[-1]


def test_cloudevent_is_sent_whole_in_structured_mode() -> None:
    """Its body is the event, its content type says so."""
    message = render(an_event(), "cloudevents")

    assert message.content_type == "application/cloudevents+json; charset=utf-8"
    assert json.loads(message.body) == an_event().to_payload()
    assert message.id == an_event().id


def test_teams_gets_an_adaptive_card_in_a_message() -> None:
    """The shape that a Workflows webhook takes, with a link that only shows."""
    body = json.loads(render(an_event(), "teams").body)

    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {"title": "Spent", "value": "$1.75"} in card["body"][1]["facts"]
    assert card["actions"][0]["url"].endswith("/api/dashboard/runs/bot-v1-0a1b2c3d")


def test_slack_gets_blocks_and_a_text() -> None:
    """Blocks for the channel, the text for whoever is notified of it."""
    body = json.loads(render(an_event(), "slack").body)

    assert body["text"] == "The model of bot-v1-0a1b2c3d is the champion of bot."
    assert [block["type"] for block in body["blocks"]] == ["header", "section", "section"]
    assert "*Estimated*\n$1.00 to $2.50" in [each["text"] for each in body["blocks"][1]["fields"]]


@pytest.mark.parametrize("format", ["teams", "slack"])
def test_longest_names_stay_within_the_receivers_limits(format: str) -> None:
    """28 KB for Teams; 150 characters of a header and 10 fields of 2,000 for Slack."""
    long = "x" * 5000
    event = an_event(
        project="p" * 64,
        configuration={"model": long},
        job={"id": "j", "fine_tuned_model": long},
        production={"name": long},
        findings={"error": 3},
        examples=7,
    )

    message = render(event, format)

    assert len(message.body) < 28_000
    if format == "slack":
        header, section, _ = json.loads(message.body)["blocks"]
        assert len(header["text"]["text"]) <= 150
        assert len(section["fields"]) <= 10
        assert all(len(each["text"]) <= 2000 for each in section["fields"])


def test_names_are_no_markup() -> None:
    """A model named like a mention pings nobody, one named like a link leads nowhere."""
    event = an_event(configuration={"model": "<!channel> & [a](https://b)"})

    slack = render(event, "slack").body.decode()

    assert "<!channel>" not in slack
    assert "&lt;!channel&gt; &amp;" in slack
    facts = json.loads(render(event, "teams").body)["attachments"][0]["content"]["body"][1]["facts"]
    assert {"title": "Base model", "value": "<!channel> & \\[a\\](https://b)"} in facts


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

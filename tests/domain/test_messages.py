"""The same event for programs, for Teams and for Slack."""

from __future__ import annotations

import json
from typing import Any

import pytest

from droptune.domain.findings import Problem
from droptune.domain.messages import render
from droptune.domain.notifications import Event, events_of
from droptune.domain.phases import Outcome, Phase
from tests.domain.records import a_record


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


def a_long_event(letters: str) -> Event:
    """Return an event whose every name is as long as can be, and longer."""
    long = letters * 5000
    return an_event(
        project="p" * 64,
        version="v" * 64,
        configuration={"model": long},
        job={"id": "j", "fine_tuned_model": long},
        production={"name": long},
        findings={"error": 3},
        examples=7,
        error=Problem(code="c" * 200, message="", remedy=""),
    )


@pytest.mark.parametrize("letters", ["x", "&", "\N{DROPLET}", "\\*_", '"'])
def test_longest_card_stays_within_the_limit_of_teams(letters: str) -> None:
    """28 KB, of which others saw no more than 21 taken; however letters are written.

    Source: Microsoft Learn, "Create Incoming Webhooks" (add-incoming-webhook).
    """
    assert len(render(a_long_event(letters), "teams").body) < 21_000


@pytest.mark.parametrize("letters", ["x", "&", "\N{DROPLET}", "\\*_", '"'])
def test_longest_blocks_stay_within_the_limits_of_slack(letters: str) -> None:
    """Counted as they are sent, escapes included.

    Source: docs.slack.dev, Block Kit: 50 blocks; a header of 150 characters; a section of 3,000, or
    of 10 fields of 2,000; posting: text of 4,000.
    """
    body = json.loads(render(a_long_event(letters), "slack").body)

    header, section, link = body["blocks"]
    assert set(body) == {"text", "blocks"}
    assert len(body["text"]) <= 4000
    assert (header["type"], header["text"]["type"]) == ("header", "plain_text")
    assert len(header["text"]["text"]) <= 150
    assert len(section["fields"]) == 10
    assert all(0 < len(each["text"]) <= 2000 for each in section["fields"])
    assert len(link["text"]["text"]) <= 3000


def test_names_are_no_markup() -> None:
    """A model named like a mention pings nobody, one named like a link leads nowhere."""
    event = an_event(configuration={"model": "<!channel> & [a](https://b)"})

    slack = render(event, "slack").body.decode()

    assert "<!channel>" not in slack
    assert "&lt;!channel&gt; &amp;" in slack
    facts = json.loads(render(event, "teams").body)["attachments"][0]["content"]["body"][1]["facts"]
    assert {"title": "Base model", "value": "<!channel> & \\[a\\](https://b)"} in facts

"""An event in the shape that its receiver reads: CloudEvents, a Teams card, Slack blocks."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from droptune.domain.notifications import CONTENT_TYPE, Event
from droptune.domain.payload import Payload

_LONGEST = 140


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What is posted. `id` is the event's, the same at every try."""

    id: str
    content_type: str
    body: bytes


def render(event: Event, format: str) -> Message:
    """Return an event as `cloudevents`, `teams` or `slack`."""
    content_type, shape = _FORMATS[format]
    body = json.dumps(shape(event), ensure_ascii=False, separators=(",", ":")).encode()
    return Message(id=event.id, content_type=content_type, body=body)


def _cloudevent(event: Event) -> Payload:
    return event.to_payload()


def _teams(event: Event) -> Payload:
    """Return an Adaptive Card for "when a Teams webhook request is received".

    Source: Microsoft Teams, "Create and send messages" (connectors-using): Workflows take Adaptive
    Cards only, in `attachments` of a message; messages are 28 KB at most (add-incoming-webhook).
    """
    facts = [{"title": name, "value": _plain(value)} for name, value in _facts(event)]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                "type": "TextBlock",
                "text": _plain(event.sentence),
                "size": "Medium",
                "weight": "Bolder",
                "wrap": True,
            },
            {"type": "FactSet", "facts": facts},
        ],
        "actions": [
            {"type": "Action.OpenUrl", "title": "Open the run", "url": event.data["links"]["page"]}
        ],
    }
    content_type = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": content_type, "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _slack(event: Event) -> Payload:
    """Return blocks for an incoming webhook, with the text that notifications show.

    Source: docs.slack.dev, header block: plain text, 150 characters; section: 10 fields of 2,000
    characters; `&`, `<` and `>` are markup in mrkdwn and in `text`, so they are escaped.
    """
    fields = [
        {"type": "mrkdwn", "text": f"*{name}*\n{_escaped(value)}"} for name, value in _facts(event)
    ]
    page = f"<{event.data['links']['page']}|Open the run>"
    return {
        "text": _escaped(event.sentence),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": _cut(event.sentence)}},
            {"type": "section", "fields": fields},
            {"type": "section", "text": {"type": "mrkdwn", "text": page}},
        ],
    }


def _facts(event: Event) -> Sequence[tuple[str, str]]:
    """Return at most ten figures, each a short line."""
    data = event.data
    cost = data["cost"]
    shown: Sequence[tuple[str, object]] = (
        ("Project", data["project"]),
        ("Version", data["version"]),
        ("Base model", data["base_model"]),
        ("Model", data["fine_tuned_model"]),
        ("Deployment", data["deployment"]),
        ("Examples", data["examples"]),
        ("Errors in the data", data["findings"].get("error")),
        ("Estimated", _money(cost["low"], cost["high"])),
        ("Spent", _money(cost["spent"])),
        ("Code", data["error"]),
    )
    return [(name, _cut(str(value))) for name, value in shown if value is not None]


def _money(*amounts: float | None) -> str | None:
    if any(amount is None for amount in amounts):
        return None
    return " to ".join(f"${amount:,.2f}" for amount in amounts)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _plain(text: str) -> str:
    """Return text that a card shows as it is: its texts read a subset of Markdown.

    Unverified: that every Teams client takes the backslash out again.
    """
    return "".join(f"\\{letter}" if letter in "\\*_[]`" else letter for letter in _cut(text))


_FORMATS: Mapping[str, tuple[str, Callable[[Event], Payload]]] = {
    "cloudevents": (CONTENT_TYPE, _cloudevent),
    "teams": ("application/json; charset=utf-8", _teams),
    "slack": ("application/json; charset=utf-8", _slack),
}
FORMATS = tuple(_FORMATS)

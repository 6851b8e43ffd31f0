"""Whoever is told of runs: takes what is posted, or fails as networks do."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Protocol

from droptune.domain.errors import TransientError
from droptune.domain.messages import Message

SETTING = "NOTIFY_SIMULATED"
BEFORE, AFTER = ("crash", "reset", "busy"), ("lost", "crash")


class Seam(Protocol):
    """Where a post may fail."""

    def strike_post(self, kinds: tuple[str, ...], label: str) -> str | None:
        """Return the fault that strikes there; raises a crash."""

    def told(self, what: str, text: str) -> None:
        """Show what leaves the app."""


class Receiver:
    """Implements Webhooks.

    Attributes:
        taken: what came, by the event's id: its type and the run that it is about, each time.
    """

    def __init__(self, seam: Seam) -> None:
        """Have received nothing."""
        self._seam = seam
        self.taken: dict[str, list[tuple[str, str]]] = defaultdict(list)

    def post(self, url_setting: str, message: Message, headers: Mapping[str, str]) -> None:
        """Take a post; what fails afterwards was taken all the same."""
        label = f"post {message.id}"
        if self._seam.strike_post(BEFORE, label):
            raise TransientError("the receiver did not answer")
        event = json.loads(message.body)
        self._seam.told("notification", message.body.decode())
        self.taken[event["id"]].append((event["type"], event["subject"]))
        if self._seam.strike_post(AFTER, label):
            raise TransientError("the receiver's answer was lost")

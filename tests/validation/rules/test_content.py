"""Searches in texts: what they find is never shown, and no text makes them slow."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from droptune.validation import ValidationRequest
from droptune.validation.masking import mask
from droptune.validation.rules.damage_patterns import (
    find_controls,
    find_invisible,
    find_mojibake,
    is_about_characters,
)
from droptune.validation.rules.email_patterns import find_addresses
from droptune.validation.rules.example import Asked, Example
from droptune.validation.rules.fixtures import assistant, chat, user
from droptune.validation.rules.found import MOST, Found, first_of
from droptune.validation.rules.number_patterns import (
    find_accounts,
    find_cards,
    find_ids,
    find_phones,
)
from droptune.validation.rules.registry import case
from droptune.validation.rules.secret_patterns import (
    find_address_passwords,
    find_keys,
    find_passwords,
    find_private_keys,
)
from droptune.validation.rules.strings import strings_of
from tests.validation.corpus.content import SCENES
from tests.validation.rules.fixture_runs import report_on

FINDERS: dict[str, Callable[[str], Iterable[Found]]] = {
    "access-key": find_keys,
    "private-key": find_private_keys,
    "password": find_passwords,
    "password-in-address": find_address_passwords,
    "email-address": find_addresses,
    "phone-number": find_phones,
    "payment-card": find_cards,
    "bank-account": find_accounts,
    "national-id": find_ids,
}
SEARCHES: dict[str, Callable[[str], Iterable[Any]]] = {
    **FINDERS,
    "mojibake": find_mojibake,
    "control-character": find_controls,
    "invisible-character": find_invisible,
    "speaks of characters": lambda text: [is_about_characters(text)],
    "masking": lambda text: [mask(text)],
}
HOSTILE = (
    "a", "=", "-", "1", "A", "1 ", "1-", "+1", "a@", "a@b.", "@a.", "a@b.co ", "eyJ",
    "eyJaaaaaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "password=", "password is ",
    "://a:", "://a:bcdefgh", "sk-proj-", "_a1", "sig=", "?sig=%2", "xoxb-1234567-", "tel +1 ",
    "DE12 AAAA ", "(030) ", "cpf 529.817.364-00 ", "\u00c3\u00a9", "\u00e2\u20ac\u2122", "\u200b",
)  # fmt: skip


def example(line: dict[str, Any]) -> Example:
    raw = json.dumps(line, ensure_ascii=False).encode()
    asked = Asked(request=ValidationRequest(), format="supervised", model=None)
    return Example(None, line, raw, 1, 0, asked)


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_what_is_found_is_not_shown(scene: Any) -> None:
    """No message of a report holds a key, a password or a number that a rule speaks of."""
    lines = [marked.line for marked in scene.training]
    secrets = {
        text.text[found.start : found.end]
        for marked in scene.training
        for rule in marked.rules & FINDERS.keys()
        for text in strings_of(example(marked.line))
        for found in FINDERS[rule](text.text)
    }

    report = report_on(case(*lines, **scene.request))

    said = json.dumps(report.to_payload(), ensure_ascii=False)
    meant = any(marked.rules & FINDERS.keys() for marked in scene.training)
    assert bool(secrets) is meant
    assert not [secret for secret in secrets if secret in said]


@pytest.mark.parametrize("search", SEARCHES)
def test_hostile_text_does_not_slow_a_search_down(search: str) -> None:
    """Four times the text takes about four times the processor's work, whatever is repeated in it.

    What grows as the square would take minutes; how busy the machine is does not matter.
    """
    slow = []
    for piece in HOSTILE:
        short, long = (piece * (size // len(piece)) for size in (50_000, 200_000))
        if _seconds(SEARCHES[search], long) > 0.5 + 10 * _seconds(SEARCHES[search], short):
            slow.append(piece)

    assert not slow


def _seconds(search: Callable[[str], Iterable[Any]], text: str) -> float:
    def once() -> float:
        start = time.process_time()
        first_of(search(text))
        return time.process_time() - start

    return min(once(), once())


def test_thousands_in_one_text_are_counted_up_to_a_hundred() -> None:
    """A text full of addresses costs no more than a hundred of them."""
    given = iter(range(10 * MOST))

    first, more = first_of(given)

    assert (first, more) == (0, ", and at least 99 more")
    assert next(given) == MOST


def test_secret_in_a_tool_call_is_found_at_its_path() -> None:
    """Arguments are searched as contents are."""
    hidden = {"query": "password: " + "Kx7#vQ2!mt"}
    line = chat(user(), {"role": "assistant", "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": json.dumps(hidden)}}
    ]})  # fmt: skip

    found = [each for each in report_on(case(line)).findings if each.rule == "password"]

    assert [each.path for each in found] == ["messages[1].tool_calls[0].function.arguments"]


def test_allowed_address_does_not_hide_another() -> None:
    """What is allowed is left out one by one."""
    both = "Ask petra.sommer@nordhavn.net or tom.berger@nordhavn.com."
    line = chat(user(both), assistant())

    found = [
        each
        for each in report_on(case(line, allowed=("@nordhavn.net",))).findings
        if each.rule == "email-address"
    ]

    assert [each.message for each in found] == [
        "line 1: messages[0].content: the text holds an e-mail address (t…@….com)."
    ]

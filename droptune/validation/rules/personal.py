"""Personal data: what names a person or reaches one, by checksum or by the words around it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from droptune.domain.findings import Severity
from droptune.validation.rules.email_patterns import find_addresses
from droptune.validation.rules.example import Example
from droptune.validation.rules.found import Found, first_of
from droptune.validation.rules.number_patterns import (
    find_accounts,
    find_cards,
    find_ids,
    find_phones,
)
from droptune.validation.rules.registry import Family, Place
from droptune.validation.rules.secrets import Finder, said_in
from droptune.validation.rules.strings import strings_of

rules = Family("personal data")
FIX = "Remove it, or put a stand-in for it, unless the model shall know it."
_GROUPS = rb"[0-9]{3}[ .-][0-9]{3}"
_PAIRS = rb"(?:[0-9]{2}[ .-]){3}[0-9]"
_CARD = rb"[0-9]{13}|[0-9]{4}[ -](?:[0-9]{4}[ -][0-9]{4}|[0-9]{6})[ -][0-9]{4}"
_ID = (
    rb"[0-9]{3}[ -][0-9]{2}[ -][0-9]{4}|[0-9]{3}\.[0-9]{3}\.[0-9]{3}-"
    rb"|[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"  # a French number ends so; 11 digits do
    rb"|[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ -]?[A-Z]"
)
_ACCOUNT = rb"[A-Z]{2}[0-9]{2}(?: [A-Z0-9]{4}|[A-Z0-9]{11})"
_ABROAD = rb"(?:\+|\\u002[bB])[1-9][0-9]{0,2}[ ./\\-]"


@rules.example(
    "email-address",
    Severity.WARNING,
    says="A text holds a person's e-mail address; roles (info@), lists and example.com are none.",
    fix=FIX,
    signs=(rb"@[A-Za-z0-9]",),  # more than that would cost each line more than it saves,
    fails=said_in("Write to maria.lindqvist@nordhavn-bygg.se."),
    passes=said_in("Write to ada@example.com or support@contoso.com, or use @app.route."),
)
def email_address(example: Example) -> Iterator[Place]:
    """Yield a place for each text with addresses; its first letter is shown."""
    yield from _places(example, find_addresses)


@rules.example(
    "phone-number",
    Severity.WARNING,
    says="A text holds a phone number: written with separators, after a word that says so.",
    fix=FIX,
    signs=(_GROUPS, _PAIRS, _ABROAD),
    fails=said_in("You can call me at +49 171 920 8834 after six."),
    passes=said_in("Call 555-0134 or 1-800-123-4567. Order 0171 920 8834 has shipped."),
)
def phone_number(example: Example) -> Iterator[Place]:
    """Yield a place for each text with numbers, of which the last two digits are shown."""
    yield from _places(example, find_phones)


@rules.example(
    "payment-card",
    Severity.WARNING,
    says="A text holds a payment card's number: an issuer's beginning, Luhn's digit, and groups or "
    "a word that says so.",
    fix=FIX,
    signs=(_CARD,),
    fails=said_in("It was charged to 4485 9203 7716 2040."),
    passes=said_in("Test with the card 4111 1111 1111 1111; the id is 4485920377162040."),
)
def payment_card(example: Example) -> Iterator[Place]:
    """Yield a place for each text with cards, of which the last two digits are shown."""
    yield from _places(example, find_cards)


@rules.example(
    "bank-account",
    Severity.WARNING,
    says="A text holds a bank account (IBAN) with its country's length and a right checksum.",
    fix=FIX,
    signs=(_ACCOUNT,),
    fails=said_in("Pay to DE62 5001 0517 9203 7716 20."),
    passes=said_in("Pay to DE89 3704 0044 0532 0130 00, the IBAN of every manual."),
)
def bank_account(example: Example) -> Iterator[Place]:
    """Yield a place for each text with accounts, of which the country is shown."""
    yield from _places(example, find_accounts)


@rules.example(
    "national-id",
    Severity.WARNING,
    says="A text holds a national id (US, BR, FR, PL, ES) with a right checksum, most only after a "
    "word that says so.",
    fix=FIX,
    signs=(_ID,),
    fails=said_in("My SSN is 536-22-8714."),
    passes=said_in("My SSN is 123-45-6789; part number 536-22-8714."),
)
def national_id(example: Example) -> Iterator[Place]:
    """Yield a place for each text with ids, of which the last two digits are shown."""
    yield from _places(example, find_ids)


def _places(example: Example, find: Finder) -> Iterator[Place]:
    allowed = tuple(value.casefold() for value in example.asked.request.allowed)
    for text in strings_of(example):
        found, more = first_of(_without(allowed, text.text, find(text.text)))
        if found:
            said = f"the text holds {found.what} ({found.shown}){more}"
            yield Place(message=said, path=text.path)


def _without(allowed: tuple[str, ...], text: str, found: Iterable[Found]) -> Iterator[Found]:
    """Yield what is not allowed by itself, or by how it ends (`@contoso.com`)."""
    for each in found:
        value = text[each.start : each.end].casefold()
        if not allowed or not value.endswith(allowed):
            yield each

"""How numbers of phones, cards, accounts and persons look, and which of them are none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from droptune.validation.rules import published
from droptune.validation.rules.checksums import (
    is_card,
    is_cpf,
    is_dni,
    is_iban,
    is_nir,
    is_pesel,
    is_ssn,
)
from droptune.validation.rules.found import Found

_BEFORE = 48
_DIGITS = re.compile(r"[+(0-9](?:[ .()/\u00a0-]{0,3}[0-9]){7,22}(?:[ -]?[A-Z]\b)?")
_PHONE_WORD = re.compile(
    r"(?i)\b(?:(?:tele|cell|smart|i)?phones?|tel|mobile|cell|call(?:ing)?|text|fax|whatsapp|sms|dial"
    r"|ring|reach|contact|handy|handynummer|telefon|telefonnummer|tél|téléphone|teléfono|telefono"
    r"|móvil|celular|mobil|portable|(?:my|her|his) number)\b"
)
_NORTH_AMERICAN = re.compile(
    r"(?:\+?1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}\Z"
)
_ABROAD = re.compile(
    r"\+[1-9][0-9]{0,2}[ ./-](?:\(0?[0-9]{1,4}\)|[0-9]{1,5})(?:[ ./-]{1,2}[0-9]{2,8}){1,5}\Z"
)
_AT_HOME = re.compile(r"\(?0[0-9]{1,5}\)?(?:[ ./-]{1,3}[0-9]{2,8}){1,5}\Z")
_NOBODY_S = re.compile(
    r"1?(?:8(?:00|33|44|55|66|77|88)|900)|1?[0-9]{0,3}555|44(?:0?7700900|2079460)|0(?:7700900|2079460)"
)
_COUNTED = ("12345", "23456", "34567", "45678", "56789", "98765", "87654", "00000", "11111")
_CARD_WORD = re.compile(
    r"(?i)\b(?:credit|debit|cards?|visa|master ?card|amex|american express|pan|kreditkarte|karte"
    r"|carte|tarjeta)\b"
)
_CARD_GROUPS = re.compile(
    r"[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}\Z|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}\Z"
)
_IBAN = re.compile(
    r"[A-Z](?<![A-Za-z0-9].)[A-Z][0-9]{2}"
    r"(?:(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?|[A-Z0-9]{11,27})(?![A-Za-z0-9])"
)
_JOINS, _GOES_ON = frozenset("_.-/=$+*#"), frozenset("_/*%")


class _Id(NamedTuple):
    """A national id: how it is written, its proof, and the words one of which stands before it."""

    what: str
    shape: re.Pattern[str]
    check: Callable[[str], bool]
    word: re.Pattern[str]


def _id(what: str, shape: str, check: Callable[[str], bool], words: str) -> _Id:
    return _Id(what, re.compile(rf"(?:{shape})\Z"), check, re.compile(rf"(?i)(?:\b(?:{words})\b)"))


_IDS = (
    _id("a US social security number", r"[0-9]{3}([ -])[0-9]{2}\1[0-9]{4}", is_ssn,
        "ssn|social security"),
    _id("a Brazilian CPF", r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{11}", is_cpf, "cpf"),
    _id("a French social security number",
        r"[12] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", is_nir,
        "sécurité sociale|sécu|nir|insee|social security"),
    _id("a Polish PESEL", r"[0-9]{11}", is_pesel, "pesel"),
    _id("a Spanish DNI", r"[0-9]{2}\.?[0-9]{3}\.?[0-9]{3}[ -]?[A-Z]", is_dni, "dni|nif"),
)  # fmt: skip


def find_phones(text: str) -> Iterator[Found]:
    """Yield phone numbers that are written as such, with a word before them that says so."""
    for start, written in _numbers(text):
        number = written.rstrip(" -ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        digits, end = _only_digits(number), start + len(number)
        if not 8 <= len(digits) <= 15 or not _is_written_as_phone(number):
            continue
        said = _word_before(_PHONE_WORD, text, start) and not _is_nobody_s(digits)
        if said and _stands_alone(text, start, end):
            yield Found(start, end, "a phone number", f"…{digits[-2:]}")


def _numbers(text: str) -> Iterator[tuple[int, str]]:
    """Yield start and text of what may be a number of eight digits or more, as it is written."""
    for found in _DIGITS.finditer(text):
        number = found[0]
        if number[0] == "(" and ")" not in number:
            number = number[1:].lstrip()
        yield found.end() - len(number), number


def _is_written_as_phone(number: str) -> bool:
    return any(shape.match(number) for shape in (_NORTH_AMERICAN, _ABROAD, _AT_HOME))


def _is_nobody_s(digits: str) -> bool:
    counted = any(row in digits for row in _COUNTED)
    return counted or len(set(digits)) < 4 or _NOBODY_S.match(digits) is not None


def find_cards(text: str) -> Iterator[Found]:
    """Yield payment cards' numbers: in groups, or with a word before them that says so."""
    for start, written in _numbers(text):
        digits, end = _only_digits(written), start + len(written)
        if not 13 <= len(digits) <= 19 or not _stands_alone(text, start, end):
            continue
        said = _CARD_GROUPS.match(written) or (
            written == digits and _word_before(_CARD_WORD, text, start)
        )
        mine = digits not in published.CARDS and len(set(digits)) > 4
        if said and mine and is_card(digits):
            yield Found(start, end, "a payment card's number", f"…{digits[-2:]}")


def find_accounts(text: str) -> Iterator[Found]:
    """Yield bank accounts (IBAN) with the right length and remainder."""
    for found in _IBAN.finditer(text):
        account = found[0].replace(" ", "")
        if account not in published.ACCOUNTS and is_iban(account):
            yield Found(*found.span(), "a bank account (IBAN)", f"{account[:2]}…")


def find_ids(text: str) -> Iterator[Found]:
    """Yield national ids with their proof and a word before them that says so."""
    for start, written in _numbers(text):
        plain, end = "".join(filter(str.isalnum, written)), start + len(written)
        for kind in _IDS:
            if kind.shape.match(written) and plain not in published.SSNS and kind.check(plain):
                alone = _stands_alone(text, start, end)
                if alone and _word_before(kind.word, text, start):
                    yield Found(start, end, kind.what, f"…{plain[-2:]}")
                    break


def _only_digits(number: str) -> str:
    return "".join(char for char in number if "0" <= char <= "9")


def _word_before(word: re.Pattern[str], text: str, start: int) -> bool:
    """Whether a word stands shortly before, and no other number between."""
    at = start
    while at > max(0, start - _BEFORE) and not text[at - 1].isdigit():
        at -= 1
    return word.search(text, at, start) is not None


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Whether no longer number, name or formula is cut."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    joined = before[-1:].isalnum() or before[-1:] in _JOINS
    goes_on = after[:1].isalnum() or after[:1] in _GOES_ON or after[1:].isdigit()
    continues = before[:1].isdigit() and before[-1:] in (" ", "-")
    return not ((before and joined) or (after and goes_on) or continues)

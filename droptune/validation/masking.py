"""Hides what looks like a secret or a person's data in a text that is to be shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

from droptune.validation.rules.email_patterns import find_addresses
from droptune.validation.rules.found import Found
from droptune.validation.rules.number_patterns import (
    find_accounts,
    find_cards,
    find_ids,
    find_phones,
)
from droptune.validation.rules.secret_patterns import (
    find_address_passwords,
    find_keys,
    find_passwords,
    find_private_keys,
)

MASK = "[masked]"
_FINDERS = (
    find_private_keys,
    find_keys,
    find_passwords,
    find_address_passwords,
    find_addresses,
    find_cards,
    find_accounts,
    find_ids,
    find_phones,
)
_SECRET = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"
    r"|(?<=AccountKey=)[^;\s\"']+|(?<=SharedAccessKey=)[^;\s\"']+|(?<=SharedAccessSignature=)\S+"
    r"|(?<=Bearer )[\w.~+/=-]{8,}"
    r"|(?<=[?&]sig=)[^&\s\"']+|(?<=[?&]code=)[^&\s\"']+|(?<=[?&]key=)[^&\s\"']+"
    r"|(?<=://)[^/\s:@]+:[^/\s:@]+(?=@)"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"
    r"|\b(?:sk|rk|pk|ghp|gho|ghu|ghs|ghr|xox[abprs]|glpat|hf|npm|pypi)[-_][\w-]{12,}"
    r"|\b(?:github_pat_\w{20,}|AKIA[A-Z0-9]{12,}|AIza[\w-]{30,})"
    r"|(?:(?<=password)|(?<=passwd)|(?<=pwd)|(?<=secret)|(?<=token)|(?<=api_key)|(?<=apikey))"
    r"[\"']?\s*[:=]\s*[\"']?[^\s\"',;&]{6,}"
    r"|(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|\b\d(?:[ ().-]{0,2}\d){8,}\b"
    r"|\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b",
    re.I | re.S,
)
_TOKEN = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")


def mask(text: str) -> str:
    """Return a text without keys, tokens, passwords, mail addresses and long numbers.

    Hides what the rules on secrets and personal data find, and rather too much besides: what is
    shown is stored with the report.
    """
    parts, at = [], 0
    for start, end in _joined(text):
        parts += [text[at:start], MASK]
        at = end
    return _TOKEN.sub(_random, _SECRET.sub(MASK, "".join([*parts, text[at:]])))


def _random(found: re.Match[str]) -> str:
    """Hide a long word that mixes letters and digits as only a machine does."""
    word = found[0]
    kinds = (str.isupper, str.islower, str.isdigit)
    mixed = sum(any(kind(char) for char in word) for kind in kinds)
    digits = sum(char.isdigit() for char in word)
    return MASK if digits >= 3 and (mixed == 3 or digits * 5 >= len(word)) else word


def _joined(text: str) -> list[tuple[int, int]]:
    """Return where the rules find something, in order, overlapping spans as one."""
    spans: list[tuple[int, int]] = []
    for found in sorted(_found(text)):
        if spans and found.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], found.end))
        else:
            spans.append((found.start, found.end))
    return spans


def _found(text: str) -> Iterator[Found]:
    for find in _FINDERS:
        yield from find(text)

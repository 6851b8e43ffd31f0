"""How keys and tokens look, and which of those that look so are none.

Each pattern is bounded, so that a search costs what reading costs.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote

from droptune.validation.rules.found import Found
from droptune.validation.rules.placeholders import (
    entropy,
    is_common_password,
    is_placeholder,
    looks_random,
)

_CLAIMS = frozenset(("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "email"))


class _Key(NamedTuple):
    """A kind of key.

    Attributes:
        sign: a text that stands in each of them, sought first.
        pattern: the key; the group `body` is what was drawn at random.
    """

    what: str
    sign: str
    pattern: re.Pattern[str]
    check: Callable[[str], bool] = looks_random


def _key(what: str, sign: str, pattern: str, check: Callable[[str], bool] = looks_random) -> _Key:
    return _Key(what, sign, re.compile(pattern, re.ASCII), check)


def _has_header(token: str) -> bool:
    """Whether a JSON Web Token names an algorithm and is none that manuals print."""
    header, payload = (_decoded(part) for part in token.split(".")[:2])
    if "alg" not in header:
        return False
    return not _CLAIMS.isdisjoint(payload) and payload.get("sub") != "1234567890"


def _is_mixed(body: str) -> bool:
    """Whether letters alone look drawn."""
    return entropy(body) > 3.6 and not body.islower()


def _decoded(part: str) -> dict[str, object]:
    try:
        found = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


KEY_SIGNS = (
    rb"A(?:KIA|SIA)[A-Z2-7]{16}",
    rb"AIza[\w-]{35}",
    rb"Acc(?:ount|ess)Key=",
    rb"sig=(?:[\w+/-]|%[0-9A-Fa-f]{2}){40}",
    rb"gh[pousr]_[A-Za-z0-9]{36}",
    rb"github_pat_",
    rb"glpat-[\w-]{20}",
    rb"xox[abeprs]-[0-9]{6}",
    rb"sk-[\w-]{32}",
    rb"k_live_",
    rb"npm_[A-Za-z0-9]{36}",
    rb"hf_[A-Za-z]{34}",
    rb"SG\.[\w-]{22}",
    rb"eyJ[\w-]{10}",
)
"""One of them is in each line that holds a key; see `Rule.signs`."""

PASSWORD_SIGNS = (
    rb"(?:ass(?:word|wd)|ASS(?:WORD|WD)|pi[_-]?[Kk]ey|PI[_-]?KEY|ecret(?:[_-]?[Aa]ccess)?"
    rb"(?:[_-]?[Kk]ey)?|ECRET(?:_ACCESS)?(?:_KEY)?)"
    rb"(?:[\"'`\]*\\ \tt]|u00[26][27d0]){0,16}(?:[:=]|is)",
)
"""The same of what is assigned; quotes and tabs may be written as escapes."""

ADDRESS_SIGNS = (rb":(?:\\?/){2}[^\s\"@]*@",)
"""The same of an address with a password."""

_KEYS = (
    _key("an AWS access key", "IA", r"\b(?:AKIA|ASIA)(?P<body>[A-Z2-7]{16})\b"),
    _key("a Google API key", "AIza", r"\bAIza(?P<body>[\w-]{35})(?![\w-])"),
    _key("an Azure account key", "AccountKey=", r"AccountKey=(?P<body>[A-Za-z0-9+/]{86}==)"),
    _key("an Azure access key", "AccessKey=", r"AccessKey=(?P<body>[A-Za-z0-9+/]{40,90}={0,2})"),
    _key(
        "a shared access signature",
        "sig=",
        r"[?&;]sig=(?P<body>(?:[\w+/-]|%[0-9A-Fa-f]{2}){40,120})",
    ),
    _key("a GitHub token", "_", r"\bgh[pousr]_(?P<body>[A-Za-z0-9]{36,255})\b"),
    _key("a GitHub token", "github_pat_", r"\bgithub_pat_(?P<body>[A-Za-z0-9]{22}_\w{59})\b"),
    _key("a GitLab token", "glpat-", r"\bglpat-(?P<body>[\w-]{20,64})(?![\w-])"),
    _key("a Slack token", "xox", r"\bxox[abeprs]-(?P<body>(?:[0-9]{6,14}-){1,4}\w{16,64})\b"),
    _key("an OpenAI key", "sk-", r"\bsk-(?:proj|svcacct|admin|None)-(?P<body>[\w-]{40,220})"),
    _key("an Anthropic key", "sk-ant-", r"\bsk-ant-[a-z0-9]{3,10}-(?P<body>[\w-]{60,140})"),
    _key("an API key", "sk-", r"\bsk-(?P<body>[A-Za-z0-9]{32,64})(?![\w-])"),
    _key("a Stripe key", "k_live_", r"\b[rs]k_live_(?P<body>[A-Za-z0-9]{20,247})\b"),
    _key("an npm token", "npm_", r"\bnpm_(?P<body>[A-Za-z0-9]{36})\b"),
    _key("a Hugging Face token", "hf_", r"\bhf_(?P<body>[A-Za-z]{34})\b", _is_mixed),
    _key("a SendGrid key", "SG.", r"\bSG\.(?P<body>[\w-]{22}\.[\w-]{43})(?![\w-])"),
    _key(
        "a JSON Web Token",
        "eyJ",
        r"\b(?P<body>eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{20,1000})",
        _has_header,
    ),
)
_PEM = re.compile(r"-----BEGIN (?P<kind>[A-Z ]{0,20}PRIVATE KEY(?: BLOCK)?)-----")
_LONGEST_PEM = 8_000
_BASE64 = re.compile(r"[A-Za-z0-9+/]{60,}")
_WORD = (
    r"[PpAaSs](?:ass(?:word|wd)|ASS(?:WORD|WD)|pi[_-]?[Kk]ey|PI[_-]?KEY"
    r"|ecret(?:[_-]?[Aa]ccess)?(?:[_-]?[Kk]ey)?|ECRET(?:_ACCESS)?(?:_KEY)?)"
)
_ASSIGNED = re.compile(
    rf"(?P<word>{_WORD})[\"'`\]*]{{0,4}}[ \t]{{0,4}}(?:=>|:=|[:=]| is:?)[*]{{0,2}}[ \t]{{0,4}}"
    r"(?P<quote>[\"'`]?)(?P<value>[^\s\"'`<>,;()\[\]{}|\\]{8,200})(?P<next>.?)"
)
_IN_ADDRESS = re.compile(
    r"://[^\s:/@\"'<>]{1,64}:(?P<value>[^\s:/@\"'<>{}$]{6,128})@(?P<host>[\w.-]{3,100})"
)
_NEXT_FIELD = re.compile(r"&\w{1,40}=")
_SIGNS = frozenset("!@#$%^&*+?~")
_TOKEN = re.compile(r"[A-Za-z0-9+/_=-]+")
_EXPRESSION = re.compile(r"[A-Za-z_]\w*(?:[./:-]+[A-Za-z_]\w*)*=*\Z")


def find_keys(text: str) -> Iterator[Found]:
    """Yield keys and tokens whose kind can be told by how they begin."""
    for key in _KEYS:
        if key.sign in text:
            for found in key.pattern.finditer(text):
                body = found["body"]
                if not is_placeholder(body) and key.check(body):
                    yield _found(found, "body", key.what)


def find_private_keys(text: str) -> Iterator[Found]:
    """Yield private keys that have a body, not only the lines around it."""
    for found in _PEM.finditer(text) if "PRIVATE KEY" in text else ():
        end = text.find("-----", found.end(), found.end() + _LONGEST_PEM)
        end = min(len(text), found.end() + _LONGEST_PEM) if end < 0 else end
        rows = _BASE64.findall(text[found.end() : end].replace("\\n", "\n"))
        if any(not is_placeholder(row) and looks_random(row) for row in rows):
            yield Found(found.start(), end, f"a {found['kind'].lower().strip()}", "")


def find_passwords(text: str) -> Iterator[Found]:
    """Yield values that are assigned to a password, secret or key and look like one."""
    for found in _ASSIGNED.finditer(text):
        value = _NEXT_FIELD.split(found["value"])[0]
        value = value if found["quote"] else value.rstrip(".?:")
        known = next(find_keys(value), None)
        if found["next"] not in ("(", "[", "{") and not known and is_strong(value):
            end = found.start("value") + len(value)
            yield Found(found.start("value"), end, f"a value for {found['word']}", "")


def find_address_passwords(text: str) -> Iterator[Found]:
    """Yield passwords inside addresses, such as those of databases."""
    for found in _IN_ADDRESS.finditer(text):
        value, host = unquote(found["value"]), found["host"]
        local = host.startswith(("localhost", "127.")) or "example" in host
        drawn = len(value) >= 8 and looks_random(value)
        if drawn and not local and not is_common_password(value):
            yield Found(*found.span("value"), "a password in an address", "")


def is_strong(value: str) -> bool:
    """Whether a value may be a password that somebody uses, not a word, a name or an expression."""
    if len(value) < 8 or "://" in value or is_common_password(value):
        return False
    if _EXPRESSION.match(value) or not any(char in _SIGNS for char in value):
        return _is_token(value)
    digits, uppers = any(map(str.isdigit, value)), any(map(str.isupper, value))
    lowers = any(map(str.islower, value))
    starts_well = value[0] not in "$%/.-&"
    return starts_well and digits and (uppers or lowers) and entropy(value) >= 2.75


def _is_token(value: str) -> bool:
    """Whether a value is long, without signs, and changes often between letters and digits."""
    changes = sum(a.isdigit() != b.isdigit() for a, b in pairwise(value))
    plain = _TOKEN.fullmatch(value) is not None
    return plain and len(value) >= 16 and changes >= 5 and looks_random(value)


def _found(found: re.Match[str], group: str, what: str) -> Found:
    """Return a place whose public beginning may be shown; of a token without one, nothing."""
    start, end = found.span(group)
    return Found(start, end, what, text_before(found, group))


def text_before(found: re.Match[str], group: str) -> str:
    """Return what of a match stands before a group."""
    return found[0][: found.start(group) - found.start()]

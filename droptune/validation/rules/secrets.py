"""Keys, tokens and passwords in the data: a model repeats what it has learned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from droptune.domain.findings import Severity
from droptune.validation.rules.example import Example
from droptune.validation.rules.fixtures import assistant, call, calling, chat, user
from droptune.validation.rules.found import Found, first_of
from droptune.validation.rules.registry import Case, Family, Place, case
from droptune.validation.rules.secret_patterns import (
    ADDRESS_SIGNS,
    KEY_SIGNS,
    PASSWORD_SIGNS,
    find_address_passwords,
    find_keys,
    find_passwords,
    find_private_keys,
)
from droptune.validation.rules.strings import strings_of

rules = Family("secrets")
Finder = Callable[[str], Iterable[Found]]
FIX = "Remove it from the data, and revoke it where it is valid."
DRAWN = "h7Qm2ZxB9vT4kLw8RfYp3NcJ6sGd1XaE5uKe"


def said_in(content: str, **request: Any) -> Case:
    """Return a case with one text that a user writes."""
    return case(chat(user(content), assistant()), **request)


@rules.example(
    "access-key",
    Severity.WARNING,
    says="A text holds a key or token of a known kind: AWS, Azure, Google, GitHub, Slack, OpenAI "
    "and others, by how they begin.",
    fix=FIX,
    signs=KEY_SIGNS,
    fails=case(chat(user(), calling(call(f'{{"q": "ghp_{DRAWN}"}}')), tools=[])),
    passes=said_in("Set AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE and token ghp_" + "x" * 36),
)
def access_key(example: Example) -> Iterator[Place]:
    """Yield a place for each text with such keys, of which only the public beginning is shown."""
    yield from places(example, find_keys)


@rules.example(
    "private-key",
    Severity.WARNING,
    says="A text holds a private key in PEM form.",
    fix=FIX,
    signs=(b"PRIVATE KEY",),
    fails=said_in(
        "-----BEGIN PRIVATE KEY-----\n" + (DRAWN + DRAWN[::-1])[:64] + "\n-----END PRIVATE KEY-----"
    ),
    passes=said_in("-----BEGIN PRIVATE KEY-----\nMIIEvQ...\n-----END PRIVATE KEY-----"),
)
def private_key(example: Example) -> Iterator[Place]:
    """Yield a place for each text with a key that has a body."""
    yield from places(example, find_private_keys)


@rules.example(
    "password",
    Severity.WARNING,
    says="A password, secret or key is assigned a value that looks like a real one.",
    fix=FIX,
    signs=PASSWORD_SIGNS,
    fails=said_in("login: ada, password: " + "vR7#qm2!Zk"),
    passes=said_in("password = get_password(user); password=<your-password>; password: P@ssw0rd1"),
)
def password(example: Example) -> Iterator[Place]:
    """Yield a place for each text with such values, which are never shown."""
    yield from places(example, find_passwords)


@rules.example(
    "password-in-address",
    Severity.WARNING,
    says="An address holds user and password.",
    fix=FIX,
    signs=ADDRESS_SIGNS,
    fails=said_in("Use postgres://ada:" + "vR7qm2Zk9" + "@db.contoso-sales.net/orders"),
    passes=said_in("Use postgres://user:password@localhost/orders"),
)
def password_in_address(example: Example) -> Iterator[Place]:
    """Yield a place for each text with such addresses."""
    yield from places(example, find_address_passwords)


def places(example: Example, find: Finder) -> Iterator[Place]:
    """Yield a place for each text in which something is found; the first of a text is named."""
    for text in strings_of(example):
        found, more = first_of(find(text.text))
        if found:
            shown = f" ({found.shown}…)" if found.shown else ""
            yield Place(message=f"the text holds {found.what}{shown}{more}", path=text.path)

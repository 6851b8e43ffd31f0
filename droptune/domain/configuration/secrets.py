"""What looks like a key or token in a configuration file, and how a message leaves it out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = re.compile(r"(api[-_]?key|secret|password|token|credential|connection[-_]?string)$", re.I)
_VALUE = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}"  # OpenAI
    r"|AccountKey=|SharedAccess(Key|Signature)"  # Azure connection strings
    r"|[?&](sig|code|token|api[-_]?key)=[^&\s]{8,}"  # signed and keyed URLs
    r"|\beyJ[\w-]{10,}\.[\w-]{10,}\."  # a JSON Web Token
    r"|\bBearer +[\w.~+/-]{16,}"
    r"|\b[A-Za-z0-9]{52}JQQJ9[9D]"  # Azure AI services
    r"|[A-Za-z0-9+/]{86}=="  # storage, Service Bus, Cosmos DB
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bAKIA[A-Z0-9]{16}\b|\bxox[abprs]-[\w-]{10,}"
    r"|hooks\.slack\.com/services/\w"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|://[^/\s:@]+:[^/\s:@]+@",  # a URL with a password
    re.I,
)
_SHOWN = 40
_LONGEST_PATH = 200


def is_secret(text: str) -> bool:
    """Whether a text looks like a key or token."""
    return _VALUE.search(text) is not None


def shown(text: str, length: int = _SHOWN) -> str:
    """Return a text as a message shows it: short, without control characters, never a secret."""
    return "…" if is_secret(text) else _printable(text[:length])


def shown_path(path: str) -> str:
    """Return a path as a finding shows it: a key that is a secret ends it."""
    found = _VALUE.search(path)
    kept = path[: path.rfind(".", 0, found.start() + 1) + 1] + "…" if found else path
    return _printable(kept[:_LONGEST_PATH])


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else "�" for char in text)


def find_secrets(value: Any, path: str = "") -> Iterator[str]:
    """Iterate over the paths in a document at which something looks like a key or token."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            where = f"{path}.{key}" if path else str(key)
            if is_secret(str(key)) or (
                _NAME.search(str(key)) and isinstance(item, str) and item.strip()
            ):
                yield where
            else:
                yield from find_secrets(item, where)
    elif isinstance(value, list | tuple):
        for position, item in enumerate(value):
            yield from find_secrets(item, f"{path}[{position}]")
    elif isinstance(value, str) and is_secret(value):
        yield path

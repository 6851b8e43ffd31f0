"""What stands in documentation where a secret would stand, and how random a text looks."""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

_WORDS = (
    "example", "sample", "placeholder", "dummy", "fake", "redact", "change", "your", "xxxx",
    "0000000", "insert", "replace", "secret", "token", "mytok", "test", "demo", "none", "null",
    "todo", "...", "…", "***", "abcdef", "123456", "qwerty", "invalid", "notreal", "deadbeef",
    "hunter2", "foobar", "<", "${", "{{", "%s", "$(", "mykey", "apikey", "api_key", "key_here",
    "never", "snakeoil", "swordfish", "letmein", "welcome", "monkey", "dragon",
)  # fmt: skip
_LEET = str.maketrans("@0$13457!", "aosleasti")
_PUBLISHED = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsu",  # Azurite's
    "C2y6yDjf5/R+ob0N8A7Cgv30VRDJIWEHLM+4QDU5DE2nQ9nD",  # the Cosmos DB emulator's
)


def is_placeholder(value: str) -> bool:
    """Whether a value is one that nobody keeps to himself: published, a stand-in, a pattern."""
    if value.startswith(_PUBLISHED):
        return True
    low = value.lower()
    return any(word in low for word in _WORDS) or _is_pattern(value)


def is_common_password(value: str) -> bool:
    """Whether a password is a stand-in, read also with digits for letters (`P4ssw0rd`)."""
    spelled = value.lower().translate(_LEET)
    return is_placeholder(value) or any(
        word in spelled for word in ("password", "passwd", "passw", "secret", "changeme", "admin")
    )


def _is_pattern(value: str) -> bool:
    """Whether characters repeat or count up, as fingers on a keyboard do."""
    if len(value) >= 16 and len(set(value)) < 9:
        return True
    steps = sum(abs(ord(a) - ord(b)) <= 1 for a, b in pairwise(value))
    return steps * 3 > len(value)


def entropy(value: str) -> float:
    """Return the Shannon entropy of a value's characters, in bits a character."""
    counts, n = Counter(value), len(value)
    return -sum(times / n * math.log2(times / n) for times in counts.values())


def looks_random(value: str) -> bool:
    """Whether a token's body may have been drawn: letters and digits, mixed, few repeated."""
    return (
        any(char.isdigit() for char in value)
        and any(char.isalpha() for char in value)
        and entropy(value) >= min(3.2, math.log2(len(value)) - 0.8)
    )

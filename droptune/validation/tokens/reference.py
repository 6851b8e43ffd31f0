"""tiktoken: the reference, and what counts where nothing faster does."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from droptune.validation.tokens.vocabulary import ENCODINGS

if TYPE_CHECKING:
    from tiktoken import Encoding

PIECE = 100_000


@cache
def load_encoding(name: str) -> Encoding:
    """Return an encoding from the pinned package's vocabulary.

    Raises ValueError when the vocabulary is not the published one.
    """
    from tiktoken import Encoding

    vocabulary = ENCODINGS[name]
    pairs = (line.split() for line in vocabulary.ranks().splitlines() if line)
    return Encoding(
        name,
        pat_str=vocabulary.pattern,
        mergeable_ranks={base64.b64decode(token): int(rank) for token, rank in pairs},
        special_tokens=dict(vocabulary.special),
    )


class ReferenceCounter:
    """Counts with tiktoken; the text of special tokens counts as text."""

    name = "tiktoken"

    def __init__(self, encoding: str) -> None:
        """Count with an encoding, which is loaded at the first count."""
        self.encoding = encoding
        self.estimates = 0

    def count(self, text: str) -> int:
        """Return the number of tokens of a text.

        A text that tiktoken cannot take is counted in pieces; `estimates` says how often.
        """
        encoding = load_encoding(self.encoding)
        try:
            return len(encoding.encode_ordinary(text))
        except BaseException as error:
            if not is_panic(error):
                raise
        self.estimates += 1
        return count_in_pieces(text, lambda piece: len(encoding.encode_ordinary(piece)))

    def count_many(self, texts: list[str]) -> list[int]:
        """Return the number of tokens of each text."""
        return [self.count(text) for text in texts]

    def count_beside(self, texts: list[str]) -> list[int]:
        """Return the same; tiktoken lets other threads run while it counts."""
        return self.count_many(texts)

    def trim(self) -> None:
        """Do nothing: tiktoken keeps nothing of what it counted."""


def count_in_pieces(text: str, count: Callable[[str], int]) -> int:
    """Return the tokens of a text's pieces: at most a few more than those of the whole."""
    return sum(count(text[at : at + PIECE]) for at in range(0, len(text), PIECE))


def is_panic(error: BaseException) -> bool:
    """Whether Rust code gave up; its exception is no Exception (seen: a million blanks)."""
    return type(error).__name__ == "PanicException"

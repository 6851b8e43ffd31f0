"""gigatoken behind two guards: its memory is given back, and what it cannot do tiktoken does."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from itertools import repeat
from operator import contains
from pathlib import Path
from threading import RLock
from typing import Any, TypeVar

from droptune.validation.tokens.reference import ReferenceCounter, is_panic
from droptune.validation.tokens.vocabulary import ENCODINGS

CACHE_BYTES = 176 << 20
# No end of it is its beginning, so that no text can make another of it with its neighbour.
SEPARATOR = "\x00\x01droptune\x02"
_SEPARATOR_ID = 250_000
_BLIND_TRIMS, _LOOKS_EVERY = 48, 4
T = TypeVar("T")
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATM = Path("/proc/self/statm")


class FastCounter:
    """Counts with gigatoken, which remembers every word that it ever saw.

    Threads may share one: it counts for one at a time, as gigatoken refuses two.
    Its memory is given back by loading it anew once the process has grown by `cache_bytes`; where
    the growth cannot be read, every so often.
    """

    name = "gigatoken"

    def __init__(self, encoding: str, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Load the encoding; raises ImportError, OSError or ValueError where that fails."""
        self.encoding = encoding
        self.reloads = 0
        self._reference = ReferenceCounter(encoding)
        self._cache_bytes = cache_bytes
        self._turn = RLock()
        self._load()

    @property
    def estimates(self) -> int:
        """How many texts could only be estimated."""
        return self._reference.estimates

    def count(self, text: str) -> int:
        """Return the number of tokens of a text."""
        if SEPARATOR not in text:
            with self._turn:
                tokens = _attempt(lambda: len(self._backend.encode(text)))
                if tokens is not None:
                    return tokens
                self._load()
        return self._reference.count(text)

    def count_many(self, texts: list[str]) -> list[int]:
        """Return the number of tokens of each text."""
        if not any(map(contains, texts, repeat(SEPARATOR))):
            with self._turn:
                encode = self._backend.encode
                counts = _attempt(lambda: [len(encode(text)) for text in texts])
            if counts is not None:
                return counts
        return [self.count(text) for text in texts]

    def count_beside(self, texts: list[str]) -> list[int]:
        """Return the same, letting other threads run meanwhile: all texts are one call."""
        with self._turn:
            counts = _attempt(lambda: _lengths(self._backend, texts))
        if counts is not None and len(counts) == len(texts):  # else a text holds a separator
            return counts
        return self.count_many(texts)

    def trim(self) -> None:
        """Give memory back if much was taken; cheap, to be called every megabyte or so."""
        self._trims += 1
        if self._trims % _LOOKS_EVERY:
            return
        with self._turn:
            resident = _resident()
            grown = resident - self._loaded_at > self._cache_bytes
            if grown or (not resident and self._trims >= _BLIND_TRIMS):
                self.reloads += 1
                self._load()

    def _load(self) -> None:
        self._backend: Any = None
        try:
            self._backend = load_backend(self.encoding)
            self._backend.encode("warm")
        except BaseException as error:
            if is_panic(error):  # seen: numpy is not installed
                raise ImportError(f"gigatoken cannot count: {error}") from None
            raise
        self._loaded_at = _resident()
        self._trims = 0


def load_backend(encoding: str) -> Any:
    """Return gigatoken's encoder. It knows no special token but our separator, so that the text of
    others counts as text.
    """
    from gigatoken.gigatoken_rs import BPETokenizer

    vocabulary = ENCODINGS[encoding]
    with tempfile.TemporaryDirectory(prefix="droptune-") as folder:
        path = Path(folder) / "ranks.tiktoken"
        path.write_bytes(vocabulary.ranks())
        return BPETokenizer.from_tiktoken(str(path), vocabulary.scheme, {SEPARATOR: _SEPARATOR_ID})


def _lengths(backend: Any, texts: list[str]) -> list[int]:
    """Return how many tokens lie between separators; one row, so that nothing is padded."""
    import numpy as np
    from gigatoken.gigatoken_rs import PadTruncate

    # As bytes: joined as text, one wide character would make all of it wide.
    joined = SEPARATOR.encode().join([text.encode() for text in texts])
    rows, _ = backend.encode_batch_padded([joined], PadTruncate(0), parallel=False)
    ends = np.flatnonzero(rows[0] == _SEPARATOR_ID)
    lengths: list[int] = (np.diff(ends, prepend=-1, append=len(rows[0])) - 1).tolist()
    return lengths


def _attempt(count: Callable[[], T]) -> T | None:
    """Return what a call gives, None if the encoder gives up, in whatever way."""
    try:
        return count()
    except BaseException as error:
        if not isinstance(error, Exception) and not is_panic(error):
            raise
        return None


def _resident() -> int:
    """Return this process's memory in bytes, 0 where that cannot be told."""
    if sys.platform != "linux":
        return 0
    return int(_STATM.read_text().split()[1]) * _PAGE

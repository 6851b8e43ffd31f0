"""gigatoken behind two guards: its memory is given back, and what it cannot do tiktoken does."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sized
from pathlib import Path
from typing import Any

from droptune.validation.tokens.reference import ReferenceCounter, is_panic
from droptune.validation.tokens.vocabulary import ENCODINGS

CACHE_BYTES = 128 << 20
_BLIND_TRIMS = 48
_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATM = Path("/proc/self/statm")


class FastCounter:
    """Counts with gigatoken, which remembers every word that it ever saw.

    Its memory is given back by loading it anew once the process has grown by `cache_bytes`; where
    the growth cannot be read, every so often.
    """

    name = "gigatoken"

    def __init__(self, encoding: str, *, cache_bytes: int = CACHE_BYTES) -> None:
        """Load the encoding; raises ImportError, OSError or ValueError where that fails."""
        self.encoding = encoding
        self.estimates = 0
        self.reloads = 0
        self._reference = ReferenceCounter(encoding)
        self._cache_bytes = cache_bytes
        self._load()

    def count(self, text: str) -> int:
        """Return the number of tokens of a text."""
        try:
            return len(self._encode(text))
        except BaseException as error:
            if not isinstance(error, Exception) and not is_panic(error):
                raise
        self._load()
        return self._reference.count(text)

    def trim(self) -> None:
        """Give memory back if much was taken; cheap, to be called every megabyte or so."""
        self._trims += 1
        resident = _resident()
        grown = resident - self._loaded_at > self._cache_bytes
        if grown or (not resident and self._trims >= _BLIND_TRIMS):
            self.reloads += 1
            self._load()

    def _load(self) -> None:
        self._encode: Callable[[str], Sized] = _no_encoder
        self._encode = load_backend(self.encoding).encode
        self._encode("warm")
        self._loaded_at = _resident()
        self._trims = 0


def load_backend(encoding: str) -> Any:
    """Return gigatoken's encoder; no special tokens, so that their text counts as text."""
    from gigatoken.gigatoken_rs import BPETokenizer

    vocabulary = ENCODINGS[encoding]
    with tempfile.TemporaryDirectory(prefix="droptune-") as folder:
        path = Path(folder) / "ranks.tiktoken"
        path.write_bytes(vocabulary.ranks())
        return BPETokenizer.from_tiktoken(str(path), vocabulary.scheme, {})


def _no_encoder(text: str) -> Sized:
    raise RuntimeError("gigatoken is not loaded")


def _resident() -> int:
    """Return this process's memory in bytes, 0 where that cannot be told."""
    if sys.platform != "linux":
        return 0
    return int(_STATM.read_text().split()[1]) * _PAGE

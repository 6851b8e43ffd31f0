"""Exact token counts with a model's own encoding, without a download."""

from droptune.validation.tokens.counters import TokenCounter, fast_fault, make_counter
from droptune.validation.tokens.reference import load_encoding
from droptune.validation.tokens.vocabulary import DEFAULT_ENCODING, ENCODINGS

__all__ = [
    "DEFAULT_ENCODING",
    "ENCODINGS",
    "TokenCounter",
    "fast_fault",
    "load_encoding",
    "make_counter",
]

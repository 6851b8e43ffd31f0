"""Which counter counts: the fast one where it is installed, else the reference."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from threading import Lock
from typing import Protocol

from droptune.validation.arrays import has_numpy
from droptune.validation.tokens.fast import FastCounter
from droptune.validation.tokens.reference import ReferenceCounter


class TokenCounter(Protocol):
    """Counts tokens; every counter of an encoding gives the same numbers."""

    name: str
    encoding: str

    @property
    def estimates(self) -> int:
        """How many texts could only be estimated."""

    def count(self, text: str) -> int:
        """Return the number of tokens of a text; special tokens' text counts as text."""

    def count_many(self, texts: list[str]) -> list[int]:
        """Return the number of tokens of each text."""

    def count_beside(self, texts: list[str]) -> list[int]:
        """Return the same, letting other threads run meanwhile."""

    def trim(self) -> None:
        """Give memory back if much was taken."""


_one_at_a_time = Lock()


def make_counter(encoding: str, *, fast: bool = True) -> TokenCounter:
    """Return a counter of an encoding; a process keeps it, because it is costly to make.

    Threads that ask at once are given the same one: ten of them would take 600 MiB.
    """
    with _one_at_a_time:
        return made_counter(encoding, fast=fast)


@lru_cache(maxsize=3)
def made_counter(encoding: str, *, fast: bool) -> TokenCounter:
    """Return a counter that is kept, or make it."""
    if fast and not fast_fault():  # Rust gives up with a page of its own on standard error
        try:
            return FastCounter(encoding)
        except (ImportError, OSError):
            pass
    return ReferenceCounter(encoding)


def fast_fault() -> str:
    """Return why the fast counter cannot count though it is installed; "" if nothing is wrong."""
    is_broken = find_spec("gigatoken") is not None and not has_numpy()
    return "gigatoken is installed without numpy, which it needs" if is_broken else ""

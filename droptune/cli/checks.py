"""What `doctor` says of one thing that it looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from droptune.cli.refusals import Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was looked at; `remedy` is empty when all is well."""

    name: str
    well: bool
    message: str
    remedy: str = ""


def yes(name: str, message: str) -> Check:
    """Return that something is well."""
    return Check(name=name, well=True, message=message)


def no(name: str, message: str, remedy: str) -> Check:
    """Return that something is not well, and what would help."""
    return Check(name=name, well=False, message=message, remedy=remedy)


def attempt(name: str, look: Callable[[], str]) -> Check:
    """Return what a look found; a refusal becomes what is not well."""
    try:
        return yes(name, look())
    except Refusal as refusal:
        return no(name, str(refusal), refusal.remedy)

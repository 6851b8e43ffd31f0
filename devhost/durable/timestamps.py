"""What the SDK works out again at each episode, remembered.

The SDK parses the timestamp of every row of a history again at each episode, which is most of a
replay's cost, and makes the same class of named tuples. The same text always gives the same
(immutable) time, and the same names the same class, so each is made once.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any

_MOST_REMEMBERED = 1 << 14
_STAMP = "2026-05-06T07:08:09.100000Z"
_MODELS = "azure.durable_functions.models"


def remember_timestamps() -> None:
    """Let the SDK parse each timestamp once; a second call changes nothing."""
    _remember(f"{_MODELS}.history.HistoryEvent", "dt_parse", _parsed_by)
    _remember(f"{_MODELS}.DurableOrchestrationContext", "parse_timespan_attrib")
    _remember(f"{_MODELS}.TaskOrchestrationExecutor", "namedtuple")


def _remember(
    module: str, name: str, made: Callable[[Any], Any] = lambda function: function
) -> None:
    owner: Any = importlib.import_module(module)
    function = getattr(owner, name)
    if not hasattr(function, "cache_info"):
        setattr(owner, name, lru_cache(maxsize=_MOST_REMEMBERED)(made(function)))


def _parsed_by(parse: Callable[[str], datetime]) -> Callable[[str], datetime]:
    """Return what reads the engine's own stamps as `parse` does, and leaves it all others."""
    zone = parse(_STAMP).tzinfo

    def read(text: str) -> datetime:
        own = len(text) == len(_STAMP) and text.endswith("Z")
        return datetime.fromisoformat(text).replace(tzinfo=zone) if own else parse(text)

    return read

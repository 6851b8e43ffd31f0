"""What the SDK works out again at each episode, remembered.

The SDK parses the timestamp of every row of a history again at each episode, which is most of a
replay's cost, and makes the same class of named tuples. The same text always gives the same
(immutable) time, and the same names the same class, so each is made once.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

_MOST_REMEMBERED = 1 << 14
_MODELS = "azure.durable_functions.models"


def remember_timestamps() -> None:
    """Let the SDK parse each timestamp once; a second call changes nothing."""
    _remember(f"{_MODELS}.history.HistoryEvent", "dt_parse")
    _remember(f"{_MODELS}.TaskOrchestrationExecutor", "namedtuple")


def _remember(module: str, name: str) -> None:
    owner: Any = importlib.import_module(module)
    function = getattr(owner, name)
    if not hasattr(function, "cache_info"):
        setattr(owner, name, lru_cache(maxsize=_MOST_REMEMBERED)(function))

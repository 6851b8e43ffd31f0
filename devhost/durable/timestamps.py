"""The SDK's parser of timestamps, remembered.

The SDK parses the timestamp of every row of a history again at each episode, which is most of a
replay's cost. The same text always gives the same (immutable) time, so it is parsed once.
"""

from __future__ import annotations

import importlib
from functools import lru_cache
from typing import Any

_MOST_REMEMBERED = 1 << 14


def remember_timestamps() -> None:
    """Let the SDK parse each timestamp once; a second call changes nothing."""
    rows: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    if not hasattr(rows.dt_parse, "cache_info"):
        rows.dt_parse = lru_cache(maxsize=_MOST_REMEMBERED)(rows.dt_parse)

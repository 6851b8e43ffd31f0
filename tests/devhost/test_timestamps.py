"""The SDK parses each timestamp once."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import Any

from devhost.durable.timestamps import remember_timestamps


def test_same_text_gives_the_same_time_without_parsing() -> None:
    """What is remembered is what the SDK's parser gave; a second call changes nothing."""
    rows: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    remember_timestamps()
    remembering = rows.dt_parse
    remember_timestamps()

    first = rows.HistoryEvent(12, -1, False, "2026-05-06T07:08:09.100000Z").timestamp
    second = rows.HistoryEvent(12, -1, False, "2026-05-06T07:08:09.100000Z").timestamp

    assert rows.dt_parse is remembering
    assert first is second
    assert first == datetime(2026, 5, 6, 7, 8, 9, 100_000, tzinfo=UTC)

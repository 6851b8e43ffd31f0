"""The SDK parses each timestamp once."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime
from typing import Any

import pytest

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


@pytest.mark.parametrize(
    "text",
    [
        "2026-05-06T07:08:09.123456Z",
        "2026-12-31T23:59:59.000000Z",
        "2026-05-06T07:08:09Z",
        "2026-05-06T07:08:09.1234567Z",
        "2026-05-06T07:08:09+02:00",
    ],
)
def test_time_is_the_one_that_the_sdk_reads(text: str) -> None:
    """The engine's own stamps are read in another way, and mean the same, zone included."""
    rows: Any = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    remember_timestamps()

    read = rows.HistoryEvent(12, -1, False, text).timestamp

    parsed = importlib.import_module("dateutil.parser").parse(text)
    assert (read, read.tzinfo) == (parsed, parsed.tzinfo)

"""Where an engine keeps its state in a test: in memory, and in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from devhost.durable.replay import VirtualClock


@pytest.fixture(params=["memory", "file"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where the database is."""
    return ":memory:" if request.param == "memory" else tmp_path / "hub.sqlite"


@pytest.fixture
def clock() -> VirtualClock:
    """A clock that stands."""
    return VirtualClock()

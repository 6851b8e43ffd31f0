"""What the adapters' tests talk to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.scripted_server import ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A server that answers from a script."""
    with scripted_server() as running:
        yield running

"""What the tests of the command line are given."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.canned_app import CannedApp, canned_app


@pytest.fixture
def app() -> Iterator[CannedApp]:
    """A server with canned answers."""
    with canned_app() as app:
        yield app

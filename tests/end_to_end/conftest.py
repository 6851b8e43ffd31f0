"""A whole installation, as `up` starts it, shared by the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from droptune.cli.local_app import ROOT, LocalApp
from droptune.cli.refusals import Refusal
from droptune.cli.storage import azurite_command
from tests.end_to_end.line import Line

FAST = 200
"""Seconds at the service for each real one: half an hour of training takes nine seconds."""


def has_azurite() -> bool:
    """Whether Azurite can be started here."""
    try:
        return all(Path(part).exists() for part in azurite_command(ROOT))
    except Refusal:
        return False


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """Storage, the local Azure OpenAI and the host, all running."""
    if not has_azurite():
        pytest.skip("Azurite is not set up; see AZURITE")
    state = tmp_path_factory.mktemp("installation")
    with LocalApp(state=state, time_scale=FAST) as app:
        yield Line(app)

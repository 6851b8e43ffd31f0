"""Host and service really killed, again and again, while datasets are under way."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.killing import Ordeal, audit
from tests.end_to_end.line import Line

KILLS = 30


@pytest.mark.timeout(600)
def test_killed_again_and_again_every_drop_is_paid_for_once(line: Line, tmp_path: Path) -> None:
    """After thirty kills every run has ended promoted, with one job each and nothing left over."""
    ordeal = Ordeal(line=line, folder=tmp_path, seed=6)

    ordeal.suffer(KILLS)
    ended = ordeal.end()

    assert ordeal.killed.total() >= KILLS
    assert audit(line, ended) == []

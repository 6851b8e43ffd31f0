"""Many datasets dropped at once."""

from __future__ import annotations

from benchmarks.load import drop_at_once
from tests.end_to_end.line import Line

DATASETS = 50
MOST_MIB = 700


def test_fifty_datasets_dropped_at_once_all_end(line: Line) -> None:
    """None is lost, every status is answered, and the host's memory stays bounded."""
    load = drop_at_once(line.app, datasets=DATASETS, timeout_seconds=120)

    assert load.lost == 0
    assert load.answers.unanswered == []
    assert set(load.phases.values()) == {"succeeded"}
    assert max(load.host_mib, default=0.0) < MOST_MIB

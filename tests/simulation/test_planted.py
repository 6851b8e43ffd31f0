"""The checks can fail: faults planted in the product are seen."""

from __future__ import annotations

import pytest

from simulation.planted import MOST_SEEDS, search
from simulation.plants import NAMES, PLANTS

CHEAP = {
    "a paid job is not adopted": "one job a training",
    "submission is not serialised": "one job a training",
    "the lease is not released": "leases are let go",
    "the record is written without if_match": "status goes forward",
    "the deployment is not asked before it is promoted": "champion has answered",
    "training data is logged": "nothing leaks",
    "nothing is reserved": "within budget",
    "files are not deleted": "no file is left",
}


@pytest.mark.parametrize(("name", "check"), CHEAP.items())
def test_planted_fault_is_seen_by_the_check_that_guards_it(name: str, check: str) -> None:
    """Each within a few seeds; `python -m simulation.planted` shows all of them."""
    seeds, seen = search(name, 500_000, most=20)

    assert seen == check
    assert seeds <= MOST_SEEDS


def test_planted_fault_is_gone_afterwards() -> None:
    """What was broken for a while is whole again."""
    plant = NAMES["a paid job is not adopted"]
    module = __import__(plant.place[0], fromlist=["_adopt"])
    before = module._adopt

    with plant.planted():
        broken = module._adopt

    assert broken is not before
    assert module._adopt is before


def test_there_are_twenty_faults_and_more_with_names_of_their_own() -> None:
    """The table is as long as it is said to be."""
    assert len(NAMES) == len(PLANTS) >= 20

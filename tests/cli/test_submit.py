"""Finding the run that a drop leads to."""

from __future__ import annotations

from typing import Any

import pytest

from droptune.cli.app_client import AppClient
from droptune.cli.folders import LocalDataset
from droptune.cli.refusals import Refusal
from droptune.cli.taking_up import FOUND_WITHIN_SECONDS, wait_for_run
from droptune.domain.dataset import DatasetRef
from tests.cli.canned_app import CannedApp
from tests.cli.test_follow import Clock

DATASET = LocalDataset(ref=DatasetRef(project="bot", version="v1"), files=())
ROUTE = "GET /api/datasets/bot/v1"


def shown(state: str, *runs: str) -> dict[str, Any]:
    """Return a dataset as its route shows it."""
    return {"state": state, "message": f"It is {state}.", "runs": [{"id": run} for run in runs]}


def found(app: CannedApp, clock: Clock) -> str:
    """Return the id of the run that is found."""
    client = AppClient(app.url)
    run = wait_for_run(client, DATASET, every=1, sleep=clock.sleep, clock=clock)
    return str(run["id"])


def test_a_dataset_that_settles_leads_to_its_newest_run(app: CannedApp) -> None:
    """An older run of the same dataset is not taken for the new one while the files settle."""
    app.answer(ROUTE, {"detail": "unknown"}, 404)
    app.answer(ROUTE, shown("settling", "old"))
    app.answer(ROUTE, shown("started", "new", "old"))

    assert found(app, Clock()) == "new"


def test_a_dataset_that_lay_there_before_is_asked_for(app: CannedApp) -> None:
    """What was seen at installation starts only on request, and submitting is one."""
    app.answer(ROUTE, shown("seen"))
    app.answer(ROUTE, shown("started", "r"))
    app.answer("POST /api/runs", {"id": "r"}, 202)

    assert found(app, Clock()) == "r"
    assert app.asked[1].body == {"dataset": "bot/v1"}


def test_a_dataset_that_is_not_taken_up_says_where_it_lies(app: CannedApp) -> None:
    """Nothing is lost when the app is slow: the refusal says so and names the address."""
    app.answer(ROUTE, shown("settling"))
    clock = Clock()

    with pytest.raises(Refusal, match="It is settling") as raised:
        found(app, clock)

    assert clock.now == FOUND_WITHIN_SECONDS
    assert "/api/datasets/bot/v1" in raised.value.remedy

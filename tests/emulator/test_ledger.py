"""The ledger: everything ever created, and what it would have cost."""

from __future__ import annotations

import pytest

from emulator.models import find_base_model
from tests.emulator.resources import Resource, chat_data


def test_new_resource_has_an_empty_ledger(resource: Resource) -> None:
    """The deployments it begins with are nobody's purchase."""
    ledger = resource.ledger()

    assert (ledger["files"], ledger["jobs"], ledger["deployments"], ledger["usd"]) == (
        [],
        [],
        [],
        0,
    )


def test_training_costs_tokens_times_price(resource: Resource) -> None:
    """Tokens of the file times epochs at the model's price."""
    job = resource.trained(suffix="a-mark")

    [entry] = resource.ledger()["jobs"]

    model = find_base_model("gpt-4.1-mini")
    assert model is not None
    assert model.train_per_million is not None
    assert (entry["id"], entry["suffix"], entry["status"]) == (job.id, "a-mark", "succeeded")
    assert entry["billed_tokens"] == job.trained_tokens
    expected = entry["billed_tokens"] * model.train_per_million / 1e6
    assert entry["usd"] == pytest.approx(expected, abs=1e-6)


def test_developer_training_costs_half(resource: Resource) -> None:
    """The same tokens on the developer tier."""
    resource.trained()
    resource.trained(extra_body={"trainingType": "developerTier"})

    full, half = (entry["usd"] for entry in resource.ledger()["jobs"])

    assert half == pytest.approx(full / 2, abs=1e-6)


def test_cancelled_job_costs_what_was_trained(resource: Resource) -> None:
    """Nothing while it waits, a part while it runs; a failed job costs nothing."""
    file_id = resource.processed()
    waiting = resource.create_job(file_id)
    resource.v1.fine_tuning.jobs.cancel(waiting.id)
    running = resource.create_job(file_id)
    resource.advance(80)
    resource.v1.fine_tuning.jobs.cancel(running.id)
    resource.fault("job", "fail", when=0.9)
    resource.trained()
    resource.trained()

    cancelled, part, failed, whole = (each["billed_tokens"] for each in resource.ledger()["jobs"])

    assert cancelled == failed == 0
    assert 0 < part < whole


def test_hosting_costs_by_the_hour(resource: Resource) -> None:
    """From Succeeded until it is deleted; the developer tier is free."""
    model = resource.trained().fine_tuned_model
    assert model is not None
    resource.put("standard", model)
    resource.put("developer", model, sku="DeveloperTier")
    resource.advance(60 + 10 * 3600)
    resource.arm("DELETE", "/deployments/standard")
    resource.advance(10 * 3600)

    ledger = resource.ledger()

    standard, developer = ledger["deployments"]
    assert standard["usd"] == pytest.approx(17)
    assert (standard["state"], standard["billed_hours"]) == ("Deleted", 10)
    assert (developer["usd"], developer["billed_hours"]) == (0, 20)
    assert ledger["usd"] == pytest.approx(17 + ledger["jobs"][0]["usd"])


def test_deleted_things_stay_in_the_ledger(resource: Resource) -> None:
    """Deleting does not undo."""
    file = resource.upload(chat_data())
    resource.v1.files.delete(file.id)

    [entry] = resource.ledger()["files"]

    assert (entry["id"], entry["status"]) == (file.id, "deleted")
    assert entry["deleted_at"]

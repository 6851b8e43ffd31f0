"""The published examples of the dated contract, asked and held against the answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulator.published import Contract, find_contract
from tests.emulator.resources import PREVIEW, SPECS, Resource


def example(name: str) -> Any:
    """Return a published example."""
    path = SPECS / "azure-rest-api-specs-examples" / f"{name}.json"
    if not path.is_file():
        pytest.skip("the published examples are not beside this clone")
    return json.loads(path.read_text())


def contract() -> Contract:
    """Return the published v1 contract."""
    found = find_contract()
    if found is None:
        pytest.skip("the published contract is not beside this clone")
    return found


def dated(resource: Resource, method: str, path: str, body: Any = None) -> Any:
    """Send a request to the dated surface."""
    return resource.send(method, f"/openai{path}", params={"api-version": PREVIEW}, json=body)


def test_import_answers_as_published(resource: Resource) -> None:
    """201, Location, and every field of the example; the URL is one that cannot be read."""
    published = example("import_file")
    asked = published["parameters"]["fileImport"] | {"content_url": "http://127.0.0.1:9/puppy"}
    expected = published["responses"]["201"]

    answer = dated(resource, "POST", "/files/import", asked)

    body = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/openai/files/{body['id']}")
    assert _same(body, expected["body"], but=("id", "created_at"))


def test_file_is_shown_as_published(resource: Resource) -> None:
    """The same fields with values of the same kind."""
    expected = example("get_file")["responses"]["200"]["body"]
    file_id = resource.processed()

    body = dated(resource, "GET", f"/files/{file_id}").json()

    assert set(body) == set(expected)
    assert _same(body, expected, but=("id", "created_at", "bytes", "filename"))


def test_job_is_created_as_published(resource: Resource) -> None:
    """201, Location, and every field of the example, integrations and method among them.

    The example's model is not offered any more, and the service wants a training type.
    """
    published = example("post_finetuning_job")
    asked = published["parameters"]["fineTuningJob"] | {
        "model": "gpt-4.1-mini",
        "training_file": resource.processed(),
        "trainingType": "GlobalStandard",
    }
    expected = published["responses"]["201"]["body"]

    answer = dated(resource, "POST", "/fine_tuning/jobs", asked)

    body = answer.json()
    changed = ("id", "created_at", "model", "training_file", "hyperparameters")
    assert answer.status_code == 201
    assert answer.headers["location"].endswith(f"/openai/fine_tuning/jobs/{body['id']}")
    assert body["hyperparameters"]["n_epochs"] == expected["hyperparameters"]["n_epochs"]
    assert _same(body, expected, but=changed)


def test_job_is_paused_as_published(resource: Resource) -> None:
    """200 with the job. Differs: `pausing` comes first, and nothing has finished."""
    expected = example("pause_finetuning_job")["responses"]["200"]["body"]
    job = resource.create_job(
        method={"type": "supervised"}, integrations=[{"type": "wandb", "wandb": {"project": "p"}}]
    )
    resource.advance(70)

    answer = dated(resource, "POST", f"/fine_tuning/jobs/{job.id}/pause")

    assert answer.status_code == 200
    assert answer.json()["status"] == "pausing"
    assert set(expected) - set(answer.json()) == {"finished_at"}


def test_fine_tuned_model_is_shown_as_published(resource: Resource) -> None:
    """The same fields and the same capabilities."""
    expected = example("get_model_finetune")["responses"]["200"]["body"]
    model = resource.trained().fine_tuned_model

    body = dated(resource, "GET", f"/models/{model}").json()

    assert set(body) == set(expected)
    assert set(body["capabilities"]) == set(expected["capabilities"])
    assert _same(
        body,
        expected,
        but=("id", "created_at", "model", "fine_tune", "deprecation", "capabilities"),
    )


def _same(body: Any, expected: Any, *, but: tuple[str, ...]) -> bool:
    """Whether a body has every field of an example, and the same values but for some."""
    return set(body) >= set(expected) and all(
        body[name] == value for name, value in expected.items() if name not in but
    )


def test_answers_of_the_whole_v1_surface_keep_the_contract(resource: Resource) -> None:
    """Each kind of answer is asked once; each was checked when the test ends."""
    contract()
    job = resource.trained(validation_file=resource.processed())
    jobs = resource.v1.fine_tuning.jobs
    jobs.list_events(job.id)
    jobs.checkpoints.list(job.id)
    jobs.list()
    resource.v1.models.list()
    resource.v1.models.retrieve("gpt-4.1")
    resource.v1.files.list()
    resource.ask("gpt-4o", "Hello?")
    resource.send("GET", "/openai/v1/files/none")

    asked = {
        f"{method} {path.removeprefix('/openai/v1').replace(job.id, '{job}')}"
        for method, path, _, _ in resource.answers
    }
    assert asked >= {
        "POST /files",
        "GET /files",
        "GET /files/none",
        "POST /fine_tuning/jobs",
        "GET /fine_tuning/jobs",
        "GET /fine_tuning/jobs/{job}",
        "GET /fine_tuning/jobs/{job}/events",
        "GET /fine_tuning/jobs/{job}/checkpoints",
        "GET /models",
        "GET /models/gpt-4.1",
        "POST /chat/completions",
    }


@pytest.mark.parametrize(
    "body",
    [
        {"object": "list", "data": []},
        {"object": "list", "data": [{"id": "x"}], "has_more": False},
        {"object": "list", "data": [], "has_more": "no"},
    ],
)
def test_contract_refuses_what_is_wrong(body: Any) -> None:
    """The check can fail."""
    found = contract()

    with pytest.raises(AssertionError):
        found.check("GET", "/openai/v1/fine_tuning/jobs", 200, json.dumps(body).encode())

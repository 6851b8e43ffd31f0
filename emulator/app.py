"""The routes of one emulated resource, as a table, and the app that serves them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from emulator import (
    account,
    catalog,
    chat,
    controls,
    deployments,
    faults,
    files,
    fine_tuning_jobs,
    ledger,
    uploads,
)
from emulator.clock import Clock
from emulator.errors import ApiError, not_emulated
from emulator.gate import Gate
from emulator.resource import Emulator
from emulator.state import State
from emulator.wire import is_v1

Handler = Callable[[Request], Awaitable[Response]]
Row = tuple[str, str, Handler]

DATED_VERSIONS = ("2024-10-21", "2025-04-01-preview", "2025-11-15-preview")
V1_VERSIONS = (None, "v1", "preview")
_V1, _DATED = "/openai/v1", "/openai"
_JOB = "/fine_tuning/jobs/{job_id}"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_PROVIDER = "/providers/Microsoft.CognitiveServices"
_ACCOUNT = f"{_SUBSCRIPTION}/resourceGroups/{{group}}{_PROVIDER}/accounts/{{account}}"

BOTH_SURFACES: list[Row] = [
    ("POST", "/files", files.create_file),
    ("GET", "/files", files.list_files),
    ("GET", "/files/{file_id}", files.get_file),
    ("DELETE", "/files/{file_id}", files.delete_file),
    ("GET", "/files/{file_id}/content", files.get_file_content),
    ("POST", "/fine_tuning/jobs", fine_tuning_jobs.create_fine_tuning_job),
    ("GET", "/fine_tuning/jobs", fine_tuning_jobs.list_fine_tuning_jobs),
    ("GET", _JOB, fine_tuning_jobs.get_fine_tuning_job),
    ("POST", f"{_JOB}/cancel", fine_tuning_jobs.cancel_fine_tuning_job),
    ("POST", f"{_JOB}/pause", fine_tuning_jobs.pause_fine_tuning_job),
    ("POST", f"{_JOB}/resume", fine_tuning_jobs.resume_fine_tuning_job),
    ("GET", f"{_JOB}/events", fine_tuning_jobs.list_events),
    ("GET", f"{_JOB}/checkpoints", fine_tuning_jobs.list_checkpoints),
    ("GET", "/models", catalog.list_models),
    ("GET", "/models/{model}", catalog.get_model),
]
V1_ONLY: list[Row] = [("POST", "/chat/completions", chat.create_chat_completion)]
DATED_ONLY: list[Row] = [
    ("POST", "/files/import", files.import_file),
    ("POST", "/uploads", uploads.create_upload),
    ("POST", "/uploads/{upload_id}/parts", uploads.add_part),
    ("POST", "/uploads/{upload_id}/complete", uploads.complete_upload),
    ("POST", "/uploads/{upload_id}/cancel", uploads.cancel_upload),
    ("DELETE", _JOB, fine_tuning_jobs.delete_fine_tuning_job),
    ("POST", "/deployments/{name}/chat/completions", chat.create_chat_completion),
]
MANAGEMENT: list[Row] = [
    ("GET", _ACCOUNT, account.get_account),
    ("GET", f"{_ACCOUNT}/models", account.list_models),
    ("GET", f"{_ACCOUNT}/usages", account.list_usages),
    (
        "GET",
        f"{_ACCOUNT}/providers/Microsoft.Authorization/permissions",
        account.list_permissions,
    ),
    ("GET", f"{_ACCOUNT}/deployments", deployments.list_deployments),
    ("PUT", f"{_ACCOUNT}/deployments/{{name}}", deployments.put_deployment),
    ("GET", f"{_ACCOUNT}/deployments/{{name}}", deployments.get_deployment),
    ("DELETE", f"{_ACCOUNT}/deployments/{{name}}", deployments.delete_deployment),
    ("GET", f"{_SUBSCRIPTION}{_PROVIDER}/modelCapacities", account.list_capacities),
    (
        "GET",
        f"{_SUBSCRIPTION}{_PROVIDER}/locations/{{location}}/modelCapacities",
        account.list_capacities,
    ),
    ("GET", f"{_SUBSCRIPTION}{_PROVIDER}/locations/{{location}}/usages", account.list_usages),
    (
        "GET",
        f"{_SUBSCRIPTION}{_PROVIDER}/locations/{{location}}/operationResults/{{operation}}",
        deployments.get_operation,
    ),
]
CONTROLS: list[Row] = [
    ("GET", "/emulator/clock", controls.get_clock),
    ("POST", "/emulator/clock/advance", controls.advance_clock),
    ("GET", "/emulator/settings", controls.get_settings),
    ("PATCH", "/emulator/settings", controls.change_settings),
    ("GET", "/emulator/ledger", ledger.get_ledger),
    ("POST", "/emulator/faults", faults.add_faults),
    ("GET", "/emulator/faults", faults.list_faults),
    ("DELETE", "/emulator/faults", faults.remove_faults),
]
# Known to answer 404 on Azure's v1 surface (facts 1.2, 1.3).
NOT_ON_V1 = ("/uploads", "/files/import")


def create_app(state: State, clock: Clock, key: str) -> ASGIApp:
    """Return the app of one resource; `key` is accepted as API key and as bearer token."""
    emulator = Emulator(state, clock, key)
    state.ensure_base_deployments(clock.now().timestamp())
    state.commit()
    app = Starlette(
        routes=list(_routes()),
        exception_handlers={ApiError: _refuse, HTTPException: _refuse_route},
    )
    app.router.redirect_slashes = False
    app.state.emulator = emulator
    return Gate(app, emulator)


def _routes() -> list[Route]:
    v1 = [*BOTH_SURFACES, *V1_ONLY, *(("POST", path, _missing) for path in NOT_ON_V1)]
    dated = [*DATED_ONLY, *BOTH_SURFACES]
    tables = [  # none answers for another's paths; what is asked for often stands first
        [(method, path, _managed(handler)) for method, path, handler in MANAGEMENT],
        [(method, _V1 + path, _of_v1(handler)) for method, path, handler in v1],
        [(method, _DATED + path, _dated(handler)) for method, path, handler in dated],
        CONTROLS,
    ]
    rows = [row for table in tables for row in table]
    known = [Route(path, handler, methods=[method]) for method, path, handler in rows]
    every = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    other = ("/openai/{rest:path}", "/subscriptions/{rest:path}")
    return [*known, *(Route(path, _not_emulated, methods=every) for path in other)]


def _of_v1(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        """Refuse a dated version on v1. Source: SK-DEP, facts 1.9."""
        if request.query_params.get("api-version") not in V1_VERSIONS:
            raise ApiError(400, "BadRequest", "api-version not allowed")
        return await handler(request)

    return handle


def _dated(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        """Want a version that exists. Unverified: 404 as the gateway's answer."""
        if request.query_params.get("api-version") not in DATED_VERSIONS:
            raise ApiError(404, "404", "Resource not found")
        return await handler(request)

    return handle


def _managed(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        """Want a version, whichever. Unverified: the text."""
        if "api-version" not in request.query_params:
            text = "The api-version query parameter (?api-version=) is required for all requests."
            raise ApiError(400, "MissingApiVersionParameter", text)
        return await handler(request)

    return handle


async def _missing(request: Request) -> Response:
    raise ApiError(404, "404", "Resource not found")


async def _not_emulated(request: Request) -> Response:
    raise not_emulated(f"{request.method} {request.url.path}")


async def _refuse(request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response(v1=is_v1(request))


async def _refuse_route(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refusal = ApiError(error.status_code, str(error.status_code), str(error.detail))
    return refusal.response(v1=is_v1(request))

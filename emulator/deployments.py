"""Deployments on the management plane: put, get, list, delete, and how far a put is."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from emulator.deployment_requests import DeploymentRequest, read_deployment_request
from emulator.errors import ApiError
from emulator.faults import fate_of
from emulator.records import Deployment, Json
from emulator.resource import Emulator
from emulator.training import remove_deployment
from emulator.wire import emulator_of, json_object


async def put_deployment(request: Request) -> JSONResponse:
    """PUT …/deployments/{name}: 201, then `Creating` for a while; repeated, 200.

    One that failed is made again.

    Source: facts 2.4. Unverified: 409 while it is made; that another model is refused with 400.
    """
    emulator, name = emulator_of(request), request.path_params["name"]
    existing = emulator.state.find_deployment(name)
    if existing is not None and existing.state(emulator.now) == "Creating":
        raise ApiError(409, "RequestConflict", f"The deployment {name} is being changed.")
    asked = read_deployment_request(emulator.state, await json_object(request), existing)
    if existing is not None and existing.state(emulator.now) == "Failed":
        remove_deployment(emulator.state, existing, emulator.now, by="client")
        existing = None
    if existing is None:
        deployment, status = _new_deployment(emulator, name, asked), 201
    else:
        deployment, status = existing, 200
        deployment.sku, deployment.capacity = asked.sku, asked.capacity
    emulator.state.save(deployment)
    body = deployment_body(request, deployment)
    return JSONResponse(body, status, _operation_headers(request, deployment))


def _new_deployment(emulator: Emulator, name: str, asked: DeploymentRequest) -> Deployment:
    settings, fate = emulator.state.settings, fate_of(emulator.state, "deployment", name)
    lag = fate["seconds"] if fate.get("then") == "lag" else settings.readiness_lag_seconds
    return Deployment(
        id=emulator.state.new_id("deployment-"),
        name=name,
        model=asked.model,
        version=asked.version,
        sku=asked.sku,
        capacity=asked.capacity,
        created_at=emulator.now,
        creating_seconds=settings.deployment_seconds,
        lag_seconds=float(lag),
        job_id=asked.job_id,
        fate=fate["then"] if fate.get("then") in ("fail", "hang") else "",
        error_code=str(fate.get("code") or ""),
        error_message=str(fate.get("message") or ""),
    )


def _operation_headers(request: Request, deployment: Deployment) -> dict[str, str]:
    version = request.query_params.get("api-version", "")
    subscription = request.path_params["subscription"]
    path = f"subscriptions/{subscription}/providers/Microsoft.CognitiveServices/locations/local"
    url = f"{request.base_url}{path}/operationResults/{deployment.id}?api-version={version}"
    return {"Azure-AsyncOperation": url}


async def get_operation(request: Request) -> JSONResponse:
    """GET …/operationResults/{id}: the state of a put. Source: facts 2.4."""
    emulator = emulator_of(request)
    deployment = emulator.state.deployments.get(request.path_params["operation"])
    if deployment is None:
        raise _not_found("operation")
    body: Json = {"status": deployment.state(emulator.now)}
    return JSONResponse(body | _error(emulator, deployment))


async def get_deployment(request: Request) -> JSONResponse:
    """GET …/deployments/{name}."""
    deployment = emulator_of(request).state.find_deployment(request.path_params["name"])
    if deployment is None:
        raise _not_found(f"deployment {request.path_params['name']}")
    return JSONResponse(deployment_body(request, deployment))


async def list_deployments(request: Request) -> JSONResponse:
    """GET …/deployments. Differs: all on one page."""
    live = emulator_of(request).state.live_deployments()
    return JSONResponse({"value": [deployment_body(request, each) for each in live]})


async def delete_deployment(request: Request) -> Response:
    """DELETE …/deployments/{name}: 200 when it was there, else 204. Differs: at once."""
    emulator = emulator_of(request)
    deployment = emulator.state.find_deployment(request.path_params["name"])
    if deployment is None:
        return Response(status_code=204)
    remove_deployment(emulator.state, deployment, emulator.now, by="client")
    return Response(status_code=200)


def deployment_body(request: Request, deployment: Deployment) -> Json:
    """Return a deployment as on the wire; the SKU sits at the root. Source: BT, facts 2.2.

    Unverified: `properties.error`, which tells why it failed.
    """
    emulator, account = emulator_of(request), request.url.path.partition("/deployments")[0]
    created = emulator.seen(deployment.created_at)
    capabilities = {"chatCompletion": "true", "fineTune": "false"}
    return {
        "id": f"{account}/deployments/{deployment.name}",
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "name": deployment.name,
        "sku": {"name": deployment.sku, "capacity": deployment.capacity},
        "properties": {
            "model": {
                "format": "OpenAI",
                "name": deployment.model,
                "version": deployment.version,
            },
            "capabilities": capabilities,
            "provisioningState": deployment.state(emulator.now),
            "deploymentState": "Running",
        }
        | _error(emulator, deployment),
        "systemData": {"createdAt": datetime.fromtimestamp(created, UTC).isoformat()},
        "etag": f'"{deployment.id.removeprefix("deployment-")}"',
    }


def _error(emulator: Emulator, deployment: Deployment) -> Json:
    if deployment.state(emulator.now) != "Failed":
        return {}
    return {"error": {"code": deployment.error_code, "message": deployment.error_message}}


def _not_found(what: str) -> ApiError:
    """Return ARM's 404. Unverified: its text."""
    return ApiError(404, "ResourceNotFound", f"The {what} was not found.")

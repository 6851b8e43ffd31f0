"""The account on the management plane: itself, its models, capacities, usages, permissions.

Source: arm-cognitiveservices types (BT) and ListModelCapacities (S-ARM-EX).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.deployment_requests import all_quotas, quota
from emulator.faults import is_retired
from emulator.models import Model, base_models, find_base_model
from emulator.records import Job, Json
from emulator.wire import emulator_of

LOCATION = "swedencentral"
_PROVIDER = "Microsoft.CognitiveServices"
_LONG_AGO = "2020-01-01T00:00:00Z"


async def get_account(request: Request) -> JSONResponse:
    """GET …/accounts/{account}: every name is this one resource."""
    endpoint = str(request.base_url)
    return JSONResponse(
        {
            "id": request.url.path,
            "name": request.path_params["account"],
            "type": f"{_PROVIDER}/accounts",
            "kind": "OpenAI",
            "location": LOCATION,
            "sku": {"name": "S0"},
            "properties": {"endpoint": endpoint, "provisioningState": "Succeeded"},
        }
    )


async def list_models(request: Request) -> JSONResponse:
    """GET …/models: base models with their lifecycle, and the fine-tuned models."""
    state = emulator_of(request).state
    jobs = [job for job in state.live_jobs() if job.status == "succeeded"]
    tuned = [body for job in jobs for body in _fine_tuned(job)]
    base = [_retired(m) if is_retired(state, m.name) else _base_model(m) for m in base_models()]
    return JSONResponse({"value": [*base, *tuned]})


def _retired(model: Model) -> Json:
    body = _base_model(model)
    return body | {"deprecation": body["deprecation"] | {"fineTune": _LONG_AGO}}


def _base_model(model: Model) -> Json:
    dates = {"fineTune": model.fine_tune_until, "inference": model.inference_until}
    return {
        "format": "OpenAI",
        "name": model.name,
        "version": model.version,
        "skus": [_sku(name, model) for name in model.skus],
        "maxCapacity": 1000,
        "capabilities": {"chatCompletion": "true", "fineTune": "true", "inference": "true"},
        "deprecation": {name: date for name, date in dates.items() if date},
        "lifecycleStatus": "GenerallyAvailable",
    }


def _sku(name: str, model: Model) -> Json:
    usage = f"OpenAI.{name}.{model.name}"
    return {"name": name, "usageName": usage, "capacity": {"default": 10, "maximum": 1000}}


def _fine_tuned(job: Job) -> list[Json]:
    base = find_base_model(job.base)
    assert base is not None
    return [
        _base_model(base)
        | {
            "name": job.fine_tuned_model,
            "version": "1",
            "capabilities": {"chatCompletion": "true", "fineTune": "false", "inference": "true"},
            "baseModel": {"format": "OpenAI", "name": base.name, "version": base.version},
        }
    ]


async def list_capacities(request: Request) -> JSONResponse:
    """GET …/modelCapacities: what is open per SKU. Differs: in this account's location only."""
    state, query = emulator_of(request).state, request.query_params
    model = find_base_model(query.get("modelName", ""))
    if model is None or query.get("modelVersion") not in (None, model.version):
        return JSONResponse({"value": []})
    location = request.path_params.get("location", LOCATION)
    place = f"/subscriptions/{request.path_params['subscription']}/providers/{_PROVIDER}"
    full = f"{place}/locations/{location}/models/OpenAI.{model.name}.{model.version}"
    found = []
    for sku in model.skus:
        (limit, used), (tuned_limit, tuned_used) = (
            quota(state, model, sku, tuned=tuned) for tuned in (False, True)
        )
        available = 0 if sku == "DeveloperTier" else max(0, limit - used)
        found.append(
            {
                "name": sku,
                "type": f"{_PROVIDER}/locations/models/skuCapacities",
                "id": f"{full}/skuCapacities/{sku}",
                "location": location,
                "properties": {
                    "availableCapacity": available,
                    "availableFinetuneCapacity": max(0, tuned_limit - tuned_used),
                    "model": {"name": model.name, "format": "OpenAI", "version": model.version},
                    "skuName": sku,
                },
            }
        )
    return JSONResponse({"value": found})


async def list_usages(request: Request) -> JSONResponse:
    """GET …/usages, of the account or the location."""
    return JSONResponse(
        {
            "value": [
                {
                    "name": {"value": name, "localizedValue": name},
                    "currentValue": used,
                    "limit": limit,
                    "unit": "Count",
                }
                for name, limit, used in all_quotas(emulator_of(request).state)
            ]
        }
    )


async def list_permissions(request: Request) -> JSONResponse:
    """GET …/providers/Microsoft.Authorization/permissions: whoever holds the key may do all."""
    return JSONResponse({"value": [{"actions": ["*"], "notActions": []}]})

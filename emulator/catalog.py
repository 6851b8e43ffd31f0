"""Models on the data plane: base models and those that were fine-tuned."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.errors import not_found
from emulator.models import Model, base_models, find_base_model
from emulator.records import Job, Json
from emulator.resource import Emulator
from emulator.wire import emulator_of, is_v1


async def list_models(request: Request) -> JSONResponse:
    """GET /models."""
    return JSONResponse({"object": "list", "data": _all(request)})


async def get_model(request: Request) -> JSONResponse:
    """GET /models/{id}: an alias will do, too."""
    name = request.path_params["model"]
    base = find_base_model(name) if ".ft-" not in name else None
    wanted = base.id if base else name
    found = next((body for body in _all(request) if body["id"] == wanted), None)
    if found is None:
        raise not_found("model")
    return JSONResponse(found)


def _all(request: Request) -> list[Json]:
    v1 = is_v1(request)
    jobs = [job for job in emulator_of(request).state.live_jobs() if job.status == "succeeded"]
    emulator = emulator_of(request)
    tuned = [_fine_tuned(emulator, job, v1=v1) for job in jobs]
    return [*(_base_model(model, v1=v1) for model in base_models()), *tuned]


def _base_model(model: Model, *, v1: bool) -> Json:
    dates = {"fine_tune": model.fine_tune_until, "inference": model.inference_until}
    body = _body(model.id, model.created, v1=v1)
    return body | {"deprecation": {name: _seconds(date) for name, date in dates.items() if date}}


def _fine_tuned(emulator: Emulator, job: Job, *, v1: bool) -> Json:
    base = find_base_model(job.base)
    until = base.inference_until if base else None
    made = emulator.seen(job.finished_at or 0)
    body = _body(job.fine_tuned_model, made, v1=v1, is_base=False)
    body |= {"model": job.base, "fine_tune": job.id}
    return body | {"deprecation": {"inference": _seconds(until)} if until else {}}


def _body(id: str, created: int, *, v1: bool, is_base: bool = True) -> Json:
    """Return what every model has. Source: get_model_finetune (S-EX); v1 contract, `Model`."""
    capabilities = {
        "fine_tune": is_base,
        "inference": True,
        "completion": False,
        "chat_completion": True,
        "embeddings": False,
    }
    return {
        "id": id,
        "object": "model",
        "status": "succeeded",
        "capabilities": capabilities,
        "lifecycle_status": "generally-available",
    } | ({"created": created, "owned_by": "azure"} if v1 else {"created_at": created})


def _seconds(date: str) -> int:
    return int(datetime.fromisoformat(date).timestamp())

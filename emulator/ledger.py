"""Everything that was ever created, deleted or not, and what it would have cost on Azure."""

from __future__ import annotations

from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.models import find_base_model, hosting_cost, price_list, training_cost
from emulator.records import Deployment, Job, Json, StoredFile
from emulator.wire import emulator_of

_HOUR = 3600


async def get_ledger(request: Request) -> JSONResponse:
    """GET /emulator/ledger. Prices: `models.json`, with its date and source.

    The deployments of base models with which a resource begins are not listed: nobody made them.
    """
    emulator = emulator_of(request)
    state, now = emulator.state, emulator.now
    jobs = [_job(job) for job in state.jobs.values()]
    made = [each for each in state.deployments.values() if not each.preset]
    deployments = [_deployment(each, now) for each in made]
    files = [_file(each, now) for each in state.files.values()]
    table = price_list()
    return JSONResponse(
        {
            "usd": round(sum(entry["usd"] for entry in (*jobs, *deployments)), 6),
            "as_of": table["as_of"],
            "source": table["source"],
            "now": _time(now),
            "jobs": jobs,
            "files": files,
            "deployments": deployments,
        }
    )


def _job(job: Job) -> Json:
    """Return a job; only trained tokens are billed, and never a failed job's (facts 3.2)."""
    billed = job.trained_tokens if job.status in ("succeeded", "cancelled") else 0
    model = find_base_model(job.base)
    return {
        "id": job.id,
        "status": job.status,
        "suffix": job.suffix,
        "model": job.model,
        "fine_tuned_model": job.fine_tuned_model if job.status == "succeeded" else None,
        "training_file": job.training_file,
        "training_type": job.training_type,
        "created_at": _time(job.created_at),
        "deleted_at": _time(job.deleted_at),
        "billed_tokens": billed,
        "usd": training_cost(model, job.training_type, billed),
    }


def _deployment(deployment: Deployment, now: float) -> Json:
    """Return a deployment; fine-tuned ones are billed by the hour from `Succeeded` on."""
    end = min(now, deployment.deleted_at or now)
    billed = deployment.job_id and not deployment.fate
    hours = max(0.0, end - deployment.succeeds_at) / _HOUR if billed else 0.0
    return {
        "name": deployment.name,
        "model": deployment.model,
        "sku": deployment.sku,
        "capacity": deployment.capacity,
        "state": "Deleted" if deployment.deleted_at else deployment.state(now),
        "created_at": _time(deployment.created_at),
        "deleted_at": _time(deployment.deleted_at),
        "deleted_by": deployment.deleted_by or None,
        "billed_hours": round(hours, 4),
        "usd": hosting_cost(deployment.sku, hours),
    }


def _file(file: StoredFile, now: float) -> Json:
    return {
        "id": file.id,
        "filename": file.name,
        "purpose": file.purpose,
        "bytes": file.size,
        "sha256": file.sha256,
        "status": file.status(now),
        "created_at": _time(file.created_at),
        "deleted_at": _time(file.deleted_at),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat()

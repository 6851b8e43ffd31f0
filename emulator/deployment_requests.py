"""What is asked of a deployment, checked as the management plane checks it."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.errors import ApiError
from emulator.models import Model, base_models, find_base_model
from emulator.records import Deployment, Json
from emulator.state import State

_MOST_BASE_DEPLOYMENTS = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class DeploymentRequest:
    """A deployment that was asked for and may be had; `job_id` is empty for a base model."""

    model: str
    version: str
    sku: str
    capacity: int
    job_id: str


def read_deployment_request(
    state: State, body: Json, existing: Deployment | None
) -> DeploymentRequest:
    """Return what a body asks for; raises ApiError. Source: real texts of facts 2.5."""
    properties, sku = _object(body, "properties"), _object(body, "sku")
    if "scaleSettings" in properties:
        raise _bad("InvalidRequest", "scaleSettings is not supported by this api-version.")
    model = _object(properties, "model")
    name, version = str(model.get("name") or ""), str(model.get("version") or "")
    job = state.find_job_of_model(name)
    base = find_base_model(job.base if job else name)
    if base is None or (job is None and not _is_base(base, name, version)):
        raise _bad("DeploymentModelNotSupported", _unknown(model))
    sku_name = _sku(base, str(sku.get("name") or "Standard"), is_base=job is None)
    asked = DeploymentRequest(
        model=name if job else base.name,
        version=version or (base.version if job is None else "1"),
        sku=sku_name,
        capacity=_capacity(sku),
        job_id=job.id if job else "",
    )
    _check_same_model(asked, existing)
    _check_number(state, asked, existing)
    _check_quota(state, asked, base, existing)
    return asked


def _object(body: Json, key: str) -> Json:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


def _is_base(base: Model, name: str, version: str) -> bool:
    return name.lower() == base.name.lower() and version in ("", base.version)


def _unknown(model: Json) -> str:
    told = ", ".join(f"{k.title()}: {model.get(k) or ''}" for k in ("format", "name", "version"))
    return f"The model '{told}, Source: ' of account deployment is not supported."


def _sku(base: Model, name: str, *, is_base: bool) -> str:
    """Return the SKU as it is spelled; case is ignored (facts 2.3). Developer is for fine-tunes."""
    known = next((sku for sku in base.skus if sku.lower() == name.lower()), None)
    if known is None or (is_base and known == "DeveloperTier"):
        raise _bad(
            "InvalidResourceProperties",
            f"The specified SKU '{name}' of account deployment is not supported by the model "
            f"'{base.name}' version: '{base.version}'.",
        )
    return known


def _capacity(sku: Json) -> int:
    capacity = sku.get("capacity", 1)
    if not isinstance(capacity, int) or isinstance(capacity, bool) or capacity < 1:
        raise _bad("InvalidCapacity", "The capacity must be a positive whole number.")
    return capacity


def _check_same_model(asked: DeploymentRequest, existing: Deployment | None) -> None:
    """Refuse to point a deployment at another model. Unverified: code and text."""
    if existing and (existing.model, existing.version) != (asked.model, asked.version):
        raise _bad(
            "InvalidResourceProperties",
            f"The model of the deployment '{existing.name}' cannot be changed.",
        )


def _check_number(state: State, asked: DeploymentRequest, existing: Deployment | None) -> None:
    """Refuse one deployment too many. Source: facts 1.8, 2.5 (429). Unverified: the text."""
    if existing is not None:
        return
    kind = [d for d in state.live_deployments() if bool(d.job_id) == bool(asked.job_id)]
    limit = state.settings.limit_fine_tuned_deployments if asked.job_id else _MOST_BASE_DEPLOYMENTS
    if len(kind) >= limit:
        message = f"The account has {limit} such deployments, the most it may have."
        raise ApiError(429, "TooManyDeployments", message, {"Retry-After": "20"})


def _check_quota(
    state: State, asked: DeploymentRequest, base: Model, existing: Deployment | None
) -> None:
    """Refuse more capacity than is left. Source: both wordings are real (CHATGPT-137, PUBSEC-880).

    Unverified: which one is used when; here the second is for a quota that is used up.
    """
    tuned = bool(asked.job_id)
    limit, used = quota(state, base, asked.sku, tuned=tuned, without=existing)
    name, left = usage_name(base, asked.sku, tuned=tuned), limit - used
    if asked.capacity <= left:
        return
    if left > 0:
        raise _bad(
            "InsufficientQuota",
            f"The specified capacity '{asked.capacity}' of account deployment is bigger than "
            f"available capacity '{left}' for UsageName '{name}'.",
        )
    raise _bad(
        "InsufficientQuota",
        f"This operation require {asked.capacity} new capacity in quota {name}, which is bigger "
        f"than the current available capacity {left}. The current quota usage is {used} and the "
        f"quota limit is {limit} for quota {name}.",
    )


def quota(
    state: State, base: Model, sku: str, *, tuned: bool, without: Deployment | None = None
) -> tuple[int, int]:
    """Return limit and use of a model's quota on a SKU, for fine-tuned or base deployments."""
    limit = state.settings.quota_fine_tuned if tuned else state.settings.quota_base
    used = sum(
        deployment.capacity
        for deployment in state.live_deployments()
        if deployment is not without
        and (deployment.sku, bool(deployment.job_id)) == (sku, tuned)
        and find_base_model(_base_name(state, deployment)) == base
    )
    return limit, used


def _base_name(state: State, deployment: Deployment) -> str:
    return state.jobs[deployment.job_id].base if deployment.job_id else deployment.model


def usage_name(base: Model, sku: str, *, tuned: bool) -> str:
    """Return a quota's name. Unverified: how fine-tuned ones are named."""
    kind = " - finetune" if tuned else ""
    return f"Tokens Per Minute (thousands) - {base.name} - {sku}{kind}"


def all_quotas(state: State) -> list[tuple[str, int, int]]:
    """Return name, limit and use of every quota."""
    return [
        (usage_name(base, sku, tuned=tuned), *quota(state, base, sku, tuned=tuned))
        for base in base_models()
        for sku in base.skus
        for tuned in ((True,) if sku == "DeveloperTier" else (False, True))
    ]


def _bad(code: str, message: str) -> ApiError:
    return ApiError(400, code, message)

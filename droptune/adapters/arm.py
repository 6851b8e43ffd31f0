"""Azure Resource Manager's JSON as domain objects.

Source: arm-cognitiveservices 2025-09-01 and 2026-07-01 types; ListModelCapacities example.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from droptune.domain.deployment import (
    Account,
    AccountModel,
    Capacity,
    Deployment,
    DeploymentRequest,
    DeploymentState,
)
from droptune.domain.errors import TransientError
from droptune.domain.payload import parse_time

Wire = Mapping[str, Any]


def account(wire: Wire) -> Account:
    """Read an account."""
    return Account(
        location=str(wire.get("location") or ""),
        endpoint=str(_within(wire, "properties").get("endpoint") or ""),
    )


def account_model(wire: Wire) -> AccountModel:
    """Read a model of an account; `capabilities.fineTune` is the text "true" where it can be."""
    deprecation = _within(wire, "deprecation")
    fine_tune = _within(wire, "capabilities").get("fineTune")
    return AccountModel(
        name=str(wire.get("name") or ""),
        version=str(wire.get("version") or ""),
        fine_tune=None if fine_tune is None else str(fine_tune).lower() == "true",
        skus=tuple(str(sku.get("name")) for sku in entries(wire, "skus")),
        lifecycle=str(wire.get("lifecycleStatus") or ""),
        fine_tune_until=_time(deprecation.get("fineTune")),
        inference_until=_time(deprecation.get("inference")),
    )


def capacity(wire: Wire) -> Capacity:
    """Read what is open for one SKU."""
    properties = _within(wire, "properties")
    return Capacity(
        sku=str(properties.get("skuName") or wire.get("name") or ""),
        location=str(wire.get("location") or ""),
        available=_whole(properties.get("availableCapacity")),
        available_fine_tune=_whole(properties.get("availableFinetuneCapacity")),
    )


def deployment(wire: Wire) -> Deployment:
    """Read a deployment; the SKU sits at the root.

    Unverified: `properties.error`, which no contract has; without it a failure has no reason.
    """
    properties, sku = _within(wire, "properties"), _within(wire, "sku")
    model, error = _within(properties, "model"), _within(properties, "error")
    return Deployment(
        name=str(wire.get("name") or ""),
        model=str(model.get("name") or ""),
        version=str(model.get("version") or ""),
        sku=str(sku.get("name") or ""),
        capacity=_whole(sku.get("capacity")) or 0,
        state=DeploymentState(str(properties.get("provisioningState") or "")),
        created_at=_time(_within(wire, "systemData").get("createdAt")),
        error_code=str(error.get("code") or ""),
        error_message=str(error.get("message") or ""),
    )


def body_of(request: DeploymentRequest) -> Wire:
    """Return the body that creates a deployment (facts 2.2)."""
    model = {"format": "OpenAI", "name": request.model, "version": request.version}
    return {
        "sku": {"name": request.sku, "capacity": request.capacity},
        "properties": {"model": model},
    }


def permits(permission: Wire, action: str) -> bool:
    """Whether one entry of a permission list allows an action: `*` matches anything, case ignored.

    Source: Azure RBAC: effective rights are the union over entries of actions minus notActions.
    """
    return _any_matches(permission.get("actions"), action) and not _any_matches(
        permission.get("notActions"), action
    )


def entries(wire: Wire, key: str = "value") -> Iterator[Wire]:
    """Iterate over the objects of a list that may be missing; TransientError when it is no list."""
    found = wire.get(key) or []
    if not isinstance(found, list):
        raise TransientError(f"Azure Resource Manager's {key!r} is no list")
    return (entry for entry in found if isinstance(entry, Mapping))


def _any_matches(patterns: Any, action: str) -> bool:
    listed = patterns if isinstance(patterns, list) else []
    expressions = (".*".join(map(re.escape, str(pattern).split("*"))) for pattern in listed)
    return any(re.fullmatch(text, action, re.IGNORECASE) for text in expressions)


def _within(wire: Wire, key: str) -> Wire:
    value = wire.get(key)
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _time(value: Any) -> datetime | None:
    try:
        return parse_time(value) if isinstance(value, str) else None
    except ValueError:
        return None

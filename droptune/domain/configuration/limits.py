"""Ceilings: what a level allows the levels below it, and which file tries to loosen it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from droptune.domain.configuration.checks import finding
from droptune.domain.configuration.files import Ceilings, JobFile
from droptune.domain.configuration.merging import AUTO, get
from droptune.domain.configuration.secrets import shown
from droptune.domain.findings import Finding
from droptune.domain.models import is_model

STRICTNESS = {
    "training": ("never", "over_budget", "always"),
    "promotion": ("never", "replace", "always"),
}
_LARGEST = {
    "pipeline.budget.run_usd": "run_usd",
    "pipeline.budget.hosting_usd_month": "hosting_usd_month",
    "pipeline.retention.rollback_hours": "rollback_hours",
    "pipeline.allow.capacity": "capacity",
    "pipeline.deploy.candidate.capacity": "candidate_capacity",
    "pipeline.deploy.production.capacity": "production_capacity",
}
_LISTS = ("models", "training_types", "skus")
DEPLOYMENTS = ("candidate", "production")


def allowed(value: str, among: Sequence[str] | None, *, models: bool = False) -> bool:
    """Whether a value is among what is allowed; case and a model's version are ignored."""
    if among is None:
        return True
    if models:
        return any(is_model(value, each) for each in among)
    return value.casefold() in (each.casefold() for each in among)


def find_loosened(above: Ceilings, file: JobFile) -> Iterator[Finding]:
    """Iterate over what a file loosens of the levels above it, or of its own `pipeline.allow`."""
    for path, name in _LARGEST.items():
        yield from _too_large(file, path, getattr(above, name))
    for about, order in STRICTNESS.items():
        value, least = _at(file, f"pipeline.approval.{about}"), getattr(above, f"{about}_approval")
        if value and least and order.index(value) < order.index(least):
            path, what = f"pipeline.approval.{about}", f"{value} asks less than {least}"
            yield _loosened(file, path, what, f"Use {least}.")
    for name in _LISTS:
        for position, value in enumerate(_at(file, f"pipeline.allow.{name}") or ()):
            path = f"pipeline.allow.{name}[{position}]"
            yield from _not_allowed(file, path, value, getattr(above, name), name)
    yield from find_forbidden(tightened(above, file, only_allow=True), file, file.values)


def find_forbidden(
    ceilings: Ceilings, file: JobFile, values: Mapping[str, Any]
) -> Iterator[Finding]:
    """Iterate over the choices in a document that ceilings do not allow."""
    for path, name in (("model", "models"), ("extra_body.trainingType", "training_types")):
        value = get(values, *path.split("."))
        if value is not None:
            yield from _not_allowed(file, path, str(value), getattr(ceilings, name), name)
    for which in DEPLOYMENTS:
        path = f"pipeline.deploy.{which}"
        chosen = get(values, *path.split("."))
        sku = get(chosen, "sku")
        if sku is not None and sku != AUTO:
            yield from _not_allowed(file, f"{path}.sku", sku, ceilings.skus, "skus")
        capacity = get(chosen, "capacity")
        if capacity is not None and ceilings.capacity is not None and capacity > ceilings.capacity:
            what = f"{capacity} is above {ceilings.capacity}"
            fix = f"Use at most {ceilings.capacity}."
            yield _loosened(file, f"{path}.capacity", what, fix)


def tightened(above: Ceilings, file: JobFile, *, only_allow: bool = False) -> Ceilings:
    """Return the ceilings for the files below this one: what it says of its own limits counts."""
    kept: dict[str, Any] = asdict(above)
    for name in _LISTS:
        if (names := _at(file, f"pipeline.allow.{name}")) is not None:
            kept[name] = tuple(names)
    for path, name in _LARGEST.items():
        value = _at(file, path)
        if value is not None and (not only_allow or name == "capacity"):
            kept[name] = value if kept[name] is None else min(value, kept[name])
    for about in () if only_allow else STRICTNESS:
        if value := _at(file, f"pipeline.approval.{about}"):
            kept[f"{about}_approval"] = value
    return Ceilings(**kept)


def _too_large(file: JobFile, path: str, limit: float | None) -> Iterator[Finding]:
    value = _at(file, path)
    if limit is not None and value is not None and value > limit:
        what = f"{value:g} is above {limit:g}"
        yield _loosened(file, path, what, f"Use at most {limit:g}.")


def _not_allowed(
    file: JobFile, path: str, value: str, among: Sequence[str] | None, name: str
) -> Iterator[Finding]:
    if not allowed(value, among, models=name == "models"):
        fix = f"Use one of {', '.join(among or ())}." if among else "Nothing is allowed here."
        yield _loosened(file, path, f'"{shown(value, 60)}" is not among what is allowed', fix)


def _loosened(file: JobFile, path: str, what: str, fix: str) -> Finding:
    return finding(file, path, "ceiling", f"{what}, which a level above this has set", fix)


def _at(file: JobFile, path: str) -> Any:
    return get(file.values, *path.split("."))

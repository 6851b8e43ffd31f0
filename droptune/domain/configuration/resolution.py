"""From the installation's ceilings and two files to one configuration."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from droptune.domain.configuration.document import GLOBAL_STANDARD, Configuration, Pipeline
from droptune.domain.configuration.fields import check_values, finding
from droptune.domain.configuration.files import Ceilings, JobFile
from droptune.domain.findings import Finding

TRAINING_TYPES = ("Standard", "DataZoneStandard", "GlobalStandard", "DeveloperTier")
_TRAINING_KEYS = ("model", "method", "seed", "extra_body")
_STRICTNESS = {
    "training": ("never", "over_budget", "always"),
    "promotion": ("never", "replace", "always"),
}
_LIMITS = {
    "pipeline.budget.run_usd": "run_usd",
    "pipeline.budget.hosting_usd_month": "hosting_usd_month",
    "pipeline.retention.rollback_hours": "rollback_hours",
}


def resolve(
    *,
    installation: Ceilings,
    project_file: JobFile | None,
    job_file: JobFile | None,
    known_models: Sequence[str] = (),
) -> tuple[Configuration | None, tuple[Finding, ...]]:
    """Return the configuration, or None and everything that is wrong, of all files at once.

    A file that tries to loosen what stands above it is refused, naming what it breaks.
    """
    files = [file for file in (project_file, job_file) if file is not None]
    findings = [found for file in files for found in check_values(file)]
    if not findings:
        findings = [found for file in files for found in _check_meaning(file, known_models)]
    if not findings:
        findings = list(_check_ceilings(installation, project_file, job_file))
    if findings:
        return None, tuple(findings)
    return _merge(installation, files), ()


def _check_meaning(file: JobFile, known_models: Sequence[str]) -> Iterator[Finding]:
    values = file.values
    model = values.get("model")
    if model and known_models and not _is_known(model, known_models):
        close = difflib.get_close_matches(model, known_models, 1, 0.5)
        fix = f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(known_models)}."
        yield finding(
            file, "model", "unknown-model", f'"{model[:60]}" is not a model known here', fix
        )
    if values.get("method", {}).get("type") == "reinforcement":
        said = "reinforcement fine-tuning is not supported yet"
        yield finding(file, "method.type", "not-yet", said, "Use supervised or dpo.")
    kind = values.get("extra_body", {}).get("trainingType", GLOBAL_STANDARD)
    if kind not in TRAINING_TYPES:
        fix = f"Use one of {', '.join(TRAINING_TYPES)}."
        path = "extra_body.trainingType"
        yield finding(file, path, "wrong-value", f'"{str(kind)[:40]}" is no training type', fix)
    for key in ("training_file", "validation_file"):
        name = values.get(key) or ""
        if name.startswith("file-"):
            said = "a file id names a file at the service, and the dataset's own data is trained on"
            yield finding(file, key, "file-id", said, "Name a sibling file: local:training.jsonl.")


def _is_known(model: str, known: Sequence[str]) -> bool:
    base = model.split(".ft-")[0]
    return any(base == name or base.startswith(f"{name}-2") for name in known)


def _check_ceilings(
    installation: Ceilings, project_file: JobFile | None, job_file: JobFile | None
) -> Iterator[Finding]:
    above = installation
    for file in (project_file, job_file):
        if file is not None:
            yield from _broken(above, file)
            above = _tightened(above, file)


def _broken(above: Ceilings, file: JobFile) -> Iterator[Finding]:
    for path, name in _LIMITS.items():
        limit, value = getattr(above, name), _get(file.values, path)
        if limit is not None and value is not None and value > limit:
            yield _ceiling(file, path, f"{value:g} is above {limit:g}", f"Use at most {limit:g}.")
    for about, order in _STRICTNESS.items():
        path, least = f"pipeline.approval.{about}", getattr(above, f"{about}_approval")
        value = _get(file.values, path)
        if least and value and order.index(value) < order.index(least):
            yield _ceiling(file, path, f"{value} asks less than {least}", f"Use {least}.")
    yield from _not_allowed(above.models, file, "model")
    yield from _not_allowed(above.training_types, file, "extra_body.trainingType")
    for which in ("candidate", "production"):
        path = f"pipeline.deploy.{which}"
        if _get(file.values, f"{path}.sku") != "auto":
            yield from _not_allowed(above.skus, file, f"{path}.sku")
        capacity = _get(file.values, f"{path}.capacity")
        if above.capacity is not None and capacity is not None and capacity > above.capacity:
            said, fix = f"{capacity} is above {above.capacity}", f"Use at most {above.capacity}."
            yield _ceiling(file, f"{path}.capacity", said, fix)


def _not_allowed(allowed: tuple[str, ...] | None, file: JobFile, path: str) -> Iterator[Finding]:
    value = _get(file.values, path)
    if allowed is not None and value is not None and value not in allowed:
        fix = f"Use one of {', '.join(allowed)}."
        yield _ceiling(file, path, f"{str(value)[:60]} is not among what is allowed", fix)


def _ceiling(file: JobFile, path: str, said: str, fix: str) -> Finding:
    return finding(file, path, "ceiling", f"{said}, which a level above this file has set", fix)


def _tightened(above: Ceilings, file: JobFile) -> Ceilings:
    """Return the ceilings for the files below this one: its own budgets and approvals count."""
    limits = {name: _get(file.values, path) for path, name in _LIMITS.items()}
    kept = {name: value for name, value in limits.items() if value is not None}
    for about in _STRICTNESS:
        if value := _get(file.values, f"pipeline.approval.{about}"):
            kept[f"{about}_approval"] = value
    fields = {name: getattr(above, name) for name in Ceilings.__dataclass_fields__}
    return Ceilings(**(fields | kept))


def _merge(installation: Ceilings, files: Sequence[JobFile]) -> Configuration:
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for path, value, name in _defaults(installation):
        if value is not None:
            _set(values, path, value)
            origins[path] = name
    for file in files:
        for path, value in _leaves(file.values, ""):
            _set(values, path, value)
            origins[path] = file.file
    written = [file.values for file in files]
    return Configuration.from_payload(
        _normalised(values)
        | {
            "origins": origins,
            "as_written": _written(written, _TRAINING_KEYS),
            "rest_as_written": _rest(written),
        }
    )


def _defaults(installation: Ceilings) -> Iterator[tuple[str, Any, str]]:
    for path, value in _leaves(_strip(Pipeline().to_payload()), "pipeline"):
        yield path, value, "default"
    yield "extra_body.trainingType", GLOBAL_STANDARD, "default"
    for path, name in _LIMITS.items():
        limit = getattr(installation, name)
        if name != "hosting_usd_month":  # 0 by default: hosting is bought only where a file says so
            default = _get({"pipeline": Pipeline().to_payload()}, path)
            lower = limit if default is None or limit is None else min(limit, default)
            yield path, lower if limit is not None else None, "installation"
    for about, order in _STRICTNESS.items():
        least = getattr(installation, f"{about}_approval")
        if least and order.index(least) > order.index(Pipeline().to_payload()["approval"][about]):
            yield f"pipeline.approval.{about}", least, "installation"


def _strip(payload: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if value is not None}


def _normalised(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merged values under the names that the document uses."""
    shown = dict(values)
    pipeline = {
        key: dict(v) if isinstance(v, Mapping) else v for key, v in shown["pipeline"].items()
    }
    validation = dict(pipeline.get("validation", {}))
    if "raise" in validation:
        validation["raised"] = validation.pop("raise")
    production = pipeline.get("deploy", {}).get("production")
    if production is not None:
        pipeline["deploy"]["production"] = {"sku": GLOBAL_STANDARD, "capacity": 50} | production
    shown["pipeline"] = pipeline | {"validation": validation}
    if shown.get("method"):
        shown["method"] = _method(shown["method"])
    shown["metadata"] = {str(k): str(v) for k, v in (shown.get("metadata") or {}).items()}
    for key in ("training_file", "validation_file"):
        if shown.get(key):
            shown[key] = shown[key].removeprefix("local:")
    return shown


def _method(written: Mapping[str, Any]) -> dict[str, Any]:
    kind = written.get("type", "supervised")
    chosen = dict(written.get(kind) or {})
    parameters = dict(chosen.get("hyperparameters") or {})
    if "epochs" in parameters:
        parameters.setdefault("n_epochs", parameters.pop("epochs"))
        parameters.pop("epochs", None)
    cleaned = {key: "auto" if value == -1 else value for key, value in parameters.items()}
    return {"type": kind, kind: chosen | {"hyperparameters": cleaned}}


def _written(documents: Sequence[Mapping[str, Any]], keys: Sequence[str]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for document in documents:
        for path, value in _leaves({k: v for k, v in document.items() if k in keys}, ""):
            _set(merged, path, value)
    return merged


def _rest(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    keys = {key for document in documents for key in document} - set(_TRAINING_KEYS)
    return _written(documents, sorted(keys))


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else str(key))
    elif path:
        yield path, value


def _get(values: Any, path: str) -> Any:
    for key in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values


def _set(values: dict[str, Any], path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for key in parents:
        inner = values.get(key)
        if not isinstance(inner, dict):
            inner = values[key] = {}
        values = inner
    values[last] = value

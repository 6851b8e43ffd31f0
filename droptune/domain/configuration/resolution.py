"""From the installation's ceilings and two files to one configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from droptune.domain.configuration.checks import MOST_FINDINGS, check_values, finding
from droptune.domain.configuration.document import GLOBAL_STANDARD, Configuration, Pipeline
from droptune.domain.configuration.files import Ceilings, JobFile
from droptune.domain.configuration.limits import (
    DEPLOYMENTS,
    STRICTNESS,
    allowed,
    find_forbidden,
    find_loosened,
    tightened,
)
from droptune.domain.configuration.meaning import check_meaning, sibling
from droptune.domain.configuration.merging import (
    get,
    lay_over,
    said,
    without_aliases,
    without_nulls,
)
from droptune.domain.configuration.shape import SHAPE
from droptune.domain.findings import Finding

_TRAINING_KEYS = ("model", "method", "seed", "extra_body")
_DEFAULT, _INSTALLATION = "default", "installation"
_PRODUCTION = {"sku": GLOBAL_STANDARD, "capacity": 50}


def resolve(
    *,
    installation: Ceilings,
    project_file: JobFile | None,
    job_file: JobFile | None,
    known_models: Sequence[str] = (),
) -> tuple[Configuration | None, tuple[Finding, ...]]:
    """Return the configuration, or None and everything that is wrong, of all files at once.

    A file that tries to loosen what stands above it is refused, naming what it breaks. A model that
    the installation allows by name is known, too.
    """
    known = (*known_models, *(installation.models or ())) if known_models else ()
    settings = installation.notify_settings
    findings: list[Finding] = []
    files: list[JobFile] = []
    ceilings = installation
    for written in (project_file, job_file):
        if written is None:
            continue
        wrong = check_values(written)
        file = _sound(written, wrong)
        findings += wrong
        findings += check_meaning(file, known_models=known, notify_settings=settings)
        findings += find_loosened(ceilings, file)
        ceilings = tightened(ceilings, file)
        files.append(file)
    if findings:
        return None, tuple(findings)
    merged = _merge(installation, files)
    findings = list(_check_merged(merged, ceilings, files))
    return (None, tuple(findings)) if findings else (merged.configuration(files), ())


def _sound(file: JobFile, wrong: Sequence[Finding]) -> JobFile:
    """Return a file without what is wrong: each top-level key in which something is."""
    bad = {re.split(r"[.\[]", found.path or "", maxsplit=1)[0] for found in wrong}
    known = {key: value for key, value in file.values.items() if key in SHAPE.keys}
    if len(wrong) >= MOST_FINDINGS:
        known = {}  # not everything was named
    return replace(file, values=said({k: v for k, v in known.items() if k not in bad}))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Merged:
    """All levels laid over each other, and where each value came from."""

    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)

    def lay(self, above: Mapping[str, Any], name: str) -> None:
        lay_over(self.values, above, self.origins, name)

    def fit(self, *keys: str, value: Any, because: str) -> None:
        """Replace a default that a ceiling does not allow, and say whose ceiling it is."""
        path = ".".join(keys)
        if self.origins.get(path, _DEFAULT) == _DEFAULT:
            above: Any = value
            for key in reversed(keys):
                above = {key: above}
            self.lay(above, self.origins.get(f"pipeline.allow.{because}", _INSTALLATION))

    def configuration(self, files: Sequence[JobFile]) -> Configuration:
        """Return the document, with what identifies the training and what the run besides."""
        training: dict[str, Any] = {}
        rest: dict[str, Any] = {}
        for file in files:
            for key, value in file.values.items():
                lay_over(training if key in _TRAINING_KEYS else rest, {key: value})
        return Configuration.from_payload(
            _as_document(self.values)
            | {
                "origins": self.origins,
                "as_written": without_nulls(training),
                "rest_as_written": without_nulls(rest),
            }
        )


def _merge(installation: Ceilings, files: Sequence[JobFile]) -> _Merged:
    merged = _Merged()
    pipeline = without_nulls(Pipeline().to_payload())
    del pipeline["validation"]["raised"]  # in files it is called `raise`
    merged.lay({"pipeline": pipeline}, _DEFAULT)
    merged.lay({"extra_body": {"trainingType": GLOBAL_STANDARD}}, _DEFAULT)
    merged.lay({"pipeline": _of_installation(installation)}, _INSTALLATION)
    for file in files:
        merged.lay(without_aliases(file.values), file.file)
    if isinstance(production := get(merged.values, "pipeline", "deploy", "production"), dict):
        missing = {key: value for key, value in _PRODUCTION.items() if key not in production}
        merged.lay({"pipeline": {"deploy": {"production": missing}}}, _DEFAULT)
    _fit_defaults(merged)
    return merged


def _of_installation(ceilings: Ceilings) -> dict[str, Any]:
    """Return what the installation's ceilings say where no file says anything.

    Hosting stays 0: it is bought only where a file says so.
    """
    own, approval = Pipeline(), {}
    for about, order in STRICTNESS.items():
        least = getattr(ceilings, f"{about}_approval")
        if least and order.index(least) > order.index(getattr(own.approval, about)):
            approval[about] = least
    lists = {name: getattr(ceilings, name) for name in ("models", "training_types", "skus")}
    hours = ceilings.rollback_hours
    shorter = hours is not None and hours < own.retention.rollback_hours
    return without_nulls(
        {
            "budget": {"run_usd": ceilings.run_usd},
            "approval": approval,
            "retention": {"rollback_hours": hours if shorter else None},
            "allow": {name: list(names) for name, names in lists.items() if names is not None}
            | {"capacity": ceilings.capacity},
        }
    )


def _fit_defaults(merged: _Merged) -> None:
    """Replace defaults that are not allowed by the first thing that is."""
    allow = merged.values["pipeline"].get("allow", {})
    kind, types = merged.values["extra_body"]["trainingType"], allow.get("training_types")
    if types and not allowed(str(kind), types):
        merged.fit("extra_body", "trainingType", value=types[0], because="training_types")
    deploy = merged.values["pipeline"]["deploy"]
    skus = [sku for sku in allow.get("skus") or () if sku != "DeveloperTier"]
    production, most = deploy.get("production"), allow.get("capacity")
    if production and skus and not allowed(production["sku"], skus):
        path = ("pipeline", "deploy", "production", "sku")
        merged.fit(*path, value=skus[0], because="skus")
    for which in DEPLOYMENTS:
        chosen = deploy.get(which)
        if chosen and most is not None and chosen["capacity"] > most:
            path = ("pipeline", "deploy", which, "capacity")
            merged.fit(*path, value=most, because="capacity")


def _check_merged(
    merged: _Merged, ceilings: Ceilings, files: Sequence[JobFile]
) -> Iterator[Finding]:
    """Iterate over what only the files together make wrong, each at the file that said it."""
    if not files:
        return  # every default has been made to fit
    by_name = {file.file: file for file in files}
    for found in find_forbidden(ceilings, files[-1], merged.values):
        path = found.path or ""
        file = by_name.get(merged.origins.get(path, ""), files[-1])
        yield replace(found, file=file.file, line=file.line_of(path))
    polling = merged.values["pipeline"]["polling"]
    if polling["first_seconds"] > polling["longest_seconds"]:
        path = next(
            path
            for name in ("longest_seconds", "first_seconds")
            if merged.origins[path := f"pipeline.polling.{name}"] in by_name
        )
        what = f"first_seconds, {polling['first_seconds']:g}, is above longest_seconds"
        fix = f"Use at most {polling['longest_seconds']:g} for first_seconds."
        yield finding(by_name[merged.origins[path]], path, "wrong-value", what, fix)


def _as_document(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the merged values under the names and in the shape that the document uses."""
    shown, pipeline = dict(values), dict(values["pipeline"])
    validation = dict(pipeline["validation"])
    validation["raised"] = validation.pop("raise", ())
    shown["pipeline"] = pipeline | {"validation": validation}
    if method := shown.pop("method", None):
        kind = method.get("type", "supervised")
        chosen = {"hyperparameters": {}} | (method.get(kind) or {})
        shown["method"] = {"type": kind, kind: without_nulls(chosen)}
    metadata = shown.get("metadata", {})
    shown["metadata"] = {str(key): _as_text(value) for key, value in metadata.items()}
    for key in ("training_file", "validation_file"):
        if shown.get(key):
            shown[key] = sibling(shown[key])
    return shown


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

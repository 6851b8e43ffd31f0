"""What the values of one configuration file mean: models, methods, files of the dataset."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from droptune.domain.configuration.checks import finding
from droptune.domain.configuration.files import JobFile
from droptune.domain.configuration.merging import get
from droptune.domain.configuration.secrets import shown
from droptune.domain.dataset import Role
from droptune.domain.findings import Finding
from droptune.domain.models import is_model

TRAINING_TYPES = ("Standard", "DataZoneStandard", "GlobalStandard", "DeveloperTier")
_FILES = ("training_file", "validation_file")


def check_meaning(
    file: JobFile, *, known_models: Sequence[str], notify_settings: Sequence[str] | None
) -> Iterator[Finding]:
    """Iterate over what is wrong with a file whose values each have their shape."""
    yield from _check_model(file, known_models)
    yield from _check_method(file)
    yield from _check_training_type(file)
    for key in _FILES:
        yield from _check_file(file, key)
    named = [sibling(get(file.values, key) or "") for key in _FILES]
    if named[0] and named[0] == named[1]:
        said = "The training file is named as validation data, too"
        yield finding(file, _FILES[1], "same-file", said, "Name a file of its own, or none.")
    if notify_settings is not None:
        yield from _check_notify(file, notify_settings)


def named_files(file: JobFile) -> dict[Role, str]:
    """Return what a file calls training and validation data: paths in the dataset's folder."""
    found = {
        Role.TRAINING: get(file.values, "training_file"),
        Role.VALIDATION: get(file.values, "validation_file"),
    }
    named = {role: value for role, value in found.items() if isinstance(value, str)}
    return {role: sibling(value) for role, value in named.items() if is_sibling(value)}


def is_sibling(written: str) -> bool:
    """Whether a value names a file of the folder, not one at the service."""
    return written.startswith("local:") or written.lower().endswith((".jsonl", ".json"))


def sibling(written: str) -> str:
    """Return the path that `training_file` names, without `local:` and `./`."""
    path = written.removeprefix("local:").strip()
    while path.startswith("./"):
        path = path[2:]
    return path


def _check_model(file: JobFile, known: Sequence[str]) -> Iterator[Finding]:
    model = get(file.values, "model")
    if not model or not known or any(is_model(model, name) for name in known):
        return
    close = difflib.get_close_matches(model, known, 1, 0.5)
    fix = f"Did you mean `{close[0]}`?" if close else f"Known: {', '.join(known)}."
    said = f'"{shown(model, 60)}" is not a model known here'
    yield finding(file, "model", "unknown-model", said, fix)


def _check_method(file: JobFile) -> Iterator[Finding]:
    method: Mapping[str, Any] = get(file.values, "method") or {}
    kind = method.get("type")
    if kind == "reinforcement":
        said = "Reinforcement fine-tuning is not supported yet"
        yield finding(file, "method.type", "not-yet", said, "Use supervised or dpo.")
    for other in ("supervised", "dpo", "reinforcement"):
        if method.get(other) and other != (kind or "supervised") and not method.get(kind or ""):
            said = f"`{other}` says nothing to the method {kind or 'supervised'}"
            fix = f"Write `type: {other}`, or rename the block."
            yield finding(file, f"method.{other}", "unused-block", said, fix)


def _check_training_type(file: JobFile) -> Iterator[Finding]:
    kind = get(file.values, "extra_body", "trainingType")
    if kind is None or str(kind).casefold() in (each.casefold() for each in TRAINING_TYPES):
        return
    said = f'"{shown(str(kind))}" is no training type'
    fix = f"Use one of {', '.join(TRAINING_TYPES)}."
    yield finding(file, "extra_body.trainingType", "wrong-value", said, fix)


def _check_file(file: JobFile, key: str) -> Iterator[Finding]:
    written = get(file.values, key)
    if written is None:
        return
    name = sibling(written)
    if not is_sibling(written):
        said = "A file id names a file at the service, and the dataset's own data is trained on"
        yield finding(file, key, "file-id", said, "Name a sibling: local:training.jsonl.")
    elif not name.rpartition("/")[2] or not name.isprintable():
        said = "No file is named"
        yield finding(file, key, "wrong-value", said, "Name a sibling: local:training.jsonl.")


def _check_notify(file: JobFile, known: Sequence[str]) -> Iterator[Finding]:
    for position, target in enumerate(get(file.values, "pipeline", "notify") or ()):
        if target["url_setting"] not in known:
            fix = f"Use one of {', '.join(known)}." if known else "Set it in the app's settings."
            said = f"{target['url_setting']} is not set in this installation"
            path = f"pipeline.notify[{position}].url_setting"
            yield finding(file, path, "unknown-setting", said, fix)

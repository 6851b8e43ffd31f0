"""What is asked of a fine-tuning job, checked as the service checks it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from emulator.errors import ApiError, invalid_payload, not_emulated
from emulator.faults import is_retired
from emulator.models import Model, find_base_model
from emulator.records import Json
from emulator.state import State

SUFFIX = re.compile(r"[A-Za-z0-9_-]{1,40}")
_NOT_SUPPORTED = "The specified base model does not support fine-tuning."
_NOT_BOUND = "The fineTuningJob field is required."
_TRAINING_TYPES = {
    "standard": "standard",
    "globalstandard": "globalStandard",
    "developertier": "developerTier",
    "1": "globalStandard",
}
_OF_OPENAI = ("gpt-4", "o4-")
_MOST_SEED = 2**31 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRequest:
    """A job that was asked for and may be had. `model` is the full name."""

    model: str
    base: Model
    training_file: str
    validation_file: str
    suffix: str
    seed: int | None
    method: Json | None
    training_type: str
    hyperparameters: Json
    integrations: list[Json]


def read_job_request(state: State, body: Json, now: float) -> JobRequest:
    """Return what a body asks for; raises ApiError.

    Source: v1 contract, `createFineTuningJob`, with the real texts of facts 1.3, 1.4 and 1.9.
    """
    model, base = _model(state, body)
    method = _method(body, base)
    training_type = _training_type(body, base)
    suffix = body.get("suffix") or ""
    if suffix and (not isinstance(suffix, str) or not SUFFIX.fullmatch(suffix)):
        raise invalid_payload("The suffix may have 40 characters of A-Z, a-z, 0-9, _ and -.")
    _check_metadata(body.get("metadata"))
    return JobRequest(
        model=model,
        base=base,
        training_file=_file(state, body.get("training_file"), now),
        validation_file=_file(state, body["validation_file"], now)
        if body.get("validation_file")
        else "",
        suffix=suffix,
        seed=_seed(body.get("seed")),
        method=body.get("method"),
        training_type=training_type,
        hyperparameters=_hyperparameters(body, method),
        integrations=list(body.get("integrations") or []),
    )


def _model(state: State, body: Json) -> tuple[str, Model]:
    """Return the full name and the base model; a fine-tuned model may be trained further."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise invalid_payload("The model field is required.")
    base, job = find_base_model(name), state.find_job_of_model(name)
    if base is None or (".ft-" in name and job is None):
        raise invalid_payload(_NOT_SUPPORTED)
    if is_retired(state, base.name):  # Unverified: the text
        raise invalid_payload(_NOT_SUPPORTED)
    return (name if job else base.id), base


def _method(body: Json, base: Model) -> str:
    method = body.get("method")
    if method is not None and not isinstance(method, dict):
        raise invalid_payload(_NOT_BOUND)
    kind = str((method or {}).get("type") or "supervised")
    if kind not in ("supervised", "dpo", "reinforcement"):
        raise invalid_payload(_NOT_BOUND)
    if kind not in base.methods:
        raise invalid_payload(_NOT_SUPPORTED)
    if kind == "reinforcement":
        raise not_emulated("reinforcement fine-tuning")
    return kind


def _training_type(body: Json, base: Model) -> str:
    """Return the tier as it is echoed. Source: facts 1.4: without it, or with one that the model
    lacks, the base model "does not support fine-tuning"; a wrong spelling does not bind.

    Unverified: what the integer 1 stands for, and the text for open models beyond its end.
    """
    asked = body.get("trainingType")
    if asked is None:
        raise invalid_payload(_NOT_SUPPORTED)
    known = _TRAINING_TYPES.get(str(asked).lower())
    if known is None:
        raise invalid_payload(_NOT_BOUND)
    if known.lower() not in base.training_types:
        raise invalid_payload(_unsupported(base, known))
    return known


def _unsupported(base: Model, training_type: str) -> str:
    if base.name.startswith(_OF_OPENAI):
        return _NOT_SUPPORTED
    tier = training_type[0].upper() + training_type[1:]
    return f"{base.name} does not support fine-tuning with {tier} TrainingType"


def _file(state: State, file_id: Any, now: float) -> str:
    """Return the id of a file that can be trained on. Source: the text is on record (LIVE1).

    Unverified: that an unknown file gets the same answer as one that is not ready.
    """
    file = state.find_file(file_id) if isinstance(file_id, str) else None
    if file is None or file.purpose != "fine-tune" or file.status(now) != "processed":
        raise invalid_payload("The specified file reference must point to a completed file import.")
    return file.id


def _seed(seed: Any) -> int | None:
    if seed is None:
        return None
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed <= _MOST_SEED:
        raise invalid_payload(f"The seed must be a whole number from 0 to {_MOST_SEED}.")
    return seed


def _check_metadata(metadata: Any) -> None:
    """Refuse what the contract does not allow. Differs: metadata is not kept (facts 1.4)."""
    if metadata is None:
        return
    fits = isinstance(metadata, dict) and len(metadata) <= 16
    if not fits or any(len(k) > 64 or len(str(v)) > 512 for k, v in metadata.items()):
        raise invalid_payload("metadata may have 16 pairs of 64 and 512 characters at most.")


def _hyperparameters(body: Json, method: str) -> Json:
    """Return the hyperparameters as sent, from `method` or from the deprecated place."""
    named = ((body.get("method") or {}).get(method) or {}).get("hyperparameters")
    asked = named or body.get("hyperparameters") or {}
    if not isinstance(asked, dict):
        raise invalid_payload(_NOT_BOUND)
    for name, value in asked.items():
        _check_hyperparameter(name, value)
    return {name: value for name, value in asked.items() if value is not None}


_WHOLE = {"n_epochs": 50, "batch_size": 256}
_NUMBERS = ("learning_rate_multiplier", "beta", "l2_multiplier", "prompt_loss_weight")


def _check_hyperparameter(name: str, value: Any) -> None:
    """Refuse an unknown name or an impossible value. Unverified: the ranges and the texts."""
    if name not in (*_WHOLE, *_NUMBERS):
        raise invalid_payload(f"The hyperparameter {name!r} is not known.")
    if value in (None, "auto", -1):
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise _bad_value(name, value)
    if name in _WHOLE and (value != int(value) or value > _WHOLE[name]):
        raise _bad_value(name, value)


def _bad_value(name: str, value: Any) -> ApiError:
    return invalid_payload(f"The value {value!r} of the hyperparameter {name!r} is not allowed.")

"""What is known of the models that can be fine-tuned."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelFacts:
    """A base model.

    Attributes:
        version: as in Azure, or "" where none is known.
        encoding: its tokens' encoding, or None where no public one is known.
        example_tokens: the longest example that it trains on, or None.
    """

    name: str
    version: str
    methods: tuple[str, ...]
    encoding: str | None
    example_tokens: int | None


@cache
def load(file: str) -> Mapping[str, Any]:
    """Return one of the data files of this package."""
    text = resources.files("droptune.domain.data").joinpath(file).read_text("utf-8")
    document: Mapping[str, Any] = json.loads(text)
    return document


@cache
def _models() -> tuple[ModelFacts, ...]:
    rows = load("models.json")["models"]
    return tuple(ModelFacts(**row | {"methods": tuple(row["methods"])}) for row in rows)


def model_names() -> tuple[str, ...]:
    """Return the names of all known models."""
    return tuple(model.name for model in _models())


def find_model(name: str) -> ModelFacts | None:
    """Return a model by its name, with or without version; a fine-tuned one by its base."""
    base = _base(name)
    return next((model for model in _models() if base in _names(model)), None)


def _names(model: ModelFacts) -> tuple[str, ...]:
    name = model.name.casefold()
    return (name, f"{name}-{model.version.casefold()}") if model.version else (name,)


def is_model(name: str, model: str) -> bool:
    """Whether a name names a model, in any version, itself or fine-tuned; case is ignored."""
    base, wanted = _base(name), _base(model)
    return base == wanted or re.fullmatch(rf"{re.escape(wanted)}-\d[\d-]*", base) is not None


def _base(name: str) -> str:
    return name.split(".ft-")[0].removeprefix("ft:").split(":")[0].casefold()

"""Laying one document over another, and remembering where each value came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from droptune.domain.configuration.shape import SHAPE, Block, Field, ListOf, Wanted

AUTO = "auto"


def get(values: Any, *keys: str) -> Any:
    """Return what stands under some keys, or None."""
    for key in keys:
        if not isinstance(values, Mapping):
            return None
        values = values.get(key)
    return values


def said(values: Mapping[str, Any], block: Block = SHAPE) -> dict[str, Any]:
    """Return a document without the keys that say nothing: null where a mapping or list belongs."""
    return {
        key: _said(value, block.keys.get(key))
        for key, value in values.items()
        if value is not None or _null_means_something(block.keys.get(key))
    }


def _said(value: Any, wanted: Wanted | None) -> Any:
    if isinstance(wanted, Block) and isinstance(value, Mapping):
        return said(value, wanted)
    if isinstance(wanted, ListOf) and isinstance(value, list | tuple):
        return [_said(item, wanted.item) for item in value]
    return value


def _null_means_something(wanted: Wanted | None) -> bool:
    return isinstance(wanted, Field) or (isinstance(wanted, Block) and wanted.means_none)


def without_aliases(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document in which `epochs` is `n_epochs` and -1 is auto."""
    method = {
        key: _parameters_renamed(value) if isinstance(value, Mapping) else value
        for key, value in (values.get("method") or {}).items()
    }
    return {**values, "method": method} if method else dict(values)


def _parameters_renamed(chosen: Mapping[str, Any]) -> dict[str, Any]:
    parameters = chosen.get("hyperparameters")
    if not isinstance(parameters, Mapping):
        return dict(chosen)
    renamed = {
        "n_epochs" if key == "epochs" else key: AUTO if value == -1 else value
        for key, value in parameters.items()
    }
    return {**chosen, "hyperparameters": renamed}


def lay_over(
    below: dict[str, Any],
    above: Mapping[str, Any],
    origins: dict[str, str] | None = None,
    name: str = "",
    path: str = "",
) -> None:
    """Change `below` to say what `above` says; note in `origins` the `name` of each new value."""
    for key, value in above.items():
        where = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            inner = below.get(key)
            if not isinstance(inner, dict):
                inner = below[key] = {}
            lay_over(inner, value, origins, name, where)
        elif isinstance(value, Mapping):
            below[key] = below.get(key) or {}
        else:
            below[key] = value
            if origins is not None:
                origins[where] = name


def without_nulls(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without its nulls, at any depth of mappings."""
    return {
        key: without_nulls(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }

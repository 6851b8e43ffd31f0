"""The configuration of a run as rows: path, value, and where the value came from."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from droptune.domain.payload import Payload

_INSIDE = ("origins", "as_written", "rest_as_written")
DEFAULT = "default"


def configuration_rows(configuration: Mapping[str, Any] | None) -> list[Payload]:
    """Return `path`, `value` and `origin` of each value, those that somebody wrote first."""
    if not configuration:
        return []
    found = configuration.get("origins")
    origins = found if isinstance(found, Mapping) else {}
    shown = {key: value for key, value in configuration.items() if key not in _INSIDE}
    rows = [_row(path, value, origins) for path, value in _leaves(shown, "")]
    return sorted(rows, key=lambda row: row["origin"] == DEFAULT)


def _leaves(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        path = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{path}.")
        elif value not in (None, [], (), {}):
            yield path, value


def _row(path: str, value: object, origins: Mapping[str, Any]) -> Payload:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return {"path": path, "value": text, "origin": _origin(path, origins)}


def _origin(path: str, origins: Mapping[str, Any]) -> str:
    """Return the origin of a value: its own, that of what is above it, or that of a part of it."""
    parts = path.split(".")
    for length in range(len(parts), 0, -1):
        if found := origins.get(".".join(parts[:length])):
            return str(found)
    inside = (origin for name, origin in origins.items() if str(name).startswith(f"{path}"))
    return str(next(inside, DEFAULT))

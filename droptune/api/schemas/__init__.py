"""JSON Schemas as they are published and served."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

JOB_FILE, REPORT = "fine-tune-job", "report"


def read_schema(name: str) -> bytes:
    """Return a published schema as it is stored; raises OSError where this version has none."""
    return resources.files(__name__).joinpath(f"{name}.schema.json").read_bytes()


def report_components() -> dict[str, Any]:
    """Return the schema of the report as OpenAPI's components: `Report`, `ReportFile` and so on."""
    whole = json.loads(read_schema(REPORT))
    parts = whole.pop("$defs")
    del whole["$schema"]
    named = {"Report": whole} | {_component(name): part for name, part in parts.items()}
    return {name: _moved(part) for name, part in named.items()}


def _component(name: str) -> str:
    return f"Report{name[0].upper()}{name[1:]}"


def _moved(part: Any) -> Any:
    """Return a part of the schema, references to definitions as references to components."""
    if isinstance(part, list):
        return [_moved(each) for each in part]
    if not isinstance(part, dict):
        return part
    moved = {key: _moved(value) for key, value in part.items()}
    if isinstance(target := part.get("$ref"), str):
        moved["$ref"] = f"#/components/schemas/{_component(target.removeprefix('#/$defs/'))}"
    return moved

"""The published v1 contract, with the deviations that are documented of the real service."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.emulator.resources import SPECS

_PREFIX = "/openai/v1"
# Source: the wire is not the schema (facts 1.3 to 1.5): what is null is missing.
_MISSING = {
    "OpenAI.FineTuningJob": {
        "error",
        "fine_tuned_model",
        "finished_at",
        "organization_id",
        "result_files",
        "trained_tokens",
        "validation_file",
        "metadata",
    },
    "AzureListFilesResponse": {"first_id", "last_id"},
}
_MORE_STATUSES = ["pending", "pausing", "paused", "resuming"]


class Contract:
    """Checks answers."""

    def __init__(self, document: Any) -> None:
        """Read the contract and loosen it where the real service is known to differ."""
        self._paths = document["paths"]
        schemas = document["components"]["schemas"]
        job = schemas["OpenAI.FineTuningJob"]
        job["properties"]["status"]["enum"] += _MORE_STATUSES
        job["properties"]["error"]["required"].remove("param")
        for name, missing in _MISSING.items():
            schemas[name]["required"] = [k for k in schemas[name]["required"] if k not in missing]
        self._schemas = _with_null(schemas)

    def check(self, method: str, path: str, status: int, body: bytes) -> None:
        """Hold one answer against the contract; what the contract does not have is let pass."""
        schema = self._schema(method, path, status)
        if schema is None or not path.startswith(_PREFIX):
            return
        root = {**_with_null(schema), "components": {"schemas": self._schemas}}
        errors = list(Draft202012Validator(root).iter_errors(json.loads(body)))
        assert not errors, f"{method} {path} {status}: {[error.message for error in errors]}"

    def _schema(self, method: str, path: str, status: int) -> Any:
        operation = self._operation(method, path.removeprefix(_PREFIX))
        if operation is None or status == 0:
            return None
        answer = operation["responses"]["200" if status < 300 else "default"]
        content = answer["content"].get("application/json")
        return content["schema"] if content else None

    def _operation(self, method: str, path: str) -> Any:
        for template, operations in self._paths.items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                return operations.get(method.lower())
        return None


def _with_null(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema: `nullable` is a type there."""
    if isinstance(schema, list):
        return [_with_null(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {k: _with_null(v) for k, v in schema.items() if k not in ("nullable", "discriminator")}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@cache
def find_contract() -> Contract | None:
    """Return the contract, or None where it is not beside this clone."""
    path = SPECS / "azure-openai-v1.openapi.json"
    return Contract(json.loads(path.read_text())) if path.is_file() else None

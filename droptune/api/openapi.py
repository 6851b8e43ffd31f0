"""The OpenAPI 3.1 document of the routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from droptune.api.openapi_schemas import SCHEMAS
from droptune.api.operations import OPERATIONS, PATH_PARAMETERS, Operation
from droptune.api.schemas import report_components
from droptune.domain.payload import Payload

_PROBLEM = "application/problem+json"
_MEANINGS = {
    "304": "The caller has this version already",
    "400": "The request says something that cannot be understood",
    "401": "No key, or a wrong one",
    "403": "A page of another site asked",
    "404": "There is no such thing",
    "409": "Not now, and why",
    "413": "The body is too long",
    "422": "The dataset cannot be used",
    "500": "Something unexpected went wrong inside Droptune",
    "501": "Not built yet",
    "502": "Azure refused",
    "503": "For the moment it does not work: try again",
}
_EVERYWHERE = ("500", "502", "503")
_HEADERS: dict[str, Payload] = {
    "ETag": {"schema": {"type": "string"}, "description": "for If-None-Match"},
    "Location": {"schema": {"type": "string"}},
    "Retry-After": {"schema": {"type": "integer"}, "description": "seconds"},
    "Set-Cookie": {"schema": {"type": "string"}},
}


def document(rows: Iterable[tuple[str, str, str]], version: str, base: str) -> Payload:
    """Return the document for rows of operation id, lower-case method and path below `api/`."""
    paths: dict[str, dict[str, Any]] = {}
    for name, method, path in rows:
        paths.setdefault(f"/api/{path}", {})[method] = _operation(name, path, OPERATIONS[name])
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Droptune",
            "version": version,
            "description": "Drop a folder of JSONL; a better model, or a reasoned no. Errors are "
            "problem documents (RFC 9457) with a stable code, a cause, a remedy and a link.",
        },
        "servers": [{"url": base}],
        "security": [{"functionKey": []}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS | report_components(),
            "securitySchemes": {
                "functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"},
                "session": {"type": "apiKey", "in": "cookie", "name": "droptune_session"},
            },
        },
    }


def _operation(name: str, path: str, operation: Operation) -> Payload:
    shown: Payload = {
        "operationId": name,
        "summary": operation.summary,
        "tags": ["pages" if operation.is_page else "api"],
        "parameters": _parameters(path, operation),
        "responses": dict(sorted(_responses(operation).items())),
    }
    if operation.body:
        kind = "application/x-www-form-urlencoded" if operation.is_page else "application/json"
        content = {kind: {"schema": _ref(operation.body)}}
        shown["requestBody"] = {"content": content, "required": operation.needs_body}
    if operation.is_anonymous:
        shown["security"] = [{}, {"session": []}] if operation.is_page else []
    return shown


def _parameters(path: str, operation: Operation) -> list[Payload]:
    in_path = [
        {"name": found, "in": "path", "required": True, "schema": PATH_PARAMETERS[found]}
        for found in re.findall(r"{(\w+)}", path)
    ]
    in_query = [{"name": k, "in": "query", "schema": v} for k, v in operation.query.items()]
    known = {"name": "If-None-Match", "in": "header", "schema": {"type": "string"}}
    return in_path + in_query + ([known] if operation.is_conditional else [])


def _responses(operation: Operation) -> Payload:
    failures = {*operation.failures, *_EVERYWHERE}
    if operation.is_conditional:
        failures.add("304")
    if not operation.is_anonymous:
        failures.add("401")
    return {
        operation.status: _success(operation),
        **{status: _failure(status, operation) for status in failures},
    }


def _success(operation: Operation) -> Payload:
    response: Payload = {"description": operation.summary}
    if operation.shown:
        is_schema = "/" not in operation.shown
        kind = "application/json" if is_schema else operation.shown
        response["content"] = {kind: {"schema": _ref(operation.shown)} if is_schema else {}}
    names = (*operation.headers, *(("ETag",) if operation.is_conditional else ()))
    return response | _with_headers(names)


def _failure(status: str, operation: Operation) -> Payload:
    response: Payload = {"description": _MEANINGS[status]}
    if status == "304":
        return response | _with_headers(("ETag",))
    if status == "401" and not operation.is_page:
        return response  # the Functions host answers it, with an empty body
    if operation.is_page:
        return response | {"content": {"text/html": {}}}
    response["content"] = {_PROBLEM: {"schema": _ref("Problem")}}
    return response | _with_headers(("Retry-After",) if status == "503" else ())


def _with_headers(names: Iterable[str]) -> Payload:
    headers = {name: _HEADERS[name] for name in names}
    return {"headers": headers} if headers else {}


def _ref(schema: str) -> Payload:
    return {"$ref": f"#/components/schemas/{schema}"}

"""The OpenAPI 3.1 document of the routes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from droptune.domain.payload import Payload
from droptune.domain.phases import Outcome, Phase

_TEXT: Payload = {"type": "string"}
_OPTIONAL: Payload = {"type": ["string", "null"]}
_OBJECT: Payload = {"type": "object"}
_NULLABLE: Payload = {"type": ["object", "null"]}
_TIME: Payload = {"type": "string", "format": "date-time"}
_LINKS: Payload = {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}}

# operation id -> (summary, status of success, response schema or media type)
_OPERATIONS: dict[str, tuple[str, str, str]] = {
    "list_datasets": ("What was dropped and what became of it", "200", "Datasets"),
    "get_dataset": ("One dataset, and links to its runs", "200", "Dataset"),
    "start_run_on_request": ("Start, retry or repeat a run", "202", "Started"),
    "list_runs": ("Runs, newest first", "200", "Runs"),
    "get_run": ("Status document of a run", "200", "Run"),
    "get_report": ("Validation and cost report", "200", "application/json"),
    "get_events": ("Events of the job, one a line", "200", "application/jsonl"),
    "get_metrics": ("Metrics of the job's steps", "200", "application/json"),
    "cancel_run": ("Cancel a run", "202", "Run"),
    "pause_run": ("Pause a run", "202", "Run"),
    "resume_run": ("Resume a paused run", "202", "Run"),
    "approve_run": ("Approve what a run waits for", "202", "Run"),
    "reject_run": ("Reject what a run waits for", "202", "Run"),
    "promote_run": ("Promote later what was not promoted", "202", "Started"),
    "list_projects": ("Projects and their champions", "200", "Projects"),
    "get_project": ("Champion, history, runs and spend", "200", "Project"),
    "get_champion": ("The deployment that callers should use", "200", "Champion"),
    "roll_back_project": ("Make the previous champion current", "202", "Champion"),
    "get_health": ("Whether the app is ready", "200", "Health"),
    "get_schema": ("JSON Schema of fine-tune-job.yaml", "200", "application/schema+json"),
    "get_openapi": ("This document", "200", "application/json"),
    "show_dashboard": ("Page: the newest runs", "200", "text/html"),
    "show_run": ("Page: one run", "200", "text/html"),
    "say_on_page": ("Form: decide about a run", "303", ""),
    "open_session": ("Form: buy the pages' cookie with a key", "303", ""),
}
_ANONYMOUS = ("get_health", "show_dashboard", "show_run", "say_on_page", "open_session")
_WORDS = ("cancel", "pause", "resume", "approve", "reject")
_BODIES = {
    "start_run_on_request": "Wish",
    **{f"{word}_run": "Word" for word in _WORDS},
    "promote_run": "Reason",
    "roll_back_project": "Reason",
}
_QUERIES: dict[str, dict[str, Payload]] = {
    "list_runs": {
        "project": _TEXT,
        "phase": {"enum": [phase.value for phase in Phase]},
        "limit": {"type": "integer", "minimum": 1, "maximum": 200, "default": 50},
        "after": _TEXT,
    }
}


def _object(required: str, **properties: Payload) -> Payload:
    return {"type": "object", "required": required.split(), "properties": properties}


def _list(of: str) -> Payload:
    return {"type": "array", "items": _ref(of)}


def _ref(schema: str) -> Payload:
    return {"$ref": f"#/components/schemas/{schema}"}


_REASON: Payload = {"type": "string", "maxLength": 2000}
_BY: Payload = {"type": "string", "maxLength": 100}
_ABOUT: Payload = {"enum": ["training", "promotion"]}
_SCHEMAS: Payload = {
    "Wish": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {"dataset": _TEXT, "retry": _TEXT, "again": _TEXT},
    },
    "Word": _object("", reason=_REASON, by=_BY, about=_ABOUT) | {"additionalProperties": False},
    "Reason": _object("", reason=_REASON, by=_BY) | {"additionalProperties": False},
    "Started": _object(
        "id statusUrl pageUrl started code message",
        id=_TEXT,
        statusUrl=_TEXT,
        pageUrl=_TEXT,
        started={"type": "boolean"},
        code=_TEXT,
        message=_TEXT,
    ),
    "Runs": _object("runs next", runs=_list("RunRow"), next=_OPTIONAL),
    "RunRow": _object(
        "id phase outcome message links",
        id=_TEXT,
        phase={"enum": [phase.value for phase in Phase]},
        outcome={"enum": [outcome.value for outcome in Outcome]},
        message=_TEXT,
        links=_LINKS,
    ),
    "Run": _object(
        "schema_version id project version attempt phase phase_index phase_count outcome message "
        "waiting_for next dropped_by dataset configuration cost job deployment test champion "
        "error links created_at updated_at ended_at",
        schema_version={"type": "integer"},
        id=_TEXT,
        project=_TEXT,
        version=_TEXT,
        attempt={"type": "integer"},
        phase={"enum": [phase.value for phase in Phase]},
        phase_index={"type": "integer"},
        phase_count={"type": "integer"},
        outcome={"enum": [outcome.value for outcome in Outcome]},
        message=_TEXT,
        waiting_for=_OPTIONAL,
        next=_OPTIONAL,
        dropped_by=_OPTIONAL,
        dataset=_OBJECT,
        configuration=_NULLABLE,
        cost=_OBJECT,
        job=_NULLABLE,
        deployment=_NULLABLE,
        test=_NULLABLE,
        champion=_NULLABLE,
        error=_NULLABLE,
        links=_LINKS,
        created_at=_TIME,
        updated_at=_TIME,
        ended_at=_OPTIONAL,
    ),
    "Datasets": _object("datasets", datasets=_list("Dataset")),
    "Dataset": _object(
        "project version state message waiting_for files runs links",
        project=_OPTIONAL,
        version=_OPTIONAL,
        state={"enum": ["waiting", "settling", "seen", "started", "rejected"]},
        message=_TEXT,
        waiting_for=_OPTIONAL,
        files={"type": "array", "items": _OBJECT},
        runs=_list("RunRow"),
        links=_LINKS,
    ),
    "Projects": _object("projects", projects={"type": "array", "items": _OBJECT}),
    "Project": _object(
        "project champion history runs spend links",
        project=_TEXT,
        champion=_NULLABLE,
        history={"type": "array", "items": _OBJECT},
        runs=_list("RunRow"),
        spend=_OBJECT,
        links=_LINKS,
    ),
    "Champion": _object(
        "schema_version project endpoint deployment model run_id since max_age_seconds",
        project=_TEXT,
        endpoint=_TEXT,
        deployment=_TEXT,
        model=_TEXT,
        run_id=_TEXT,
        since=_TIME,
        max_age_seconds={"type": "integer"},
    ),
    "Health": _object("status version installed_at", status=_TEXT, version=_TEXT),
    "Problem": _object(
        "type title status detail code remedy instance",
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        code=_TEXT,
        remedy=_TEXT,
        instance=_TEXT,
    ),
}


def document(rows: Iterable[tuple[str, str, str]], version: str, base: str) -> Payload:
    """Return the document for rows of operation id, lower-case method and path below `api/`."""
    paths: dict[str, dict[str, Any]] = {}
    for name, method, path in rows:
        paths.setdefault(f"/api/{path}", {})[method] = _operation(name, path)
    key = {"type": "apiKey", "in": "header", "name": "x-functions-key"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Droptune", "version": version},
        "servers": [{"url": base}],
        "security": [{"functionKey": []}],
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": {"functionKey": key}},
    }


def _operation(name: str, path: str) -> Payload:
    summary, status, shown = _OPERATIONS[name]
    operation: Payload = {
        "operationId": name,
        "summary": summary,
        "parameters": _parameters(name, path),
        "responses": {status: _success(summary, shown), "default": _problem()},
    }
    if body := _BODIES.get(name):
        operation["requestBody"] = {"content": {"application/json": {"schema": _ref(body)}}}
    if name in _ANONYMOUS:
        operation["security"] = []
    return operation


def _parameters(name: str, path: str) -> list[Payload]:
    in_path = [
        {"name": found, "in": "path", "required": True, "schema": _TEXT}
        for found in re.findall(r"{(\w+)}", path)
    ]
    queries = _QUERIES.get(name, {}).items()
    return in_path + [{"name": key, "in": "query", "schema": schema} for key, schema in queries]


def _success(summary: str, shown: str) -> Payload:
    if not shown:
        return {"description": summary}
    if "/" in shown:
        return {"description": summary, "content": {shown: {}}}
    return {"description": summary, "content": {"application/json": {"schema": _ref(shown)}}}


def _problem() -> Payload:
    content = {"application/problem+json": {"schema": _ref("Problem")}}
    return {"description": "What is wrong, and what would be right", "content": content}

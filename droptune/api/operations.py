"""What each route takes and answers, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from droptune.domain.payload import Payload
from droptune.domain.phases import Phase

_NAME = "[A-Za-z0-9-][A-Za-z0-9._-]{0,63}"
_TEXT: Payload = {"type": "string"}
_NAMED: Payload = {"type": "string", "pattern": f"^({_NAME})?$"}
_NOTHING: dict[str, Payload] = {}
PATH_PARAMETERS: dict[str, Payload] = {
    "id": {"type": "string", "pattern": "^[a-z0-9-]{1,100}$"},
    "project": {"type": "string", "pattern": f"^{_NAME}$"},
    "version": {"type": "string", "pattern": f"^{_NAME}$"},
    "name": {"type": "string", "pattern": "^[a-z0-9.-]{1,60}$"},
}


def _limit(most: int, default: int) -> Payload:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One route.

    Attributes:
        shown: the schema of the answer, or its media type, or "" for none.
        failures: statuses beyond those that any route may answer.
        body: the schema of the body, or "" where none is read.
        is_conditional: answers an ETag, and 304 to If-None-Match.
    """

    summary: str
    shown: str = ""
    status: str = "200"
    failures: tuple[str, ...] = ()
    body: str = ""
    needs_body: bool = False
    query: Mapping[str, Payload] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    is_conditional: bool = False
    is_page: bool = False
    is_anonymous: bool = False


def _get(
    summary: str, shown: str, *failures: str, query: Mapping[str, Payload] = _NOTHING
) -> Operation:
    return Operation(
        summary=summary, shown=shown, failures=failures, query=query, is_conditional=True
    )


def _say(summary: str, body: str = "Word") -> Operation:
    return Operation(
        summary=summary,
        shown="Run",
        status="202",
        failures=("400", "403", "404", "409", "413"),
        body=body,
        headers=("Location",),
    )


def _start(summary: str, body: str, *, needs_body: bool, failures: tuple[str, ...]) -> Operation:
    return Operation(
        summary=summary,
        shown="Started",
        status="202",
        failures=("400", "403", "404", "409", "413", "422", *failures),
        body=body,
        needs_body=needs_body,
        headers=("Location", "Retry-After"),
    )


def _page(summary: str, *failures: str, query: Mapping[str, Payload] = _NOTHING) -> Operation:
    return Operation(
        summary=summary,
        shown="text/html",
        failures=("401", "403", *failures),
        query=query,
        is_conditional=True,
        is_page=True,
        is_anonymous=True,
    )


def _form(summary: str, body: str, *failures: str, headers: tuple[str, ...] = ()) -> Operation:
    return Operation(
        summary=summary,
        status="303",
        failures=("400", "401", "403", "413", *failures),
        body=body,
        needs_body=body not in ("", "SessionForm"),  # a local app asks for no key
        headers=("Location", *headers),
        is_page=True,
        is_anonymous=True,
    )


_RUNS_QUERY: dict[str, Payload] = {
    "project": _NAMED,
    "phase": {"enum": ["", *(phase.value for phase in Phase)]},
    "limit": _limit(200, 50),
    "after": {"type": "string", "pattern": "^([0-9]{14}-[a-z0-9-]{1,100})?$"},
}
_PAGE_QUERY: dict[str, Payload] = {
    "project": _NAMED,
    "phase": {
        "enum": ["", "open", "waiting", "ended"]
        + [phase.value for phase in Phase if phase is not Phase.UNRECOGNISED]
    },
    "text": _TEXT,
    "after": _RUNS_QUERY["after"],
}
_DATASETS_QUERY: dict[str, Payload] = {
    "limit": _limit(1000, 200),
    "after": {"type": "string", "maxLength": 1100},
}

OPERATIONS: dict[str, Operation] = {
    "list_datasets": _get(
        "What was dropped and what became of it", "Datasets", "400", query=_DATASETS_QUERY
    ),
    "get_dataset": _get("One dataset, and links to its runs", "Dataset", "404"),
    "start_run_on_request": _start(
        "Start, retry or repeat a run", "Wish", needs_body=True, failures=()
    ),
    "list_runs": _get("Runs, newest first", "Runs", "400", query=_RUNS_QUERY),
    "get_run": _get("Status document of a run", "Run", "404"),
    "get_report": _get("Validation and cost report", "Report", "404"),
    "get_events": _get("Events of the job, one a line", "application/jsonl", "404"),
    "get_metrics": _get("Metrics of the job's steps", "application/json", "404"),
    "get_notifications": _get("What others were told of a run", "Notifications", "404"),
    "replay_notifications": Operation(
        summary="Tell again what could not be told",
        shown="Replayed",
        status="202",
        failures=("400", "403", "404", "413"),
        body="Nothing",
    ),
    "get_answers": _get(
        "Answers of candidate, champion and base model side by side", "application/json", "404"
    ),
    "cancel_run": _say("Cancel a run"),
    "pause_run": _say("Pause a run"),
    "resume_run": _say("Resume a paused run"),
    "approve_run": _say("Approve what a run waits for", "Decision"),
    "reject_run": _say("Reject what a run waits for", "Decision"),
    "promote_run": _start(
        "Promote later what was not promoted", "Reason", needs_body=False, failures=()
    ),
    "list_projects": _get("Projects and their champions", "Projects"),
    "get_project": _get("Champion, history, runs and spend", "Project", "404"),
    "get_champion": _get("The deployment that callers should use", "Champion", "404"),
    "roll_back_project": Operation(
        summary="Make the previous champion current",
        shown="Champion",
        status="202",
        failures=("400", "403", "404", "409", "413"),
        body="Reason",
    ),
    "sweep_on_request": Operation(
        summary="Delete what no run and no champion needs, or list it",
        shown="Sweep",
        failures=("400", "403", "413"),
        body="SweepWish",
    ),
    "get_health": Operation(summary="Whether the app is ready", shown="Health", is_anonymous=True),
    "get_schema": _get("JSON Schema of fine-tune-job.yaml", "application/schema+json", "404"),
    "get_report_schema": _get("JSON Schema of the report", "application/schema+json", "404"),
    "get_openapi": _get("This document", "application/json"),
    "show_dashboard": _page("Page: projects, runs, datasets", "400", query=_PAGE_QUERY),
    "show_run": _page("Page: one run", "404"),
    "show_project": _page("Page: one project", "404"),
    "show_document": Operation(
        summary="A document of a run, unchanged",
        shown="*/*",
        failures=("304", "401", "403", "404"),
        headers=("ETag",),
        is_page=True,
        is_anonymous=True,
    ),
    "say_on_page": _form("Form: decide about a run", "WordForm", "404", "409", "422"),
    "start_on_page": _form("Form: start a dataset", "DatasetForm", "404", "409", "422"),
    "say_on_project": _form("Form: roll back", "RollbackForm", "404", "409"),
    "open_session": _form(
        "Form: buy the pages' cookie with a key", "SessionForm", headers=("Set-Cookie",)
    ),
    "close_session": _form("Form: give the cookie back", "", headers=("Set-Cookie",)),
    "get_asset": Operation(
        summary="Style, script or icon of the pages",
        shown="*/*",
        failures=("304", "404"),
        is_page=True,
        is_anonymous=True,
        headers=("ETag",),
    ),
}

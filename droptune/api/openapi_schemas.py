"""The schemas of what is asked and answered."""

from __future__ import annotations

from droptune.api.bodies import LARGEST_METRIC, METRIC_NAME, MOST_METRICS
from droptune.domain.outbox import ANSWERS, DELIVERED, UNDELIVERED, WAITING
from droptune.domain.payload import Payload
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import PromotionState

_TEXT: Payload = {"type": "string"}
_OPTIONAL: Payload = {"type": ["string", "null"]}
_NUMBER: Payload = {"type": ["number", "null"]}
_WHOLE: Payload = {"type": ["integer", "null"]}
_OBJECT: Payload = {"type": "object"}
_NULLABLE: Payload = {"type": ["object", "null"]}
_TIME: Payload = {"type": "string", "format": "date-time"}
_OPTIONAL_TIME: Payload = {"type": ["string", "null"], "format": "date-time"}
_LINKS: Payload = {"type": "object", "additionalProperties": {"type": "string", "format": "uri"}}
_PHASE: Payload = {"enum": [phase.value for phase in Phase]}
_OUTCOME: Payload = {"enum": [outcome.value for outcome in Outcome]}
_REASON: Payload = {"type": ["string", "null"], "maxLength": 2000}
_BY: Payload = {"type": ["string", "null"], "maxLength": 100}
_ABOUT: Payload = {"enum": ["training", "promotion", "", None]}
_WORD: Payload = {
    "enum": [
        *("cancel", "pause", "resume", "approve", "reject"),
        *("retry", "again", "promote", "replay"),
    ]
}
_METRICS: Payload = {
    "type": ["object", "null"],
    "maxProperties": MOST_METRICS,
    "propertyNames": {"pattern": f"^{METRIC_NAME}$"},
    "additionalProperties": {
        "type": "number",
        "minimum": -LARGEST_METRIC,
        "maximum": LARGEST_METRIC,
    },
}
_CLOSED: Payload = {"additionalProperties": False}


def _object(required: str, **properties: Payload) -> Payload:
    return {"type": "object", "required": required.split(), "properties": properties}


def _all(**properties: Payload) -> Payload:
    return _object(" ".join(properties), **properties)


def _maybe(schema: Payload) -> Payload:
    return {"oneOf": [schema, {"type": "null"}]}


def _list(of: Payload) -> Payload:
    return {"type": "array", "items": of}


def _ref(schema: str) -> Payload:
    return {"$ref": f"#/components/schemas/{schema}"}


_ASKED: Payload = {
    "Wish": {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            "dataset": {"type": "string", "maxLength": 200, "pattern": "/"},
            "retry": {"type": "string", "minLength": 1, "maxLength": 200},
            "again": {"type": "string", "minLength": 1, "maxLength": 200},
        },
    },
    "Word": _object("", reason=_REASON, by=_BY, about=_ABOUT) | _CLOSED,
    "Decision": _object("", reason=_REASON, by=_BY, about=_ABOUT, metrics=_METRICS) | _CLOSED,
    "Reason": _object("", reason=_REASON, by=_BY) | _CLOSED,
    "Nothing": _object("") | _CLOSED,
    "SweepWish": _object("", dry_run={"type": "boolean", "default": False}) | _CLOSED,
    "WordForm": _object(
        "word", word=_WORD, about={"enum": ["", "training", "promotion"]}, reason=_TEXT
    ),
    "DatasetForm": _object("dataset", dataset={"type": "string", "pattern": "/"}),
    "RollbackForm": _object("word", word={"const": "rollback"}, reason=_TEXT),
    "SessionForm": _object("", key=_TEXT, next=_TEXT),
}
_RUN: Payload = {
    "Run": _all(
        schema_version={"type": "integer"},
        id=_TEXT,
        project=_TEXT,
        version=_TEXT,
        attempt={"type": "integer"},
        phase=_PHASE,
        phase_index={"type": "integer"},
        phase_count={"type": "integer"},
        outcome=_OUTCOME,
        message=_TEXT,
        waiting_for=_OPTIONAL,
        next=_OPTIONAL,
        dropped_by=_OPTIONAL,
        dataset=_ref("RunDataset"),
        configuration=_NULLABLE,
        cost=_ref("Cost"),
        job=_maybe(_ref("Job")),
        deployment=_maybe(_ref("Deployment")),
        test=_maybe(_object("prompt answer latency_ms")),
        champion=_NULLABLE,
        decisions=_list(_ref("Decided")),
        paused=_maybe(_all(by=_TEXT, at=_TIME, reason=_TEXT)),
        promotion=_maybe(_ref("Promotion")),
        error=_maybe(_all(code=_TEXT, message=_TEXT, remedy=_TEXT, evidence=_TEXT)),
        links=_LINKS,
        created_at=_TIME,
        updated_at=_TIME,
        ended_at=_OPTIONAL_TIME,
    ),
    "RunDataset": _all(
        digest=_TEXT,
        files=_list(_all(role=_TEXT, name=_TEXT, bytes={"type": "integer"}, sha256=_TEXT)),
        examples=_WHOLE,
        tokens=_WHOLE,
        findings=_all(error={"type": "integer"}, warning={"type": "integer"}),
    ),
    "Cost": _all(
        currency=_TEXT,
        estimate=_NUMBER,
        low=_NUMBER,
        high=_NUMBER,
        hosting_month=_NUMBER,
        spent=_NUMBER,
        as_of=_OPTIONAL,
    ),
    "Job": _object(
        "id status model fine_tuned_model adopted_from trained_tokens step train_loss valid_loss "
        "estimated_finish",
        id=_OPTIONAL,
        status=_OPTIONAL,
        model=_OPTIONAL,
        fine_tuned_model=_OPTIONAL,
        adopted_from=_OPTIONAL,
        trained_tokens=_WHOLE,
        step=_WHOLE,
        train_loss=_NUMBER,
        valid_loss=_NUMBER,
        estimated_finish=_OPTIONAL_TIME,
    ),
    "Deployment": _all(
        name=_OPTIONAL,
        sku=_OPTIONAL,
        state=_OPTIONAL,
        endpoint=_OPTIONAL,
        expires_at=_OPTIONAL_TIME,
    ),
    "Decided": _all(
        about=_TEXT,
        approved={"type": "boolean"},
        by=_TEXT,
        at=_TIME,
        reason=_TEXT,
        metrics={"type": "object", "additionalProperties": {"type": "number"}},
    ),
    "Promotion": _all(
        attempt={"type": "integer"},
        by=_TEXT,
        asked_at=_TIME,
        reason=_TEXT,
        outcome_before=_OUTCOME,
        state={"enum": [state.value for state in PromotionState]},
        message=_TEXT,
        ended_at=_OPTIONAL_TIME,
        error=_maybe(_all(code=_TEXT, message=_TEXT, remedy=_TEXT, evidence=_TEXT)),
    ),
    "RunRow": _object(
        "id phase outcome message links",
        id=_TEXT,
        project=_TEXT,
        version=_TEXT,
        phase=_PHASE,
        outcome=_OUTCOME,
        message=_TEXT,
        created_at=_TIME,
        updated_at=_TIME,
        ended_at=_OPTIONAL_TIME,
        links=_LINKS,
    ),
    "Runs": _all(runs=_list(_ref("RunRow")), next=_OPTIONAL),
    "Started": _all(
        id=_TEXT,
        statusUrl=_TEXT,
        pageUrl=_TEXT,
        started={"type": "boolean"},
        code=_TEXT,
        message=_TEXT,
    ),
}
_DATASET: Payload = {
    "Datasets": _all(datasets=_list(_ref("Dataset")), next=_OPTIONAL),
    "Dataset": _object(
        "project version state message waiting_for files runs links",
        project=_OPTIONAL,
        version=_OPTIONAL,
        path=_TEXT,
        state={"enum": ["waiting", "settling", "failed", "seen", "started", "rejected"]},
        message=_TEXT,
        remedy=_TEXT,
        waiting_for=_OPTIONAL,
        files=_list(
            _object(
                "name role size_bytes etag",
                name=_TEXT,
                role=_OPTIONAL,
                size_bytes={"type": "integer"},
                etag=_TEXT,
            )
        ),
        runs=_list(_ref("RunRow")),
        links=_LINKS,
    ),
}
_NOTIFICATION: Payload = {
    "Notifications": _all(notifications=_list(_ref("Notification"))),
    "Replayed": _all(replayed={"type": "integer"}, notifications=_list(_ref("Notification"))),
    "Notification": _all(
        id=_TEXT,
        event=_TEXT,
        at=_TIME,
        target=_TEXT,
        format={"enum": ["cloudevents", "teams", "slack"]},
        state={"enum": [WAITING, DELIVERED, UNDELIVERED]},
        attempts={"type": "integer"},
        answer={"enum": ["", *ANSWERS]},
        problem=_TEXT,
        next_at=_OPTIONAL_TIME,
        tried_at=_OPTIONAL_TIME,
        created_at=_TIME,
    ),
}
_STANDING = _all(reserved={"type": "number"}, spent={"type": "number"}, limit=_NUMBER)
_PROJECT: Payload = {
    "Projects": _all(projects=_list(_object("project champion links", project=_TEXT))),
    "Project": _all(
        project=_TEXT,
        champion=_maybe(_ref("Champion")),
        history=_list(_OBJECT),
        runs=_list(_ref("RunRow")),
        spend=_all(currency=_TEXT, spent={"type": "number"}, estimated={"type": "number"}),
        budgets={"type": "object", "additionalProperties": _STANDING},
        links=_LINKS,
    ),
    "Champion": _object(
        "schema_version project endpoint deployment model base_model run_id since retires_at "
        "max_age_seconds previous history",
        schema_version={"type": "integer"},
        project=_TEXT,
        endpoint=_TEXT,
        deployment=_TEXT,
        model=_TEXT,
        base_model=_TEXT,
        run_id=_TEXT,
        since=_TIME,
        retires_at=_OPTIONAL_TIME,
        max_age_seconds={"type": "integer"},
        previous=_NULLABLE,
        history=_list(_OBJECT),
        returning=_NULLABLE,
        return_refused=_TEXT,
    ),
}
_APP: Payload = {
    "Sweep": _all(
        dry_run={"type": "boolean"},
        deletions=_list(
            _all(
                what={"enum": ["deployment", "file", "running-job", "job"]},
                name=_TEXT,
                why=_TEXT,
                run=_TEXT,
                state={"enum": ["due", "deleted", "kept", "refused"]},
                message=_TEXT,
            )
        ),
    ),
    "Health": _all(status=_TEXT, version=_TEXT, installed_at=_OPTIONAL_TIME),
    "Problem": _all(
        type=_TEXT,
        title=_TEXT,
        status={"type": "integer"},
        detail=_TEXT,
        code=_TEXT,
        remedy=_TEXT,
        instance=_TEXT,
        link={"type": "string", "format": "uri"},
    ),
}
SCHEMAS: Payload = _ASKED | _RUN | _DATASET | _NOTIFICATION | _PROJECT | _APP

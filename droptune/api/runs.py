"""Routes of runs: start one, show one, and what it stored."""

from __future__ import annotations

from typing import Any

from droptune.api.bodies import (
    LONGEST_REASON,
    checked_run_id,
    no_such_dataset,
    read_by,
    read_object,
    read_text,
    run_id_of,
)
from droptune.api.messages import (
    ApiRequest,
    ApiResponse,
    StartRequest,
    etag_of,
    json_response,
    to_json,
    unless_known,
)
from droptune.api.problems import ApiError, bad_request, not_found
from droptune.api.records import get_run, read_control
from droptune.api.sentences import promotion_sentence
from droptune.api.services import ApiServices
from droptune.api.status import page_url, status_document
from droptune.domain.dataset import DatasetRef, is_name
from droptune.domain.payload import Payload
from droptune.domain.registration import Cause, Registration, RunRequest
from droptune.domain.run import RunRef
from droptune.domain.steps import PromotionRequest

ORCHESTRATOR = "fine_tune_model"
_WISHES = ("dataset", "retry", "again")
_REFUSALS = {"not-found": 404, "waiting": 409, "not-ended": 409, "nothing-new": 409}
_REMEDIES = {
    "not-found": "GET /api/datasets lists what was dropped.",
    "waiting": "Drop what is missing; GET /api/datasets/{project}/{version} says what.",
    "not-ended": "Wait for its end, or cancel it first.",
    "nothing-new": 'Use {"again": "<run id>"} to train anew.',
}


def start_run(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/runs: one wish for a run; repeating it is safe."""
    wish = _read_wish(read_object(request, _WISHES), request.principal, services)
    return start_wish(wish, services, services.base(request.url))


def repeat_run(word: str, run_id: str, by: str, services: ApiServices, base: str) -> ApiResponse:
    """Retry a run or train it anew, as somebody wishes."""
    return start_wish(_read_wish({word: run_id}, by, services), services, base)


def start_wish(wish: RunRequest, services: ApiServices, base: str) -> ApiResponse:
    """Register what is wished for; raises the refusal with its reason."""
    registration = services.register(wish)
    if registration.run is None:
        raise _refused(registration)
    return started(registration, registration.run, base)


def started(registration: Registration, run: RunRef, base: str) -> ApiResponse:
    """Answer that a run is there; the caller starts its orchestration unless it is alive."""
    url = f"{base}/api/runs/{run.id}"
    body = {
        "id": run.id,
        "statusUrl": url,
        "pageUrl": page_url(base, run.id),
        "started": registration.started,
        "code": registration.code,
        "message": registration.message,
    }
    begun = StartRequest(name=ORCHESTRATOR, instance_id=run.id, payload=run.to_payload())
    return ApiResponse(
        status=202,
        headers={"Content-Type": "application/json", "Location": url, "Retry-After": "5"},
        body=to_json(body),
        start=None if registration.code == "already-succeeded" else begun,
    )


def _refused(registration: Registration) -> ApiError:
    return ApiError(
        _REFUSALS.get(registration.code, 422),
        registration.code,
        registration.message,
        _REMEDIES.get(registration.code, "GET /api/datasets says what became of the dataset."),
        link="datasets",
    )


def _read_wish(body: dict[str, Any], by: str, services: ApiServices) -> RunRequest:
    if len(body) != 1:
        raise bad_request(
            "one-wish",
            f"The body has {len(body)} of dataset, retry and again.",
            'Send one: {"dataset": "<project>/<version>"}, {"retry": "<run id>"} or '
            '{"again": "<run id>"}.',
        )
    [key] = body
    text = read_text(body, key, 200)
    if not text:
        raise bad_request("empty", f"{key}: nothing is named.", f"Name what to {key}.")
    if key == "dataset":
        return RunRequest(dataset=read_dataset(text), cause=Cause.REQUEST, by=by)
    record = get_run(services, checked_run_id(text))
    return RunRequest(dataset=record.dataset, cause=Cause(key), repeats=record.id, by=by)


def read_dataset(text: str) -> DatasetRef:
    """Return the dataset that `<project>/<version>` names; raises a 400 or 404."""
    project, slash, version = text.partition("/")
    if not slash:
        raise bad_request(
            "bad-dataset", f"dataset: {text[:80]!r} is not <project>/<version>.", "Name both."
        )
    if not (is_name(project) and is_name(version)):
        raise no_such_dataset(text)
    return DatasetRef(project=project, version=version)


def get_run_status(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/runs/{id}: the status document; its ETag leaves the sentence that ages out."""
    document = show_status(services, run_id_of(request), services.base(request.url))
    lasting = {key: value for key, value in document.items() if key != "message"}
    soon = {} if document["ended_at"] else {"Retry-After": "5"}
    return unless_known(request, json_response(document, headers=soon), etag_of(lasting))


def show_status(services: ApiServices, run_id: str, base: str) -> Payload:
    """Return the status document of a run; raises a 404."""
    record = get_run(services, run_id)
    control = read_control(services.runs, record.ref)
    return status_document(record, control, base, services.clock.now())


def get_report(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/runs/{id}/report: the validation and cost report as stored."""
    return _stored(request, services, "report.json", "application/json")


def get_events(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/runs/{id}/events: the job's events as stored, one JSON object a line."""
    return _stored(request, services, "events.jsonl", "application/jsonl")


def get_metrics(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/runs/{id}/metrics: the metrics of the job's steps as stored."""
    return _stored(request, services, "metrics.json", "application/json")


def get_answers(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/runs/{id}/answers: answers side by side, as stored for the approval."""
    return _stored(request, services, "answers.json", "application/json")


def _stored(request: ApiRequest, services: ApiServices, name: str, kind: str) -> ApiResponse:
    record = get_run(services, run_id_of(request))
    blob = services.runs.find(record.ref.folder + name)
    what = name.partition(".")[0]
    if blob is None:
        ended = record.phase.is_terminal
        raise not_found(
            "not-yet",
            f"The run {record.id} has no {what}{'' if ended else ' yet'}.",
            f"It ended {record.phase.value} before there was one."
            if ended
            else f"It is {record.phase.value}; ask again later.",
            link=f"runs/{record.id}",
        )
    response = ApiResponse(
        status=200, headers={"Content-Type": kind, "Cache-Control": "no-cache"}, body=blob.data
    )
    return unless_known(request, response, f'"{blob.etag.strip(chr(34))}"')


def promote_run(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/runs/{id}/promote: promote later what a run trained and did not promote."""
    body: dict[str, Any] = read_object(request, ("reason", "by"))
    return promote_later(
        run_id_of(request),
        read_by(body, request.principal),
        read_text(body, "reason", LONGEST_REASON).strip(),
        services,
        services.base(request.url),
    )


def promote_later(
    run_id: str, by: str, reason: str, services: ApiServices, base: str
) -> ApiResponse:
    """Promote what an ended run trained and did not promote; raises the refusal with its reason.

    Asking again while it is under way, or once it is done, gives the same answer.
    """
    run = get_run(services, run_id).ref
    promotion = services.promote(run, by, reason)
    asked = PromotionRequest(run=run, promotion=promotion.attempt)
    url = f"{base}/api/runs/{run.id}"
    body = {
        "id": run.id,
        "statusUrl": url,
        "pageUrl": page_url(base, run.id),
        "started": promotion.is_under_way,
        "code": "promoting" if promotion.is_under_way else "already-promoted",
        "message": promotion_sentence(promotion),
    }
    begun = StartRequest(
        name="promote_model", instance_id=asked.instance_id, payload=asked.to_payload()
    )
    return ApiResponse(
        status=202,
        headers={"Content-Type": "application/json", "Location": url, "Retry-After": "5"},
        body=to_json(body),
        start=begun if promotion.is_under_way else None,
    )

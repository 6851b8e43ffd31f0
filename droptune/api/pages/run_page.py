"""The page of a run, and the documents that it links."""

from __future__ import annotations

from droptune.api.bodies import run_id_of
from droptune.api.messages import ApiRequest, ApiResponse
from droptune.api.notifications import read_deliveries, stored_deliveries
from droptune.api.pages.notification_view import notification_view
from droptune.api.pages.render import page_unless_known
from droptune.api.pages.run_documents import stored_document
from droptune.api.pages.run_view import ShownRun, run_view, state_of
from droptune.api.pages.session import ask_to_sign_in, find_visitor
from droptune.api.projects import find_champion
from droptune.api.records import get_run, read_control
from droptune.api.services import ApiServices
from droptune.domain.payload import Payload


def show_run(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/dashboard/runs/{id}: everything about one run, what is wrong first."""
    visitor = find_visitor(request, services)
    if visitor is None:
        return ask_to_sign_in(request, services)
    record = get_run(services, run_id_of(request))
    stored = list(services.runs.list(record.ref.folder))
    told = stored_deliveries(record.id, services)
    shown = ShownRun(
        record=record,
        control=read_control(services.runs, record.ref),
        documents=frozenset(blob.name.removeprefix(record.ref.folder) for blob in stored),
        champion=find_champion(services.registry, record.project),
    )

    def context() -> Payload:
        notified = notification_view(read_deliveries(told, services))
        view = run_view(shown, services, services.base(request.url))
        return view | notified | {"visitor": visitor}

    etags = [blob.name + blob.etag for blob in (*stored, *told)]
    state = state_of(shown, etags, services.clock.now())
    return page_unless_known(request, state, "run.html", context)


def show_document(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/dashboard/runs/{id}/files/{name}: a document of the run, unchanged."""
    if find_visitor(request, services) is None:
        return ask_to_sign_in(request, services)
    record = get_run(services, run_id_of(request))
    return stored_document(request, services, record, request.params.get("name", ""))

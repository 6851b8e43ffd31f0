"""Routes of what others were told of a run, and what they could not be told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from droptune.api.bodies import read_object, run_id_of
from droptune.api.messages import ApiRequest, ApiResponse, etag_of, json_response, unless_known
from droptune.api.records import get_run
from droptune.api.services import ApiServices
from droptune.domain.outbox import UNTOLD, Delivery, noted, outbox_of
from droptune.domain.payload import Payload
from droptune.domain.services import BlobInfo

_MOST_NOTES = 500
_SHOWN = timedelta(days=7)


def get_notifications(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/runs/{id}/notifications: whom the run was told to, and what came of it."""
    document = show_notifications(run_id_of(request), services)
    return unless_known(request, json_response(document), etag_of(document))


def replay_notifications(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/runs/{id}/notifications/replay: try what is undelivered again.

    Repeating it is safe: what is tried already is left alone.
    """
    read_object(request, ())
    record = get_run(services, run_id_of(request))
    replayed = services.replay(record.id)
    shown = show_notifications(record.id, services)
    return json_response({"replayed": replayed, **shown}, 202)


def show_notifications(run_id: str, services: ApiServices) -> Payload:
    """Return the document of a run's notifications; raises a 404."""
    record = get_run(services, run_id)
    found = read_deliveries(stored_deliveries(record.id, services), services)
    return {"notifications": [_shown(delivery) for delivery in found]}


def stored_deliveries(run_id: str, services: ApiServices) -> Sequence[BlobInfo]:
    """Return what lies in the outbox of a run, unread."""
    return list(services.runs.list(outbox_of(run_id)))


def list_untold(services: ApiServices) -> Sequence[str]:
    """Return the ids of the runs that somebody could not be told of lately, some hundreds at
    most."""
    since = services.clock.now() - _SHOWN
    notes = services.runs.list(UNTOLD, limit=_MOST_NOTES)
    return sorted({noted(note.name)[0] for note in notes if note.modified_at >= since})


def read_deliveries(stored: Sequence[BlobInfo], services: ApiServices) -> Sequence[Delivery]:
    """Return deliveries in the order of their events; what is damaged is left out."""
    found = services.documents.load(services.runs, stored, Delivery.from_payload)
    there = [delivery for delivery in found if delivery is not None]
    return sorted(there, key=lambda each: (each.event.time, each.event.id, each.to.url_setting))


def _shown(delivery: Delivery) -> Payload:
    stored = delivery.to_payload()
    kept = ("state", "attempts", "answer", "problem", "next_at", "tried_at", "created_at")
    return {
        "id": delivery.event.id,
        "event": delivery.event.name,
        "at": stored["event"]["time"],
        "target": delivery.to.url_setting,
        "format": delivery.to.format,
        **{key: stored[key] for key in kept},
    }

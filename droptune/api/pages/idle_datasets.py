"""Datasets that did not become a run: they wait, settle, were only seen, or were rejected."""

from __future__ import annotations

from droptune.api.dataset_listing import DatasetListing, load_datasets
from droptune.api.datasets import find_noticed, remedy_of, say
from droptune.api.services import ApiServices
from droptune.domain.payload import Payload

MOST_SHOWN = 50


def idle_datasets(services: ApiServices, listing: DatasetListing) -> Payload:
    """Return `datasets` and `more_datasets`, how many are not shown."""
    refs = [ref for ref in listing.refs if ref in listing.files]
    idle = [each for each in load_datasets(services, listing, refs) if each.state != "started"]
    shown: list[Payload] = [
        {
            "name": str(each.ref),
            "state": each.state,
            "message": say(each),
            "remedy": remedy_of(each),
            "at": each.folder.changed_at,
            "project": each.ref.project,
            "start": str(each.ref) if each.state == "seen" else None,
        }
        for each in idle[:MOST_SHOWN]
    ]
    rejected = listing.rejected[: MOST_SHOWN - len(shown)]
    noticed = find_noticed(services.registry) if rejected else {}
    shown += [
        {
            "name": each.path,
            "state": "rejected",
            "message": each.message,
            "remedy": each.remedy,
            "at": noticed.get(each.path, {}).get("at"),
        }
        for each in rejected
    ]
    return {
        "datasets": shown,
        "more_datasets": len(idle) + len(listing.rejected) - len(shown),
    }

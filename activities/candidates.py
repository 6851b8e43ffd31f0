"""A candidate's place: given back once the candidate has been tried."""

from __future__ import annotations

from dataclasses import replace

from activities.configurations import configuration_of
from activities.money import let_go_of
from activities.run_records import RunRecords
from droptune.domain.identity import deployment_name
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore, ResourceManager

DELETED = "Deleted"  # what the record shows; Azure has no such provisioningState


def give_back_place(
    record: RunRecord,
    *,
    records: RunRecords,
    registry: BlobStore,
    resource_manager: ResourceManager,
) -> RunRecord:
    """Delete a run's candidate, whose answers the record keeps, and let go of its hosting.

    A run that waits, for a person or for production's place, holds no place itself: else ten runs
    that wait hold all ten. A candidate that is the production deployment too has another name and
    stays. Deleting what is gone is no error: repeating this is safe.
    """
    name = candidate_name(record)
    resource_manager.delete_deployment(name)
    let_go_of(name, registry=registry)

    def change(known: RunRecord) -> RunRecord:
        shown = dict(known.deployment or {})
        if shown.get("name") != name:
            return known
        return replace(known, deployment=shown | {"state": DELETED, "expires_at": None})

    return records.update(record.ref, change, known=record)


def candidate_name(record: RunRecord) -> str:
    """Return the name of a candidate that is not the production deployment."""
    name = configuration_of(record).name or record.project
    return deployment_name(name, record.run_digest, "candidate")

"""What runs left behind: what nobody needs is listed with its reason, and deleted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from activities.champions import load_champion
from activities.claims import HeldClaim, held
from activities.money import keep_hosting, release_lost
from activities.run_records import RunRecords
from activities.turns import keep_in_line
from droptune.domain.champion import Champion
from droptune.domain.dataset import is_name
from droptune.domain.errors import DroptuneError
from droptune.domain.retention import Deletion, Estate, Sweep, deletions
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftovers:
    """Finds and deletes what ended runs of this installation left at Azure.

    Only what a record of ours names is touched: others may use the same account.
    """

    records: RunRecords
    registry: BlobStore
    azure_openai: FineTuningService
    resource_manager: ResourceManager
    clock: Clock

    def find(self) -> Sweep:
        """Return what a sweep would delete now, and why. Reads only."""
        return Sweep(dry_run=True, deletions=self._due(self._look()))

    def delete(self) -> Sweep:
        """Give back what ended runs hold of budgets and turns, delete, and say what came of it.

        Whether a thing is needed is asked again just before it goes. Repeating this is safe; what
        Azure refuses is said, and the next sweep tries again.
        """
        estate = self._look()
        live = {record.id for record in estate.live}
        release_lost(live, registry=self.registry, clock=self.clock)
        keep_in_line(live, registry=self.registry)
        present = {each.name for each in estate.deployments}
        keep_hosting(present, registry=self.registry, clock=self.clock)
        swept = tuple(self._delete(each, estate) for each in self._due(estate))
        counts = {
            state: sum(each.state == state for each in swept) for state in ("deleted", "kept")
        }
        _logger.info("Swept", extra={"due": len(swept), **counts})
        return Sweep(dry_run=False, deletions=swept)

    def _due(self, estate: Estate) -> tuple[Deletion, ...]:
        return deletions(estate, now=self.clock.now())

    def _look(self) -> Estate:
        """Look at Azure first and at the records last: what began meanwhile is in the records."""
        files = tuple(self.azure_openai.list_files())
        jobs = tuple(self.azure_openai.list_jobs())
        deployments = tuple(self.resource_manager.list_deployments())
        return Estate(
            files=files,
            jobs=jobs,
            deployments=deployments,
            records=tuple(self.records.list_newest(limit=None)),
            champions=tuple(self._champions()),
        )

    def _champions(self) -> Iterator[Champion]:
        for folder in self.registry.list_folders():
            project = folder.rstrip("/")
            champion, _ = load_champion(self.registry, project) if is_name(project) else (None, "")
            if champion is not None:
                yield champion

    def _delete(self, deletion: Deletion, seen: Estate) -> Deletion:
        try:
            if deletion.what != "running-job":
                return self._unless_needed(deletion, seen, lambda: self._do_away(deletion))
            owner = next(record for record in seen.records if record.id == deletion.run)
            with held(self.registry, owner) as claim:  # nobody adopts the job meanwhile
                return self._unless_needed(
                    deletion, seen, lambda: self._cancel(deletion.name, claim)
                )
        except DroptuneError as refused:
            return replace(deletion, state="refused", message=str(refused))

    def _unless_needed(
        self, deletion: Deletion, seen: Estate, do_away: Callable[[], None]
    ) -> Deletion:
        if deletion not in self._due(self._look_again(deletion, seen)):
            return replace(deletion, state="kept", message="It came to be needed meanwhile.")
        do_away()
        return replace(deletion, state="deleted")

    def _look_again(self, deletion: Deletion, seen: Estate) -> Estate:
        """Return what was seen with the runs that began meanwhile, and the pointers as they are
        now."""
        known = {record.id for record in seen.records}
        records = list(seen.records)
        for record in self.records.list_newest(limit=None):
            if record.id in known:
                break
            records.append(record)
        if deletion.what != "deployment":
            return replace(seen, records=records)
        return replace(seen, records=records, champions=tuple(self._champions()))

    def _do_away(self, deletion: Deletion) -> None:
        if deletion.what == "deployment":
            self.resource_manager.delete_deployment(deletion.name)
        else:
            self.azure_openai.delete_file(deletion.name)

    def _cancel(self, job_id: str, claim: HeldClaim) -> None:
        claim.change(lambda c: c.cancelling(job_id))  # from here on nobody adopts it
        self.azure_openai.cancel_job(job_id)

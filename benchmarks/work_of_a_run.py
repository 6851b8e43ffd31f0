"""What one run costs in work beside ten, a hundred and a thousand others: activities, history rows,
storage operations, rows that lists returned, and calls of the services, counted in memory.

    python -m benchmarks.work_of_a_run [--others 10 100 1000]

Once the others have ended: of what they leave at the service, only as much is there as its limits
allow, 99 jobs and 99 files. And once they are live: each is registered and waits for somebody.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.machine import describe
from droptune.domain.dataset import DatasetRef
from tests.builders import PRODUCTION, World, a_job_file, examples
from tests.line_in_memory import Line, a_line

PROJECTS = 20
_DAY = 86_400
KEPT_AT_THE_SERVICE = 99
_STORES = ("datasets", "runs", "registry")
_LISTS = {
    "datasets": ("list", "list_folders"),
    "runs": ("list", "list_folders"),
    "registry": ("list", "list_folders"),
    "azure_openai": ("list_jobs", "list_files"),
    "resource_manager": ("list_deployments",),
}


@dataclass(frozen=True, kw_only=True)
class Work:
    """What a run took: how many of each kind."""

    counts: Counter[str]

    def __sub__(self, earlier: Work) -> Work:
        return Work(counts=self.counts - earlier.counts)


class Counted:
    """A line in memory, and what it has done so far."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.world = World()
        self.line: Line = a_line(self.world)
        self._rows: Counter[str] = Counter()
        store: Any = self.line.engine.store
        store.append = self._counting_history(store.append)
        for owner, methods in _LISTS.items():
            for method in methods:
                self._count_rows(getattr(self.world, owner), method, f"rows listed in `{owner}`")
        for name in _STORES:
            self._count_bytes(getattr(self.world, name), f"bytes of documents read in `{name}`")

    def play(self, number: int, *, project: str = "", **job: Any) -> None:
        """Drop a dataset and let everything go on until nothing is left to do."""
        self.line.notice(self._drop(number, project, **job))
        self.line.run()
        self.line.payloads.clear()
        for kept in (self.world.azure_openai.jobs, self.world.azure_openai.files):
            for oldest in list(kept)[: max(len(kept) - KEPT_AT_THE_SERVICE, 0)]:
                del kept[oldest]

    def register(self, number: int) -> None:
        """Drop a dataset and register its run, which then waits for ever."""
        self.world.wish(self._drop(number))

    def _drop(self, number: int, project: str = "", **job: Any) -> DatasetRef:
        project = project or f"project-{number % PROJECTS}"
        answer = f"Answer {number}."
        return self.world.drop(
            DatasetRef(project=project, version=f"v{number}"),
            job=a_job_file(**job),
            training=examples(12, answer=answer),
            validation=examples(3, answer=answer),
        )

    def work(self) -> Work:
        """Return what was done up to here."""
        world, counts = self.world, Counter(self._rows)
        counts["activities"] = len(self.line.calls)
        for name in _STORES:
            counts[f"operations on `{name}`"] = len(getattr(world, name).calls)
        counts["calls of Azure OpenAI"] = len(world.azure_openai.calls)
        counts["calls of Resource Manager"] = len(world.resource_manager.calls)
        return Work(counts=counts)

    def _counting_history(self, append: Callable[..., None]) -> Callable[..., None]:
        def counted(instance: str, new: list[Any], **more: Any) -> None:
            self._rows["history rows"] += len(new)
            append(instance, new, **more)

        return counted

    def _count_bytes(self, store: Any, what: str) -> None:
        find = store.find

        def counted(name: str) -> Any:
            blob = find(name)
            self._rows[what] += len(blob.data) if blob else 0
            return blob

        store.find = counted

    def _count_rows(self, owner: Any, method: str, what: str) -> None:
        ask = getattr(owner, method)

        def counted(*given: Any, **options: Any) -> Iterator[Any]:
            rows = list(ask(*given, **options))
            self._rows[what] += len(rows)
            return iter(rows) if method != "list_files" else rows  # type: ignore[return-value]

        setattr(owner, method, counted)


def work_beside(others: list[int], *, live: bool) -> Iterator[tuple[int, Work]]:
    """Iterate over the work of one run beside so many others that are live, or have ended."""
    counted, number = Counted(), 0
    for count in sorted(others):
        while number < count:
            (counted.register if live else counted.play)(number)
            number += 1
        counted.world.clock.advance(_DAY)  # more than a few new runs a day ask a person
        list(counted.world.records.list_live())  # marks once what was there before marks were kept
        before = counted.work()
        counted.play(number, project=f"measured-{number}", **PRODUCTION)
        number += 1
        yield count, counted.work() - before


def main() -> None:
    """Print a table for others that have ended, and one for others that are live."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--others", type=int, nargs="+", default=[10, 100, 1000])
    others = parser.parse_args().others
    print(describe())
    for live, what in ((False, "ended"), (True, "live")):
        _tell(dict(work_beside(others, live=live)), what)


def _tell(found: dict[int, Work], what: str) -> None:
    names = sorted({name for work in found.values() for name in work.counts})
    print(f"\n| one run beside | {' | '.join(f'{count:,} {what}' for count in found)} |")
    print(f"| --- |{' --- |' * len(found)}")
    for name in names:
        print(f"| {name} | {' | '.join(f'{work.counts[name]:,}' for work in found.values())} |")


if __name__ == "__main__":
    main()

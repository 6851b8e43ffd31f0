"""One run in Azure's terms: activities, orchestrations, history rows and storage operations,
counted over the whole line in memory, from a drop to a champion.

    python -m benchmarks.azure_terms
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from droptune.domain.dataset import DatasetRef
from tests.builders import PRODUCTION, World, a_job_file, examples
from tests.fakes import FakeBlobStore
from tests.line_in_memory import a_line

DATASET = DatasetRef(project="counted", version="v1")
# What an operation of BlobStore is billed as. Source: Azure Storage, "Understand billing": writes,
# lists and leases are of the dear kind, reads of the cheap one.
_WRITES = ("write", "list", "list_folders", "delete", "acquire_lease", "release_lease")


def main() -> None:
    """Play the line once, and print a table for the docs."""
    world = World()
    line = a_line(world)
    assert not list(world.records.list_live())  # marks once what was there before marks were kept
    for store in (world.datasets, world.runs, world.registry):
        store.calls.clear()
    world.drop(DATASET, job=a_job_file(**PRODUCTION), validation=examples(3, answer="Another."))
    rows: Counter[str] = Counter()
    _count_history(line.engine.store, rows)
    line.notice(DATASET)
    line.run()
    [run] = world.records.list_newest()
    print(f"one run, {run.phase.value}, {run.outcome.value}\n")
    print("| what | how many |\n| --- | --- |")
    print(f"| activities | {len(line.calls)} |")
    for name, count in sorted(Counter(line.calls).items()):
        print(f"| &nbsp; {name} | {count} |")
    print(f"| history rows written | {rows['rows']} |")
    for name in ("datasets", "runs", "registry"):
        writes, reads = _operations(getattr(world, name))
        print(f"| storage operations on `{name}` | {writes} write-kind, {reads} read-kind |")
    print(f"| calls of Azure OpenAI | {len(world.azure_openai.calls)} |")
    print(f"| calls of Resource Manager | {len(world.resource_manager.calls)} |")


def _count_history(store: Any, rows: Counter[str]) -> None:
    append = store.append

    def counted(instance: str, new: list[Any], **more: Any) -> None:
        rows["rows"] += len(new)
        append(instance, new, **more)

    store.append = counted


def _operations(store: FakeBlobStore) -> tuple[int, int]:
    writes = sum(call in _WRITES for call in store.calls)
    return writes, len(store.calls) - writes


if __name__ == "__main__":
    main()

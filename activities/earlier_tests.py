"""Test data of a project's versions, remembered so that a later version is not trained on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from activities.pinned_data import sources
from activities.run_records import dump
from droptune.domain.dataset import Role
from droptune.domain.run import RunRecord
from droptune.domain.services import BlobStore

if TYPE_CHECKING:
    from droptune.validation.report import EarlierTest

MOST_VERSIONS = 20


def keep_test_of(record: RunRecord, *, datasets: BlobStore, registry: BlobStore) -> None:
    """Keep what recognises a version's test rows: digests and sketches, no text. Repeating it
    writes the same."""
    from droptune.validation.earlier import keep_test  # the tokenizers are heavy

    for source in sources(record, datasets):
        if source.role is Role.TEST:
            kept = keep_test(source, name=f"{record.version}/{source.name}")
            registry.write(_name(record.project, record.version), dump(kept.to_payload()))


def earlier_tests(record: RunRecord, registry: BlobStore) -> tuple[EarlierTest, ...]:
    """Return what is kept of the tests of other versions, at most 20."""
    from droptune.validation.report import EarlierTest

    own, found = _name(record.project, record.version), []
    for info in registry.list(f"{record.project}/tests/", limit=MOST_VERSIONS + 1):
        blob = registry.find(info.name) if info.name != own else None
        if blob is not None:
            found.append(EarlierTest.from_payload(json.loads(blob.data)))
    return tuple(found[:MOST_VERSIONS])


def _name(project: str, version: str) -> str:
    return f"{project}/tests/{version}.json"

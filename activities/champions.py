"""The pointer that callers of a project follow, as it is stored and changed."""

from __future__ import annotations

import json
from collections.abc import Callable

from activities.run_records import dump
from droptune.domain.champion import Champion
from droptune.domain.errors import ConflictError, TransientError
from droptune.domain.services import BlobStore

_TRIES = 8


def load_champion(registry: BlobStore, project: str) -> tuple[Champion | None, str | None]:
    """Return a project's champion and the document's ETag, or None twice."""
    blob = registry.find(f"{project}/champion.json")
    return (Champion.from_document(json.loads(blob.data)), blob.etag) if blob else (None, None)


def change_champion(
    registry: BlobStore, project: str, change: Callable[[Champion | None], Champion | None]
) -> Champion | None:
    """Change the pointer in one conditional write; None from `change` writes nothing."""
    for _ in range(_TRIES):
        present, etag = load_champion(registry, project)
        changed = change(present)
        if changed is None:
            return None
        name, data = f"{project}/champion.json", dump(dict(changed.to_document()))
        try:
            registry.write(name, data, if_match=etag, if_absent=etag is None)
        except ConflictError:
            continue
        lines = "".join(json.dumps(entry.to_payload()) + "\n" for entry in changed.history)
        registry.write(f"{project}/history.jsonl", lines.encode(), content_type="application/jsonl")
        return changed
    raise TransientError(f"the champion of {project} is being changed by others")

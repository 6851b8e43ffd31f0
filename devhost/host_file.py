"""host.json: what of it is done here, what has no meaning here, and what is refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devhost.settings import resolve

# No meaning on one machine with one process: telemetry, bundles, scaling, partitions.
_WITHOUT_EFFECT = (
    "logging",
    "telemetryMode",
    "extensionBundle",
    "healthMonitor",
    "functionTimeout",
    "extensions.durableTask.storageProvider",
    "extensions.durableTask.tracing",
    "extensions.durableTask.useGracefulShutdown",
    "extensions.durableTask.maxConcurrentOrchestratorFunctions",
    "extensions.blobs.maxDegreeOfParallelism",
)
_DONE = (
    "version",
    "extensions.http.routePrefix",
    "extensions.durableTask.hubName",
    "extensions.durableTask.maxConcurrentActivityFunctions",
    "extensions.blobs.poisonBlobThreshold",
)


class HostFileError(Exception):
    """host.json asks for something that this host does not do, or says something wrong."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """What host.json says."""

    route_prefix: str = "api"
    hub: str = "devhost"
    max_concurrent_activities: int = 10
    poison_blob_threshold: int = 5


def read_host(path: Path) -> Host:
    """Read host.json; raises HostFileError naming every setting that is not done here."""
    document: dict[str, Any] = {"version": "2.0"}
    if path.exists():
        document = json.loads(path.read_text("utf-8"))
    strange = [name for name in _names(document) if name not in _DONE]
    if strange:
        raise HostFileError(f"host.json: this host does not do {', '.join(sorted(strange))}")
    if document.get("version") != "2.0":
        raise HostFileError(f"host.json: version is {document.get('version')!r}, and not '2.0'")
    extensions = document.get("extensions", {})
    durable, blobs = extensions.get("durableTask", {}), extensions.get("blobs", {})
    return Host(
        route_prefix=extensions.get("http", {}).get("routePrefix", Host.route_prefix),
        hub=resolve(durable.get("hubName", Host.hub)),
        max_concurrent_activities=_count(
            durable, "maxConcurrentActivityFunctions", Host.max_concurrent_activities
        ),
        poison_blob_threshold=_count(blobs, "poisonBlobThreshold", Host.poison_blob_threshold),
    )


def _names(document: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in document.items():
        name = f"{above}{key}"
        if name in _WITHOUT_EFFECT:
            continue
        if isinstance(value, dict) and name not in _DONE:
            yield from _names(value, f"{name}.")
        else:
            yield name


def _count(section: Mapping[str, Any], name: str, default: int) -> int:
    value = section.get(name, default)
    if not isinstance(value, int) or value < 1:
        raise HostFileError(f"host.json: {name} is {value!r}, and not a number from 1")
    return value

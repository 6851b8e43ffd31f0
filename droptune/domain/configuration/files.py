"""What resolution starts from: the installation's ceilings and the files as they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class Ceilings:
    """What a level allows those below it; None allows everything.

    Attributes:
        run_usd, hosting_usd_month: the largest budgets, in US dollars.
        training_approval, promotion_approval: the least that has to be asked.
        models, training_types, skus: what may be named, case ignored; models without their version.
        capacity: the largest capacity of a deployment, thousands of tokens a minute.
        candidate_capacity, production_capacity: the same for one of the two.
        rollback_hours: the longest time that a replaced champion stays warm.
        notify_settings: the settings that hold an address to tell; None: they are not known here.
    """

    run_usd: float | None = None
    hosting_usd_month: float | None = None
    training_approval: str | None = None
    promotion_approval: str | None = None
    models: tuple[str, ...] | None = None
    training_types: tuple[str, ...] | None = None
    skus: tuple[str, ...] | None = None
    capacity: int | None = None
    candidate_capacity: int | None = None
    production_capacity: int | None = None
    rollback_hours: float | None = None
    notify_settings: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFile:
    """A configuration file, parsed.

    Attributes:
        file: its name, such as `fine-tune-job.yaml`.
        values: the document as written.
        lines: 1-based line of each path, such as `pipeline.notify[0].format`.
    """

    file: str
    values: Mapping[str, Any]
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int | None:
        """Return the line of a path, or of the nearest thing around it."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path)

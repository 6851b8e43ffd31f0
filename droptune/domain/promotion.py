"""A promotion that a person asks for after a run has ended without one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from droptune.domain.findings import Problem
from droptune.domain.payload import Model
from droptune.domain.phases import Outcome


class PromotionState(StrEnum):
    """How far a later promotion is."""

    UNDER_WAY = "under_way"
    PROMOTED = "promoted"
    NOT_PROMOTED = "not_promoted"
    UNRECOGNISED = "unrecognised"

    @classmethod
    def _missing_(cls, value: object) -> PromotionState:
        return cls.UNRECOGNISED  # a later version wrote it


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion(Model):
    """The newest promotion that was asked for after a run's end; it stands in the run's record.

    Attributes:
        attempt: 1 for the first; an attempt that has ended otherwise may be followed by another.
        by: who asked: the principal, or "holder of the key".
        outcome_before: the run's own outcome, which a promotion that succeeds replaces.
        message: what is being done, then what came of it.
        error: why the model was not promoted.
    """

    attempt: int
    by: str
    asked_at: datetime
    reason: str = ""
    outcome_before: Outcome = Outcome.NOT_PROMOTED
    state: PromotionState = PromotionState.UNDER_WAY
    message: str = ""
    ended_at: datetime | None = None
    error: Problem | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended."""
        return self.state is PromotionState.UNDER_WAY

    def ended(self, *, at: datetime, message: str, error: Problem | None) -> Promotion:
        """Return it at its end: promoted unless there is an error."""
        state = PromotionState.NOT_PROMOTED if error else PromotionState.PROMOTED
        return replace(self, state=state, message=message, ended_at=at, error=error)

"""The phases of a run, in order, and how a run ends."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where a run is; a run shows exactly one."""

    RECEIVED = "received"
    SETTLING = "settling"
    VALIDATING = "validating"
    ESTIMATING = "estimating"
    CHECKING = "checking"
    AWAITING_APPROVAL = "awaiting_approval"
    QUEUED = "queued"
    UPLOADING = "uploading"
    TRAINING = "training"
    DEPLOYING = "deploying"
    TESTING = "testing"
    EVALUATING = "evaluating"
    AWAITING_PROMOTION = "awaiting_promotion"
    PROMOTING = "promoting"
    BAKING = "baking"
    SUCCEEDED = "succeeded"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    UNRECOGNISED = "unrecognised"

    @classmethod
    def _missing_(cls, value: object) -> Phase:
        return cls.UNRECOGNISED  # a later version wrote it

    @property
    def is_terminal(self) -> bool:
        """Whether a run in this phase has ended."""
        return self in TERMINAL

    @property
    def position(self) -> int:
        """Position in the line, 1-based; every terminal phase stands at the end, an unknown one
        before the beginning."""
        if self is Phase.UNRECOGNISED:
            return 0
        return PHASE_COUNT if self.is_terminal else LINE.index(self) + 1

    def may_follow(self, other: Phase) -> bool:
        """Whether a run may go from `other` to this phase: only forward, and never out of an
        end."""
        return not other.is_terminal and (self.is_terminal or self.position >= other.position)


TERMINAL = frozenset(
    {Phase.SUCCEEDED, Phase.REJECTED, Phase.FAILED, Phase.CANCELLED, Phase.SUPERSEDED}
)
LINE = tuple(phase for phase in Phase if phase not in TERMINAL and phase is not Phase.UNRECOGNISED)
PHASE_COUNT = len(LINE) + 1


class Outcome(StrEnum):
    """What a run brought about."""

    PLANNED = "planned"
    TRAINED = "trained"
    PROMOTED = "promoted"
    NOT_PROMOTED = "not_promoted"
    NONE = "none"
    UNRECOGNISED = "unrecognised"

    @classmethod
    def _missing_(cls, value: object) -> Outcome:
        return cls.UNRECOGNISED

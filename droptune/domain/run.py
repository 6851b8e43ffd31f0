"""A run: the record of one settled dataset's journey, and a person's words about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from droptune.domain.dataset import DatasetRef, Role
from droptune.domain.findings import Finding, Problem
from droptune.domain.payload import Model
from droptune.domain.phases import Outcome, Phase
from droptune.domain.promotion import Promotion

SCHEMA_VERSION = 1
MARKS = "_live/"
FILE_MARKS = "_files/"


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRef(Model):
    """Names a run; the payload that travels through the orchestration."""

    project: str
    id: str

    @property
    def folder(self) -> str:
        """Where the run's documents lie in the container `runs`."""
        return f"{self.project}/{self.id}/"

    @property
    def record(self) -> str:
        """Name of the run's record."""
        return f"{self.folder}run.json"

    @property
    def mark(self) -> str:
        """Name of the mark that the run has as long as it is live."""
        return f"{MARKS}{self.project}/{self.id}"

    def file_mark(self, file_id: str) -> str:
        """Return the name of the mark that the run has while it names a file at Azure OpenAI."""
        return f"{FILE_MARKS}{file_id}/{self.project}/{self.id}"

    @property
    def control(self) -> str:
        """Name of the document that holds people's words."""
        return f"{self.folder}control.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin(Model):
    """A blob as it was when the dataset settled.

    Attributes:
        role: the file's role, "configuration", or "unclear" for a file whose role has to be asked.
        sha256: of the blob's bytes.
    """

    role: str
    name: str
    etag: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PhaseChange(Model):
    """When a run entered a phase."""

    phase: Phase
    at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class RunRecord(Model):
    """Everything that is known of a run; stored as `run.json`, read by every step and route.

    Attributes:
        repeats: id of the run that this one repeats, or None.
        content: SHA-256 of each role's joined content.
        submit_after: no job is created before this time.
        configuration: payload of the resolved configuration, or None when a file is wrong.
        configuration_findings: what is wrong with the configuration or with the folder.
        tokens: total tokens of the training data.
        cost: payload of the estimate, with `spent` and `as_of` once known.
        approval_reasons: why a person has to approve before training; empty: nobody has to.
        files: id at Azure OpenAI of each role's file.
        job, deployment, test, champion: as DESIGN 5's status document shows them.
        promotion: what was asked for after the run's end, if anything.
        paused: the word that paused it: it goes on once a person says resume.
        history: phases entered so far, oldest first.
    """

    id: str
    project: str
    version: str
    training_digest: str
    run_digest: str
    created_at: datetime
    updated_at: datetime
    settled_at: datetime
    submit_after: datetime
    schema_version: int = SCHEMA_VERSION
    attempt: int = 1
    again: int = 1
    repeats: str | None = None
    phase: Phase = Phase.RECEIVED
    outcome: Outcome = Outcome.NONE
    message: str = ""
    waiting_for: str | None = None
    next: str | None = None
    dropped_by: str | None = None
    ended_at: datetime | None = None
    pins: tuple[Pin, ...] = ()
    content: Mapping[str, str] = field(default_factory=dict)
    configuration: Mapping[str, Any] | None = None
    configuration_findings: tuple[Finding, ...] = ()
    examples: int | None = None
    tokens: int | None = None
    findings: Mapping[str, int] = field(default_factory=dict)
    cost: Mapping[str, Any] = field(default_factory=dict)
    approval_reasons: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    job: Mapping[str, Any] | None = None
    adopted_from: str | None = None
    deployment: Mapping[str, Any] | None = None
    production: Mapping[str, Any] | None = None
    test: Mapping[str, Any] | None = None
    champion: Mapping[str, Any] | None = None
    error: Problem | None = None
    promotion: Promotion | None = None
    paused: Word | None = None
    history: tuple[PhaseChange, ...] = ()

    @property
    def ref(self) -> RunRef:
        """The run's names."""
        return RunRef(project=self.project, id=self.id)

    @property
    def dataset(self) -> DatasetRef:
        """The dataset that the run is about."""
        return DatasetRef(project=self.project, version=self.version)

    @property
    def fine_tuned_model(self) -> str:
        """Name of the model that the run's job made, or ""."""
        return str((self.job or {}).get("fine_tuned_model") or "")

    def pins_of(self, role: Role) -> tuple[Pin, ...]:
        """Return the pinned blobs of a role, in the order in which they are joined."""
        return tuple(pin for pin in self.pins if pin.role == role.value)

    def entered(self, phase: Phase, *, at: datetime, message: str = "") -> RunRecord:
        """Return the record in a phase; a phase that lies behind or an ended run changes
        nothing."""
        if phase is self.phase or not phase.may_follow(self.phase):
            return self
        return replace(
            self,
            phase=phase,
            message=message or self.message,
            waiting_for=None,
            updated_at=at,
            history=(*self.history, PhaseChange(phase=phase, at=at)),
        )

    @property
    def is_being_promoted(self) -> bool:
        """Whether a promotion that was asked for after the run's end is under way."""
        return self.promotion is not None and self.promotion.is_under_way

    @property
    def is_live(self) -> bool:
        """Whether an orchestration should be alive for the run: it has not ended, or is being
        promoted."""
        return not self.phase.is_terminal or self.is_being_promoted

    @property
    def entered_at(self) -> datetime:
        """When the run entered the phase that it is in, the last time if more than once."""
        times = (change.at for change in reversed(self.history) if change.phase is self.phase)
        return next(times, self.updated_at)

    @property
    def asked_since(self) -> datetime | None:
        """From when on words answer the question that stands: None for a phase's first question.

        It is the time of the phase before, so that clocks that differ a little do no harm.
        """
        entries = [i for i, change in enumerate(self.history) if change.phase is self.phase]
        return self.history[entries[-1] - 1].at if len(entries) > 1 else None

    def asking(self, phase: Phase, *, at: datetime) -> RunRecord:
        """Return the record back in a phase that asks a person: the one way backward."""
        if self.phase.is_terminal or self.phase is phase:
            return self
        return replace(
            self,
            phase=phase,
            waiting_for=None,
            updated_at=at,
            history=(*self.history, PhaseChange(phase=phase, at=at)),
        )

    def ended(
        self, phase: Phase, outcome: Outcome, *, at: datetime, message: str, error: Problem | None
    ) -> RunRecord:
        """Return the record at its end; an ended run does not end again."""
        if self.phase.is_terminal:
            return self
        changed = self.entered(phase, at=at, message=message)
        return replace(changed, outcome=outcome, ended_at=at, next=None, error=error, paused=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Word(Model):
    """What a person said of a run.

    Attributes:
        word: cancel, pause, resume, approve or reject.
        about: for approve and reject, what was waited for: training or promotion; for cancel,
            "promotion" when that was asked for after the run's end.
        by: the principal, or "holder of the key".
        metrics: for approve and reject, the figures on which somebody's own evaluation rests.
    """

    word: str
    at: datetime
    by: str
    reason: str = ""
    about: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Control(Model):
    """All that was said of a run, oldest first; stored as `control.json`."""

    words: tuple[Word, ...] = ()
    schema_version: int = SCHEMA_VERSION

    def find(self, word: str, about: str = "") -> Word | None:
        """Return the first time that a word was said about something, or None."""
        return next((w for w in self.words if w.word == word and w.about == about), None)

    @property
    def cancelled(self) -> Word | None:
        """The word that cancelled the run, if any."""
        return self.find("cancel")

    def cancelled_promotion(self, promotion: Promotion) -> Word | None:
        """Return the word that cancelled a promotion asked for after the run's end, if any."""
        said = (w for w in self.words if w.word == "cancel" and w.about == "promotion")
        return next((w for w in said if w.at >= promotion.asked_at), None)

    @property
    def paused(self) -> Word | None:
        """The word that paused the run, unless it was resumed since."""
        said = [word for word in self.words if word.word in ("pause", "resume")]
        return said[-1] if said and said[-1].word == "pause" else None

    @property
    def is_paused(self) -> bool:
        """Whether the last of pause and resume was pause."""
        return self.paused is not None

    @property
    def resumed_at(self) -> datetime | None:
        """When the run was resumed the last time, or None."""
        return next((w.at for w in reversed(self.words) if w.word == "resume"), None)

    def decision(self, about: str, *, since: datetime | None = None) -> Word | None:
        """Return the first approval or rejection of something, or None.

        `since`: when the question was put; what was said before answered another one.
        """
        said = (w for w in self.words if w.word in ("approve", "reject") and w.about == about)
        return next((w for w in said if since is None or w.at >= since), None)

    @property
    def decisions(self) -> tuple[Word, ...]:
        """Every approval and rejection, oldest first."""
        return tuple(word for word in self.words if word.word in ("approve", "reject"))

    def with_word(self, word: Word) -> Control:
        """Return the control with one more word."""
        return replace(self, words=(*self.words, word))


def index_name(created_at: datetime, run_id: str) -> str:
    """Return the name of a run's row in the list of runs, which sorts newest first."""
    inverted = 10**14 - int(created_at.timestamp() * 1000)
    return f"_index/{inverted:014d}-{run_id}"

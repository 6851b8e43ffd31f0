"""The steps of the process: a table that orchestrators and activities both read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from droptune.domain.dataset import DatasetRef
from droptune.domain.findings import Problem
from droptune.domain.payload import Model, Payload
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRef


@dataclass(frozen=True, kw_only=True, slots=True)
class StepRequest(Model):
    """What most steps are asked: which run, and how often this was asked before.

    Attributes:
        about: which of several things a step is about: a role; `candidate` or `production`;
            `training`, `epochs` or `promotion`; `approved` for a second job; "" for the only one.
        polls: how often the step has answered "later" so far.
        promotion: which promotion after the run's end asks; 0: the run itself.
    """

    run: RunRef
    about: str = ""
    polls: int = 0
    promotion: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class EndRequest(Model):
    """How a run shall end; an empty outcome keeps what the record says."""

    run: RunRef
    phase: Phase
    outcome: Outcome = Outcome.NONE
    problem: Problem | None = None
    message: str = ""
    polls: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class PromotionRequest(Model):
    """Names a promotion that was asked for after a run's end: its number begins at 1."""

    run: RunRef
    promotion: int

    @property
    def instance_id(self) -> str:
        """Instance id of the orchestration that carries it out."""
        return promotion_instance(self.run.id, self.promotion)


@dataclass(frozen=True, kw_only=True, slots=True)
class EndPromotion(Model):
    """How a later promotion shall end: promoted, unless there is a problem."""

    run: RunRef
    promotion: int
    message: str = ""
    problem: Problem | None = None
    polls: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class RollbackRequest(Model):
    """Names a project whose previous champion is deployed again before it becomes current."""

    project: str
    polls: int = 0

    @property
    def instance_id(self) -> str:
        """Instance id of the orchestration `ask_again` that asks until it is done."""
        return f"rollback:{self.project}"

    @property
    def question(self) -> Payload:
        """Input of that orchestration."""
        request = self.to_payload()
        return {"step": "finish_rollback", "request": request, "since": None, "wait": 0.0}


@dataclass(frozen=True, kw_only=True, slots=True)
class Collecting(Model):
    """How far the collection of a dataset is."""

    dataset: DatasetRef
    fingerprint: str = ""
    polls: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class CollectingFailed(Model):
    """Says that a dataset cannot be taken up for now, and why."""

    dataset: DatasetRef
    problem: Problem


@dataclass(frozen=True, kw_only=True, slots=True)
class Look(Model):
    """What a look at a dataset's folder says.

    Attributes:
        state: `idle` (nothing to do until somebody writes), `unsettled` or `settled`.
        wait_seconds: when to look again, for an unsettled folder.
    """

    state: str
    fingerprint: str = ""
    wait_seconds: float = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan(Model):
    """What the estimate leads to."""

    trains: bool
    needs_approval: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Validated(Model):
    """What a dataset that passed consists of: the roles whose files are uploaded."""

    roles: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict(Model):
    """A yes or no on which the process goes on or ends with an outcome.

    Attributes:
        outcome: how the run ends after a no.
        needs_approval: a yes that a person has to confirm.
    """

    yes: bool
    message: str = ""
    outcome: Outcome = Outcome.TRAINED
    needs_approval: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Compared(Model):
    """How many answers stand side by side; they lie with the run, and do not travel."""

    answers: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Later:
    """No answer yet: ask again in so many seconds."""

    seconds: float
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """What the installation says about time and admission.

    Attributes:
        settle_seconds: how far apart two looks that agree must be.
        submit_after_seconds: no job is created sooner after a dataset's last change.
        runs_per_day: more new runs than this in a UTC day wait for approval.
        time_scale: how many times faster than real the service is (a local one); waits shrink with
        it.
    """

    settle_seconds: float = 10
    submit_after_seconds: float = 120
    runs_per_day: int = 20
    time_scale: float = 1

    def scaled(self, seconds: float) -> float:
        """Return a wait for the service, never under half a second."""
        return max(seconds / self.time_scale, min(seconds, 0.5))


@dataclass(frozen=True, kw_only=True, slots=True)
class StepSpec:
    """One row of the table.

    Attributes:
        waits: the usual answer is "later", so a sub-orchestration asks until there is one.
        give_up_after: how long "later" is taken for an answer.
    """

    name: str
    request: type[Any]
    result: type[Any] | None = None
    waits: bool = False
    give_up_after: timedelta = timedelta(days=7)


STEPS: dict[str, StepSpec] = {
    spec.name: spec
    for spec in (
        StepSpec(name="look_at_dataset", request=Collecting, result=Look),
        StepSpec(name="start_run", request=Collecting),
        StepSpec(name="note_failed_collection", request=CollectingFailed),
        StepSpec(name="validate_dataset", request=StepRequest, result=Validated),
        StepSpec(name="estimate_cost", request=StepRequest, result=Plan),
        StepSpec(name="check_account", request=StepRequest),
        StepSpec(name="await_approval", request=StepRequest, waits=True),
        StepSpec(
            name="admit_run", request=StepRequest, waits=True, give_up_after=timedelta(days=30)
        ),
        StepSpec(name="upload_training_file", request=StepRequest, waits=True),
        StepSpec(name="create_fine_tuning_job", request=StepRequest, waits=True),
        StepSpec(
            name="get_fine_tuning_job",
            request=StepRequest,
            waits=True,
            give_up_after=timedelta(days=365),
        ),
        StepSpec(name="keep_results", request=StepRequest),
        StepSpec(name="create_deployment", request=StepRequest, result=Verdict, waits=True),
        StepSpec(name="test_deployment", request=StepRequest, waits=True),
        StepSpec(name="compare_answers", request=StepRequest, result=Compared, waits=True),
        StepSpec(name="decide_promotion", request=StepRequest, result=Verdict),
        StepSpec(name="promote_deployment", request=StepRequest, result=Verdict),
        StepSpec(name="end_run", request=EndRequest),
        StepSpec(name="finish_rollback", request=RollbackRequest, waits=True),
        StepSpec(name="end_promotion", request=EndPromotion),
    )
}


def promotion_instance(run_id: str, promotion: int) -> str:
    """Return the instance id of a promotion that was asked for after a run's end."""
    return f"{run_id}:promotion-{promotion}"


def waiting_instance(run_id: str, step: str, about: str = "", promotion: int = 0) -> str:
    """Return the instance id of the sub-orchestration that asks a step again."""
    asks = promotion_instance(run_id, promotion) if promotion else run_id
    return f"{asks}:{step}:{about}" if about else f"{asks}:{step}"


def waiting_instances(run_id: str) -> tuple[str, ...]:
    """Return every instance that may sleep for a run, so that a person's word can wake it.

    Any step of a run sleeps while the run is paused or a service asks to wait.
    """
    abouts = {
        "await_approval": ("training", "epochs", "promotion"),
        "create_fine_tuning_job": ("", "approved"),
        "get_fine_tuning_job": ("", "approved"),
        "upload_training_file": ("training", "validation"),
        "create_deployment": ("candidate", "production"),
        "test_deployment": ("candidate", "production"),
    }
    return tuple(
        waiting_instance(run_id, spec.name, about)
        for spec in STEPS.values()
        if spec.request in (StepRequest, EndRequest)
        for about in abouts.get(spec.name, ("",))
    )


def promoting_instances(run_id: str, promotion: int) -> tuple[str, ...]:
    """Return every instance that may sleep for a promotion after the run's end."""
    asked = (("create_deployment", "production"), ("test_deployment", "production"))
    return tuple(
        waiting_instance(run_id, step, about, promotion)
        for step, about in (*asked, ("promote_deployment", ""), ("end_promotion", ""))
    )

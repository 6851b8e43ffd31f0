"""Waiting: for a person's word, for the time to spend, and for room at the service."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from activities.capacity import lacking_capacity
from activities.configurations import configuration_of
from activities.datasets import read_folder
from activities.marked_jobs import list_kept, marked_of
from activities.money import reserve
from activities.pins import hold_pins
from activities.run_records import RunRecords
from activities.turns import take_turn
from droptune.domain.admission import Place, ask_after
from droptune.domain.budget import BudgetLimits
from droptune.domain.errors import RunEndedError
from droptune.domain.phases import Outcome, Phase
from droptune.domain.run import RunRecord, Word
from droptune.domain.service_limits import ServiceLimits, pool_of
from droptune.domain.services import BlobStore, Clock, FineTuningService, ResourceManager
from droptune.domain.steps import Later, Policy, StepRequest

_PHASES = {
    "training": Phase.AWAITING_APPROVAL,
    "epochs": Phase.AWAITING_APPROVAL,
    "promotion": Phase.AWAITING_PROMOTION,
}
_LOOK_AGAIN = 3600.0


def await_approval(request: StepRequest, *, records: RunRecords, clock: Clock) -> Later | None:
    """Answer once a person has approved; a no, or nobody's word in time, ends the run. Reads the
    control document, so it may run any number of times; a word wakes whoever sleeps for it."""
    phase = _PHASES[request.about]
    about = "promotion" if phase is Phase.AWAITING_PROMOTION else "training"
    record = records.begin(request.run, phase, f"Waiting for approval of the {about}.")
    control = records.control(record.ref)
    decision = control.decision(about, since=record.asked_since)
    if decision is not None:
        if decision.word == "reject":
            raise _refused(about, decision)
        return None
    hours = configuration_of(record).pipeline.approval.timeout_hours
    asked_at = max(record.entered_at, control.resumed_at or record.entered_at)
    left = asked_at + timedelta(hours=hours) - clock.now()
    if left <= timedelta(0):
        raise _nobody_said(about, hours)
    reason = _question(record) if about == "training" else "Replace the champion?"
    records.note(record, lambda r: replace(r, waiting_for=reason))
    return Later(seconds=min(left.total_seconds(), _LOOK_AGAIN), reason=f"approval of {about}")


def _question(record: RunRecord) -> str:
    high = record.cost.get("high")
    price = f" for up to ${high:.2f}" if isinstance(high, int | float) else ""
    return f"{' '.join(record.approval_reasons)} Train{price}?"


def _refused(about: str, word: Word) -> RunEndedError:
    why = f": {word.reason}" if word.reason else "."
    return _end(about, f"The {about} was refused by {word.by}{why}", "refused")


def _nobody_said(about: str, hours: float) -> RunEndedError:
    return _end(about, f"Nobody approved the {about} within {hours:g} hours.", "approval-timeout")


def _end(about: str, message: str, code: str) -> RunEndedError:
    if about == "promotion":
        return RunEndedError(
            message, phase=Phase.SUCCEEDED, code=code, outcome=Outcome.NOT_PROMOTED
        )
    remedy = "Repeat the run to ask again."
    return RunEndedError(message, phase=Phase.REJECTED, code=code, remedy=remedy)


def admit_run(
    request: StepRequest,
    *,
    records: RunRecords,
    datasets: BlobStore,
    azure_openai: FineTuningService,
    resource_manager: ResourceManager,
    registry: BlobStore,
    clock: Clock,
    policy: Policy,
    budgets: BudgetLimits,
    service_limits: ServiceLimits,
) -> Later | None:
    """Answer once money is reserved and the run's turn at the service has come.

    A run that has its job, or finds one to adopt, needs neither. Money and turn are kept under the
    run's id: a repetition finds both.
    """
    record = records.begin(request.run, Phase.QUEUED, "Waiting for its turn.")
    if record.job is not None:
        return None
    record = hold_pins(record, datasets=datasets, records=records)
    wait = (record.submit_after - clock.now()).total_seconds()
    if wait > 0 and not read_folder(datasets, record.dataset).complete:
        return _later(records, record, wait, "The dataset may still change; nothing is spent yet.")
    kept = list_kept(azure_openai)
    if any(each.can_be_adopted for each in marked_of(record, kept)):
        return None
    configuration = configuration_of(record)
    places = service_limits.deployments
    if lacks := lacking_capacity(record, configuration, resource_manager, places=places):
        return _later(records, record, policy.scaled(300), lacks)
    poor = reserve(
        record, configuration, records=records, registry=registry, budgets=budgets, clock=clock
    )
    if poor is not None:
        return _later(records, record, policy.scaled(poor.seconds), poor.reason)
    place = take_turn(
        record,
        configuration,
        registry=registry,
        kept=kept,
        service_limits=service_limits,
        clock=clock,
    )
    if place.granted:
        return None
    places = service_limits.places(pool_of(configuration.training_type))
    seconds = policy.scaled(ask_after(place.position, places))
    return _later(records, record, seconds, _turn(place))


def _turn(place: Place) -> str:
    expected = f" Expected at {place.expected_at:%Y-%m-%d %H:%M} UTC." if place.expected_at else ""
    return place.reason + expected


def _later(records: RunRecords, record: RunRecord, seconds: float, reason: str) -> Later:
    records.note(record, lambda r: replace(r, waiting_for=reason))
    return Later(seconds=seconds, reason=reason)

"""What a run says to a person: where it is, what it waits for, what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from droptune.domain.payload import parse_time
from droptune.domain.phases import Phase
from droptune.domain.promotion import Promotion
from droptune.domain.report.wording import dollars
from droptune.domain.run import Control, RunRecord

NOTHING_TO_DO = "nothing for you to do."
_WORTH_SAYING_SECONDS = 5
_DOING = {
    Phase.RECEIVED: "Received",
    Phase.SETTLING: "Waiting until the files stop changing",
    Phase.VALIDATING: "Checking the data",
    Phase.ESTIMATING: "Estimating the cost",
    Phase.CHECKING: "Asking the account what it may do",
    Phase.QUEUED: "Waiting for a place at Azure OpenAI",
    Phase.UPLOADING: "Uploading the files",
    Phase.TRAINING: "Training",
    Phase.DEPLOYING: "Deploying the candidate",
    Phase.TESTING: "Trying the candidate",
    Phase.EVALUATING: "Comparing the candidate",
    Phase.PROMOTING: "Promoting",
    Phase.BAKING: "Watching the new champion",
}
_NEXT = {
    Phase.RECEIVED: "The data is checked; that costs nothing.",
    Phase.SETTLING: "The data is checked; that costs nothing.",
    Phase.VALIDATING: "The cost is estimated.",
    Phase.ESTIMATING: "The account is asked whether it may train and deploy this.",
    Phase.CHECKING: "The job is submitted once there is a place for it.",
    Phase.AWAITING_APPROVAL: "After an approval the files are uploaded and the job is submitted.",
    Phase.QUEUED: "The files are uploaded.",
    Phase.UPLOADING: "The job is submitted.",
    Phase.TRAINING: "The model is deployed as a candidate.",
    Phase.DEPLOYING: "The candidate is asked a question.",
    Phase.TESTING: "It is decided whether the model is promoted.",
    Phase.EVALUATING: "It is decided whether the model is promoted.",
    Phase.AWAITING_PROMOTION: "After an approval the model becomes the project's champion.",
    Phase.PROMOTING: "The model becomes the project's champion.",
    Phase.BAKING: "The run ends when the new champion has held.",
}
_WAITS = {
    Phase.AWAITING_APPROVAL: "approval",
    Phase.AWAITING_PROMOTION: "approval",
    Phase.QUEUED: "azure",
    Phase.TRAINING: "azure",
}


def message(record: RunRecord, control: Control, now: datetime) -> str:
    """Return one sentence for a person about where a run is."""
    if record.phase.is_terminal:
        return _after_the_end(record)
    if word := control.cancelled:
        return f"Being cancelled by {word.by}; what bills is let go; {NOTHING_TO_DO}"
    if said := control.paused:
        since = f"{said.at:%Y-%m-%d %H:%M} UTC"
        return f"Paused by {said.by} since {since}{_because(said.reason)}; resume it to go on."
    if record.phase in (Phase.AWAITING_APPROVAL, Phase.AWAITING_PROMOTION):
        return _awaiting(record, control)
    doing = _DOING.get(record.phase, record.phase.value)
    parts = [f"{doing}{_since(record, now)}{_left(record, now)}", _money(record), NOTHING_TO_DO]
    return "; ".join(part for part in parts if part)


def _after_the_end(record: RunRecord) -> str:
    ended = record.message or f"The run ended {record.phase.value}."
    promotion = record.promotion
    if promotion is None:
        return ended
    return promotion_sentence(promotion) + (f" {ended}" if promotion.error else "")


def promotion_sentence(promotion: Promotion) -> str:
    """Return one sentence about a promotion that was asked for after a run's end."""
    who = f"{promotion.by}{_because(promotion.reason)}"
    if promotion.is_under_way:
        return f"Being promoted, as {who} asked: {promotion.message}"
    if promotion.error is not None:
        return f"Not promoted, though {who} asked: {promotion.message}"
    return f"Promoted later, as {who} asked: {promotion.message.removeprefix('Promoted: ')}"


def waiting_for(record: RunRecord, control: Control) -> str | None:
    """Return what a run waits for: `approval`, `resume`, `azure`, or None."""
    if record.is_being_promoted:
        return record.waiting_for or "azure"
    if record.phase.is_terminal or control.cancelled:
        return None
    if control.is_paused:
        return "resume"
    return record.waiting_for or _WAITS.get(record.phase)


def next_step(record: RunRecord, control: Control) -> str | None:
    """Return a sentence about what comes next, or None after the end."""
    if record.phase.is_terminal:
        return None
    if control.cancelled:
        return "The run ends cancelled."
    if control.is_paused:
        return f"Once it is resumed (droptune resume {record.id}), it goes on where it stands."
    return record.next or _NEXT.get(record.phase)


def money(amount: float) -> str:
    """Return dollars and cents, dollars alone when they are whole, more digits below a cent."""
    return f"${amount:,.0f}" if amount == int(amount) else dollars(amount)


def duration(seconds: float) -> str:
    """Return a length of time as people say it."""
    if seconds < 60:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    if minutes < 120:
        return f"{minutes} min"
    hours = round(minutes / 60)
    return f"{hours} h" if hours < 48 else f"{round(hours / 24)} days"


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""


def _awaiting(record: RunRecord, control: Control) -> str:
    about = "training" if record.phase is Phase.AWAITING_APPROVAL else "promotion"
    if word := control.decision(about, since=record.asked_since):
        said = "Approved" if word.word == "approve" else "Rejected"
        return f"{said} by {word.by}{_because(word.reason)}; {NOTHING_TO_DO}"
    reasons = "; ".join(reason.rstrip(".") for reason in record.approval_reasons)
    why = f": {reasons}" if reasons and about == "training" else ""
    return f"Waiting for your approval of the {about}{why}. Approve or reject it."


def _since(record: RunRecord, now: datetime) -> str:
    entered = [change.at for change in record.history if change.phase is record.phase]
    seconds = (now - entered[-1]).total_seconds() if entered else 0
    return f" for {duration(seconds)}" if seconds >= _WORTH_SAYING_SECONDS else ""


def _left(record: RunRecord, now: datetime) -> str:
    finish = (record.job or {}).get("estimated_finish")
    if record.phase is not Phase.TRAINING or not isinstance(finish, str):
        return ""
    seconds = (parse_time(finish) - now).total_seconds()
    left = duration(seconds)
    if _since(record, now).endswith(" min"):
        left = left.removesuffix(" min")
    return f", about {left} left" if round(seconds) > 0 else ""


def _money(record: RunRecord) -> str:
    spent, limit = record.cost.get("spent"), budget(record)
    if isinstance(spent, int | float):
        return money(spent) + (f" of {money(limit)}" if limit else "")
    high = record.cost.get("high")
    return f"up to {money(high)}" if isinstance(high, int | float) and high else ""


def budget(record: RunRecord) -> float | None:
    """Return the run's budget in US dollars as its configuration resolved it, or None."""
    value: Any = record.configuration
    for key in ("pipeline", "budget", "run_usd"):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, Mapping):
        value = value.get("value")
    return float(value) if isinstance(value, int | float) else None

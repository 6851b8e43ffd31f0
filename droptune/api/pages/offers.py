"""What a person may do with a run now: each with what it will do and what it will cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from droptune.api.pages.wording import money
from droptune.api.status import AWAITING, actions
from droptune.domain.payload import Payload
from droptune.domain.phases import Phase
from droptune.domain.run import Control, RunRecord

_BEFORE_JOB = "Nothing was bought, and nothing will be."


def offers(
    record: RunRecord, control: Control, champion: Mapping[str, Any] | None
) -> list[Payload]:
    """Return the buttons of a run's page; `is_open` shows one without a click more."""
    if record.phase.is_terminal:
        return list(_after_the_end(record, control, champion))
    about = AWAITING.get(record.phase, "")
    return [_offer(word, about, record, champion) for word in actions(record, control)]


def _offer(word: str, about: str, record: RunRecord, champion: Mapping[str, Any] | None) -> Payload:
    if word == "approve":
        says = _training(record) if about == "training" else _promotion(record, champion)
        return _button(word, f"Approve the {about}", says, "primary", about, is_open=True)
    if word == "reject":
        says = _no_training() if about == "training" else _no_promotion(record)
        return _button(word, f"Reject the {about}", says, "danger", about, is_open=True)
    if word == "pause":
        return _button(word, "Pause", _pause(record), "plain")
    if word == "resume":
        says = "The run goes on where it stopped. That costs nothing beyond the estimate."
        return _button(word, "Resume", says, "primary", is_open=True)
    return _button(word, "Cancel", _cancel(record), "danger")


def _training(record: RunRecord) -> str:
    model = (record.configuration or {}).get("model") or "the model"
    files = sum(pin.role in ("training", "validation") for pin in record.pins)
    return (
        f"Uploads {files} file{'s' if files != 1 else ''} and submits one fine-tuning job of "
        f"{model}. {_price(record)} You can cancel while it trains; what was trained is billed."
    )


def _price(record: RunRecord) -> str:
    low, high = record.cost.get("low"), record.cost.get("high")
    if not isinstance(high, int | float):
        return "What it costs is not known: there is no price for this model."
    if low == high or not isinstance(low, int | float):
        return f"Costs about {money(high)}."
    return f"Costs {money(low)} to {money(high)}."


def _no_training() -> str:
    return f"Ends the run as rejected. {_BEFORE_JOB} You can start it again later."


def _promotion(record: RunRecord, champion: Mapping[str, Any] | None) -> str:
    said = f"The model becomes the champion of {record.project}. "
    if champion:
        said += (
            f"It replaces {champion['deployment']}, which stays warm for a rollback; callers who "
            f"follow the pointer change within {champion['max_age_seconds'] // 60} min. "
        )
    return said + _hosting(record)


def _hosting(record: RunRecord) -> str:
    month = record.cost.get("hosting_month")
    if not isinstance(month, int | float):
        return "What hosting costs is not known."
    return f"Hosting costs {money(month)} for 30 days."


def _no_promotion(record: RunRecord) -> str:
    return (
        "The champion stays. The model is kept and can be promoted later; the candidate's "
        "deployment is deleted."
    )


def _pause(record: RunRecord) -> str:
    if record.phase is Phase.TRAINING:
        return (
            "Asks Azure to pause the job at its next checkpoint and waits for you. What was "
            "trained so far stays billed; nothing new is."
        )
    return "The run stops before its next step and waits for you. Nothing is lost or bought."


def _cancel(record: RunRecord) -> str:
    if record.job is None:
        return f"Ends the run. {_BEFORE_JOB}"
    if record.phase is Phase.TRAINING:
        return (
            "Cancels the job at Azure unless another run shares it. What was trained so far is "
            f"billed, {money(record.cost.get('high'))} at most; the rest is not."
            if isinstance(record.cost.get("high"), int | float)
            else "Cancels the job at Azure unless another run shares it. What was trained so far "
            "is billed."
        )
    return (
        "Ends the run and deletes the candidate's deployment. The training stays paid, and its "
        "model is kept at Azure."
    )


def _after_the_end(
    record: RunRecord, control: Control, champion: Mapping[str, Any] | None
) -> Iterator[Payload]:
    if record.is_being_promoted:
        if "cancel" in actions(record, control):
            yield _button("cancel", "Cancel the promotion", _no_later_promotion(), "danger")
        return
    if "promote" in actions(record, control):
        yield _button("promote", "Promote", _promotion(record, champion), "primary")
    if champion and champion["run_id"] == record.id and champion.get("previous"):
        yield _button("rollback", "Roll back", rollback_says(champion), "danger")
    if record.phase is Phase.SUCCEEDED:
        yield _button("again", "Train anew", _again(record), "plain")
    else:
        yield _button("retry", "Start again", _retry(record), "primary", is_open=True)


def _no_later_promotion() -> str:
    return (
        "The champion stays. What was deployed for the promotion is deleted; the model is kept and "
        "can be promoted later."
    )


def _again(record: RunRecord) -> str:
    return (
        f"Reads {record.project}/{record.version} as it lies there now and pays for a new job, "
        f"although this training exists. {_price(record)}"
    )


def _retry(record: RunRecord) -> str:
    return (
        f"Reads {record.project}/{record.version} as it lies there now: mend the data first. A job "
        "that lives or has succeeded for the same training is adopted and not paid twice. "
        f"{_price(record) if record.cost else 'The cost is estimated before anything is bought.'}"
    )


def rollback_says(champion: Mapping[str, Any]) -> str:
    """Return what a rollback of a project does and costs."""
    previous = champion["previous"]
    return (
        f"{previous['deployment']} becomes the champion again, at once; {champion['deployment']} "
        "stays for a way forward. Nothing is trained. If Azure has removed the old deployment "
        "meanwhile, it is made again first, which takes some minutes, and billed by the hour as "
        "before."
    )


def _button(
    word: str, label: str, says: str, kind: str, about: str = "", *, is_open: bool = False
) -> Payload:
    return {
        "word": word,
        "label": label,
        "says": says,
        "kind": kind,
        "about": about,
        "is_open": is_open,
    }

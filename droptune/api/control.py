"""A person's word about a run: written first, then everything that may sleep is woken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from droptune.api.bodies import (
    LONGEST_NAME,
    LONGEST_REASON,
    read_by,
    read_metrics,
    read_object,
    read_text,
    run_id_of,
)
from droptune.api.messages import ApiRequest, ApiResponse, json_response, to_json
from droptune.api.problems import ApiError, bad_request, conflict
from droptune.api.records import get_run, load_control
from droptune.api.services import ApiServices
from droptune.api.status import AWAITING, status_document
from droptune.domain.errors import ConflictError, TransientError
from droptune.domain.phases import Phase
from droptune.domain.run import Control, RunRecord, Word
from droptune.domain.steps import promoting_instances, waiting_instances

WORDS = ("cancel", "pause", "resume", "approve", "reject")
DECISIONS = ("approve", "reject")
_KEYS = ("reason", "by", "about")
_TRIES = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """A word as a person said it; an empty `about` means whatever waits."""

    word: str
    by: str
    reason: str = ""
    about: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)


def say(word: str) -> Callable[[ApiRequest, ApiServices], ApiResponse]:
    """Return the handler of `POST /api/runs/{id}/<word>`."""

    def handler(request: ApiRequest, services: ApiServices) -> ApiResponse:
        """Read the optional body `{reason, by, about}`, of a decision also `metrics`, and record
        the word."""
        body = read_object(request, (*_KEYS, "metrics") if word in DECISIONS else _KEYS)
        said = Said(
            word=word,
            by=read_by(body, request.principal),
            reason=read_text(body, "reason", LONGEST_REASON).strip(),
            about=read_text(body, "about", LONGEST_NAME),
            metrics=read_metrics(body),
        )
        return record_word(run_id_of(request), said, services, services.base(request.url))

    return handler


def record_word(run_id: str, said: Said, services: ApiServices, base: str) -> ApiResponse:
    """Write a word into the run's `control.json` unless it stands there; answer its status.

    Repeating it is safe, and wakes again in case the first waking was lost.
    """
    if said.about not in ("", *AWAITING.values()):
        raise bad_request("bad-about", "about: not known.", "Use training or promotion.")
    for _ in range(_TRIES):
        record = get_run(services, run_id)
        control, etag = load_control(services.runs, record.ref)
        word = new_word(said, record, control, services.clock.now())
        if word is None:
            return _accepted(record, control, services, base)
        control = control.with_word(word)
        data = to_json(control.to_payload())
        try:
            services.runs.write(record.ref.control, data, if_match=etag, if_absent=etag is None)
        except ConflictError:
            continue
        return _accepted(record, control, services, base)
    raise TransientError("others are deciding about this run at the same moment")


def _accepted(record: RunRecord, control: Control, services: ApiServices, base: str) -> ApiResponse:
    document = status_document(record, control, base, services.clock.now())
    response = json_response(document, 202, {"Location": document["links"]["self"]})
    return ApiResponse(
        status=202, headers=response.headers, body=response.body, wake=_asleep(record)
    )


def _asleep(record: RunRecord) -> tuple[str, ...]:
    """Return what may sleep and has to hear a word."""
    if record.promotion is not None and record.promotion.is_under_way:
        return promoting_instances(record.id, record.promotion.attempt)
    return () if record.phase.is_terminal else waiting_instances(record.id)


def new_word(said: Said, record: RunRecord, control: Control, now: datetime) -> Word | None:
    """Return the word to add, None when it stands there; raises a 409 with the reason."""
    if said.word in DECISIONS:
        about = _decided_about(said, record, control)
    elif said.word == "cancel" and record.is_being_promoted:
        about = None if _is_promotion_cancelled(record, control) else "promotion"
    else:
        about = "" if _changes(said.word, record, control) else None
    if about is None:
        return None
    return Word(
        word=said.word,
        at=now,
        by=said.by,
        reason=said.reason,
        about=about,
        metrics=dict(said.metrics),
    )


def _is_promotion_cancelled(record: RunRecord, control: Control) -> bool:
    promotion = record.promotion
    return promotion is not None and control.cancelled_promotion(promotion) is not None


def _changes(word: str, record: RunRecord, control: Control) -> bool:
    if word == "cancel" and record.phase is Phase.CANCELLED:
        return False
    if record.phase.is_terminal:
        raise _ended(record)
    if word == "cancel":
        return control.cancelled is None
    if control.cancelled:
        raise _being_cancelled(control.cancelled)
    if word == "pause":
        return not control.is_paused
    if not control.is_paused and not control.find("resume"):
        raise conflict("not-paused", "The run is not paused.", "There is nothing to resume.")
    return control.is_paused


def _decided_about(said: Said, record: RunRecord, control: Control) -> str | None:
    about = AWAITING.get(record.phase)
    if about is None or said.about not in ("", about):
        _check_decided_before(said, record, control)
        return None
    if control.cancelled:
        raise _being_cancelled(control.cancelled)
    decision = control.decision(about, since=record.asked_since)
    if decision is None:
        return about
    if decision.word != said.word:
        raise _decided_otherwise(decision)
    return None


def _check_decided_before(said: Said, record: RunRecord, control: Control) -> None:
    abouts = [said.about] if said.about else list(AWAITING.values())
    decisions = [found for about in abouts if (found := control.decision(about))]
    if any(decision.word == said.word for decision in decisions):
        return
    if record.phase.is_terminal:
        raise _ended(record)
    if decisions:
        raise _decided_otherwise(decisions[-1])
    raise conflict(
        "nothing-waits",
        f"Nothing waits for a decision: the run is {record.phase.value}.",
        "GET /api/runs/{id} says in `waiting_for` when something does.",
        link=f"runs/{record.id}",
    )


def _ended(record: RunRecord) -> ApiError:
    return conflict(
        "ended",
        f"The run has ended {record.phase.value}.",
        'POST /api/runs {"retry": "<run id>"} repeats a run that did not succeed.',
        link=f"runs/{record.id}",
    )


def _being_cancelled(word: Word) -> ApiError:
    return conflict(
        "cancelled", f"The run was cancelled by {word.by}.", "Repeat it once it has ended."
    )


def _decided_otherwise(decision: Word) -> ApiError:
    verb = "approved" if decision.word == "approve" else "rejected"
    return conflict(
        "decided-otherwise",
        f"The {decision.about} was {verb} by {decision.by} already.",
        "The first decision counts; cancel the run, or repeat it once it has ended.",
    )

"""What the dashboard shows: who needs a person, projects, runs, and what did not become a run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from droptune.api import sentences
from droptune.api.messages import ApiRequest
from droptune.api.pages.phase_line import tone
from droptune.api.pages.project_view import project_card, spent_of
from droptune.api.problems import bad_request
from droptune.api.run_list import ROW_NAME
from droptune.api.run_listing import ListedRun
from droptune.api.services import ApiServices
from droptune.domain.dataset import is_name
from droptune.domain.payload import Payload
from droptune.domain.phases import LINE, TERMINAL, Phase

PAGE_SIZE = 25
LONGEST_TEXT = 100
_GROUPS = ("open", "waiting", "ended")


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What the address of the dashboard asks for; "" shows all. `after` is a row's name."""

    project: str = ""
    phase: str = ""
    text: str = ""
    after: str = ""


def read_wanted(request: ApiRequest) -> Wanted:
    """Return what the query asks for; raises a 400."""
    query = request.query
    project, phase = query.get("project", ""), query.get("phase", "")
    if project and not is_name(project):
        raise bad_request("bad-project", "project: this cannot name one.", "Choose one.")
    if phase and phase not in (*_GROUPS, *LINE, *TERMINAL):
        raise bad_request("bad-phase", "phase: there is no such phase.", "Choose one.")
    after = query.get("after", "")
    if after and not ROW_NAME.fullmatch(after):
        raise bad_request("bad-after", "after: this is no row of the list.", "Begin at the top.")
    text = query.get("text", "").strip()[:LONGEST_TEXT]
    return Wanted(project=project, phase=phase, text=text, after=after)


def dashboard_view(
    wanted: Wanted,
    runs: Sequence[ListedRun],
    champions: Mapping[str, Mapping[str, Any]],
    names: Sequence[str],
    services: ApiServices,
) -> Payload:
    """Return the context of `dashboard.html` without its datasets."""
    now = services.clock.now()
    of_project: dict[str, list[ListedRun]] = defaultdict(list)
    for run in runs:
        of_project[run.record.project].append(run)
    fitting = [run for run in runs if _fits(run, wanted)]
    behind = [run for run in fitting if run.row > wanted.after]
    shown = behind[:PAGE_SIZE]
    return {
        "title": "Dashboard",
        "now": now,
        "poll_seconds": 5,
        "refresh_seconds": 30,
        "wanted": wanted,
        "is_filtered": bool(wanted.project or wanted.phase or wanted.text),
        "needs": [run_line(run, now) for run in runs if needs_person(run)],
        "projects": [
            project_card(name, champions.get(name), of_project[name], services) for name in names
        ],
        "runs": [run_line(run, now) for run in shown],
        "found": len(fitting),
        "next": shown[-1].row if len(behind) > PAGE_SIZE else None,
        "names": names,
        "groups": _GROUPS,
        "line": [phase.value for phase in LINE],
        "ends": [phase.value for phase in Phase if phase in TERMINAL],
    }


def needs_person(run: ListedRun) -> bool:
    """Whether a run waits for somebody's word."""
    if run.record.phase.is_terminal:
        return False
    return sentences.waiting_for(run.record, run.control) in ("resume",) or _undecided(run)


def _undecided(run: ListedRun) -> bool:
    abouts = {Phase.AWAITING_APPROVAL: "training", Phase.AWAITING_PROMOTION: "promotion"}
    about = abouts.get(run.record.phase)
    return bool(about) and not run.control.cancelled and not run.control.decision(about or "")


def run_line(run: ListedRun, now: datetime) -> Payload:
    """Return a run as the dashboard's tables show it."""
    record = run.record
    return {
        "id": record.id,
        "project": record.project,
        "version": record.version,
        "phase": record.phase.value,
        "tone": tone(record, is_paused=run.control.is_paused),
        "verdict": _verdict(run),
        "message": sentences.message(record, run.control, now),
        "created_at": record.created_at,
        "ended_at": record.ended_at,
        "spent": spent_of(record),
        "high": record.cost.get("high"),
        "is_open": not record.phase.is_terminal,
    }


def _verdict(run: ListedRun) -> str:
    record = run.record
    if record.outcome.value not in ("none", "unrecognised"):
        return record.outcome.value
    if record.error:
        return record.error.code
    return "paused" if run.control.is_paused and not record.phase.is_terminal else ""


def _fits(run: ListedRun, wanted: Wanted) -> bool:
    record = run.record
    if wanted.project and record.project != wanted.project:
        return False
    if wanted.phase and not _in_phase(run, wanted.phase):
        return False
    text = wanted.text.casefold()
    model = (record.configuration or {}).get("model")
    said = (record.id, record.project, record.version, record.message, record.dropped_by, model)
    return not text or any(text in str(each).casefold() for each in said if each)


def _in_phase(run: ListedRun, phase: str) -> bool:
    if phase == "open":
        return not run.record.phase.is_terminal
    if phase == "waiting":
        return needs_person(run)
    return run.record.phase.is_terminal if phase == "ended" else run.record.phase == phase

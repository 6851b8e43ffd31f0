"""The forms on the pages: a person's word about a run, a new run, a rollback."""

from __future__ import annotations

from dataclasses import replace

from droptune.api.bodies import LONGEST_REASON, bad_word, project_of, run_id_of
from droptune.api.control import WORDS, Said, record_word
from droptune.api.messages import ApiRequest, ApiResponse
from droptune.api.pages.session import HOME, ask_to_sign_in, find_visitor, read_form, see
from droptune.api.projects import roll_back_champion
from droptune.api.records import get_run
from droptune.api.runs import promote_later, read_dataset, repeat_run, start_wish
from droptune.api.services import ApiServices
from droptune.domain.registration import Cause, RunRequest

_REPEATS = ("retry", "again")


def say_on_page(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/dashboard/runs/{id}: a form with `word`, `about` and `reason`.

    `word` is one that is said of a run, or promote, or retry and again, which lead to another run.
    """
    if find_visitor(request, services) is None:
        return ask_to_sign_in(request, services)
    form = read_form(request, services)
    run_id, word = run_id_of(request), form.get("word", "")
    base = services.base(request.url)
    if word in _REPEATS:
        return _shown(repeat_run(word, run_id, request.principal, services, base))
    if word == "promote":
        reason = form.get("reason", "").strip()[:LONGEST_REASON]
        return _shown(promote_later(run_id, request.principal, reason, services, base))
    if word == "replay":
        services.replay(get_run(services, run_id).id)
        return see(f"{HOME}/runs/{run_id}#notifications")
    if word not in WORDS:
        raise bad_word(word, (*WORDS, *_REPEATS, "promote", "replay"))
    said = Said(
        word=word,
        by=request.principal,
        reason=form.get("reason", "").strip()[:LONGEST_REASON],
        about=form.get("about", ""),
    )
    accepted = record_word(run_id, said, services, base)
    return replace(see(f"{HOME}/runs/{run_id}"), wake=accepted.wake)


def start_on_page(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/dashboard/runs: a form with `dataset`, `<project>/<version>`, that was only
    seen."""
    if find_visitor(request, services) is None:
        return ask_to_sign_in(request, services)
    dataset = read_dataset(read_form(request, services).get("dataset", ""))
    wish = RunRequest(dataset=dataset, cause=Cause.REQUEST, by=request.principal)
    return _shown(start_wish(wish, services, services.base(request.url)))


def say_on_project(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/dashboard/projects/{project}: a form with `word` rollback and `reason`."""
    if find_visitor(request, services) is None:
        return ask_to_sign_in(request, services)
    form, project = read_form(request, services), project_of(request)
    if form.get("word") != "rollback":
        raise bad_word(form.get("word", ""), ("rollback",))
    reason = form.get("reason", "").strip()[:LONGEST_REASON]
    answer = roll_back_champion(services, project, request.principal, reason)
    return replace(see(f"{HOME}/projects/{project}"), start=answer.start)


def _shown(started: ApiResponse) -> ApiResponse:
    """Lead to the page of the run that an answer of the API is about."""
    run_id = started.headers["Location"].rpartition("/")[2]
    return replace(see(f"{HOME}/runs/{run_id}"), start=started.start)

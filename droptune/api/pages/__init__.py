"""Pages for people: the list, a run, and the forms on them. Links only show; a POST decides."""

from __future__ import annotations

from droptune.api.bodies import LONGEST_REASON, bad_word, run_id_of
from droptune.api.control import WORDS, Said, record_word
from droptune.api.datasets import all_datasets
from droptune.api.messages import ApiRequest, ApiResponse
from droptune.api.pages.render import page
from droptune.api.pages.run_view import run_view
from droptune.api.pages.session import ask_to_sign_in, may_see, open_session, read_form, see
from droptune.api.problems import ApiError
from droptune.api.records import get_run, read_control
from droptune.api.run_list import page_of_runs, read_filter
from droptune.api.services import ApiServices

__all__ = ["open_session", "say_on_page", "show_dashboard", "show_problem", "show_run"]


def show_dashboard(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/dashboard: the newest runs, and what was dropped without leading to one."""
    if not may_see(request, services):
        return ask_to_sign_in(request)
    base = services.base(request.url)
    runs, following = page_of_runs(services, read_filter(request), base)
    datasets = [each for each in all_datasets(services, base) if not each["runs"]]
    context = {"title": "Runs", "runs": runs, "next": following, "datasets": datasets}
    return page("dashboard.html", context | {"refresh_seconds": 10})


def show_run(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/dashboard/runs/{id}: everything about one run, what is wrong first."""
    if not may_see(request, services):
        return ask_to_sign_in(request)
    record = get_run(services.runs, run_id_of(request))
    control = read_control(services.runs, record.ref)
    base = services.base(request.url)
    return page("run.html", run_view(record, control, services.runs, base, services.clock))


def say_on_page(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """POST /api/dashboard/runs/{id}: a form with `word`, `about` and `reason`."""
    if not may_see(request, services):
        return ask_to_sign_in(request)
    form = read_form(request, services)
    run_id, word = run_id_of(request), form.get("word", "")
    if word not in WORDS:
        raise bad_word(word, WORDS)
    said = Said(
        word=word,
        by=request.principal,
        reason=form.get("reason", "").strip()[:LONGEST_REASON],
        about=form.get("about", ""),
    )
    accepted = record_word(run_id, said, services, services.base(request.url))
    shown = see(f"/api/dashboard/runs/{run_id}")
    return ApiResponse(status=shown.status, headers=shown.headers, wake=accepted.wake)


def show_problem(error: ApiError) -> ApiResponse:
    """Answer with a page that says what is wrong and what would be right."""
    context = {
        "title": "This did not work",
        "detail": str(error),
        "remedy": error.remedy,
        "code": error.code,
    }
    return page("problem.html", context, status=error.status, headers=error.headers)

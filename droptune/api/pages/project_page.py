"""The page of a project: its champion, who made it that and why, its runs, and the way back."""

from __future__ import annotations

from droptune.api.bodies import no_such_project, project_of
from droptune.api.dataset_listing import list_everything_dropped
from droptune.api.messages import ApiRequest, ApiResponse
from droptune.api.pages.dashboard_view import run_line
from droptune.api.pages.offers import rollback_says
from droptune.api.pages.project_view import project_card
from droptune.api.pages.render import page_unless_known
from droptune.api.pages.session import ask_to_sign_in, find_visitor
from droptune.api.projects import find_champion
from droptune.api.run_listing import list_runs
from droptune.api.services import ApiServices
from droptune.domain.payload import Payload

MOST_RUNS = 50


def show_project(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/dashboard/projects/{project}."""
    visitor = find_visitor(request, services)
    if visitor is None:
        return ask_to_sign_in(request, services)
    project, now = project_of(request), services.clock.now()
    champion = find_champion(services.registry, project)
    listing = list_runs(services)
    runs = [run for run in listing.runs if run.record.project == project]
    is_known = bool(runs) or champion is not None
    if not is_known and project not in list_everything_dropped(services).projects:
        raise no_such_project(project)

    def context() -> Payload:
        return {
            "title": project,
            "now": now,
            "visitor": visitor,
            "poll_seconds": 5,
            "refresh_seconds": 30,
            "project": project_card(project, champion, runs, services),
            "champion": champion,
            "history": list(reversed(champion["history"])) if champion else [],
            "rollback_says": rollback_says(champion)
            if champion and champion.get("previous")
            else None,
            "runs": [run_line(run, now) for run in runs[:MOST_RUNS]],
        }

    state = [project, champion, listing.state, int(now.timestamp() // 60)]
    return page_unless_known(request, state, "project.html", context)

"""The first page: what needs a person, projects, runs, and what did not become a run."""

from __future__ import annotations

from dataclasses import asdict

from droptune.api.dataset_listing import list_everything_dropped
from droptune.api.messages import ApiRequest, ApiResponse
from droptune.api.notifications import list_untold
from droptune.api.pages.dashboard_view import dashboard_view, read_wanted
from droptune.api.pages.idle_datasets import idle_datasets
from droptune.api.pages.render import page_unless_known
from droptune.api.pages.session import ask_to_sign_in, find_visitor
from droptune.api.projects import load_champions
from droptune.api.run_listing import list_runs
from droptune.api.services import ApiServices
from droptune.domain.dataset import is_name
from droptune.domain.payload import Payload


def show_dashboard(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/dashboard: a few listings say whether anything changed; only then is it read."""
    visitor = find_visitor(request, services)
    if visitor is None:
        return ask_to_sign_in(request, services)
    wanted = read_wanted(request)
    listing, dropped = list_runs(services), list_everything_dropped(services)
    untold = list_untold(services)
    minute = int(services.clock.now().timestamp() // 60)

    def context() -> Payload:
        runs = listing.runs
        named = {run.record.project for run in runs if is_name(run.record.project)}
        names = sorted(named | dropped.projects)
        champions = load_champions(services, dropped.champions)
        shown = dashboard_view(wanted, runs, champions, names, services)
        return (
            shown
            | idle_datasets(services, dropped)
            | {
                "visitor": visitor,
                "is_cut": listing.is_cut,
                "unreadable": listing.unreadable,
                "untold": untold,
            }
        )

    state = [asdict(wanted), minute, listing.state, dropped.state, untold]
    return page_unless_known(request, state, "dashboard.html", context)

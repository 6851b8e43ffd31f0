"""The table of routes, and the one place where errors become answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from droptune.api import (
    about,
    datasets,
    notifications,
    openapi,
    pages,
    projects,
    run_list,
    runs,
    sweeps,
)
from droptune.api.bodies import check_query
from droptune.api.control import WORDS, say
from droptune.api.messages import (
    ApiRequest,
    ApiResponse,
    etag_of,
    json_response,
    unless_known,
)
from droptune.api.operations import OPERATIONS
from droptune.api.origin import is_foreign
from droptune.api.problems import ApiError, as_api_error, problem_response, unexpected
from droptune.api.services import ApiServices
from droptune.domain.errors import DroptuneError

Handler = Callable[[ApiRequest, ApiServices], ApiResponse]
_logger = logging.getLogger(__name__)
# Under "no-referrer" browsers would send the forms of our own pages with `Origin: null`.
_SAFE = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Route:
    """One function of the app that answers HTTP.

    Attributes:
        name: the function's name, also its operation id.
        path: relative to `api/`.
        anonymous: answers without a function key; pages guard themselves.
        page: for people: errors are pages, too, and what a query says beyond need is ignored.
    """

    name: str
    methods: tuple[str, ...]
    path: str
    handler: Handler
    anonymous: bool = False
    page: bool = False

    @property
    def query(self) -> Collection[str] | None:
        """What the route reads of the query, as the OpenAPI document says it; None for pages."""
        operation = OPERATIONS.get(self.name)
        return operation.query if operation and not self.page else None


def _get(name: str, path: str, handler: Handler, *, anonymous: bool = False) -> Route:
    return Route(name=name, methods=("GET",), path=path, handler=handler, anonymous=anonymous)


def _post(name: str, path: str, handler: Handler) -> Route:
    return Route(name=name, methods=("POST",), path=path, handler=handler)


def _page(name: str, method: str, path: str, handler: Handler) -> Route:
    return Route(
        name=name, methods=(method,), path=path, handler=handler, anonymous=True, page=True
    )


def get_openapi(request: ApiRequest, services: ApiServices) -> ApiResponse:
    """GET /api/openapi.json: this table, for programs."""
    rows = [(route.name, route.methods[0].lower(), route.path) for route in ROUTES]
    base = services.base(request.url)
    document = openapi.document(rows, services.version, base)
    return unless_known(request, json_response(document), etag_of(document))


ROUTES: tuple[Route, ...] = (
    _get("list_datasets", "datasets", datasets.list_datasets),
    _get("get_dataset", "datasets/{project}/{version}", datasets.get_dataset),
    _post("start_run_on_request", "runs", runs.start_run),
    _get("list_runs", "runs", run_list.list_runs),
    _get("get_run", "runs/{id}", runs.get_run_status),
    _get("get_report", "runs/{id}/report", runs.get_report),
    _get("get_events", "runs/{id}/events", runs.get_events),
    _get("get_metrics", "runs/{id}/metrics", runs.get_metrics),
    _get("get_notifications", "runs/{id}/notifications", notifications.get_notifications),
    _post(
        "replay_notifications",
        "runs/{id}/notifications/replay",
        notifications.replay_notifications,
    ),
    _get("get_answers", "runs/{id}/answers", runs.get_answers),
    *(_post(f"{word}_run", f"runs/{{id}}/{word}", say(word)) for word in WORDS),
    _post("promote_run", "runs/{id}/promote", runs.promote_run),
    _get("list_projects", "projects", projects.list_projects),
    _get("get_project", "projects/{project}", projects.get_project),
    _get("get_champion", "projects/{project}/champion", projects.get_champion),
    _post("roll_back_project", "projects/{project}/rollback", projects.roll_back),
    _post("sweep_on_request", "sweep", sweeps.sweep),
    _get("get_health", "health", about.get_health, anonymous=True),
    _get("get_schema", "schemas/fine-tune-job.json", about.get_schema),
    _get("get_report_schema", "schemas/report.json", about.get_report_schema),
    _get("get_openapi", "openapi.json", get_openapi),
    _page("show_dashboard", "GET", "dashboard", pages.show_dashboard),
    _page("show_run", "GET", "dashboard/runs/{id}", pages.show_run),
    _page("say_on_page", "POST", "dashboard/runs/{id}", pages.say_on_page),
    _page("start_on_page", "POST", "dashboard/runs", pages.start_on_page),
    _page("show_document", "GET", "dashboard/runs/{id}/files/{name}", pages.show_document),
    _page("show_project", "GET", "dashboard/projects/{project}", pages.show_project),
    _page("say_on_project", "POST", "dashboard/projects/{project}", pages.say_on_project),
    _page("open_session", "POST", "dashboard/session", pages.open_session),
    _page("close_session", "POST", "dashboard/session/end", pages.close_session),
    _page("get_asset", "GET", "dashboard/assets/{name}", pages.get_asset),
)


def dispatch(route: Route, request: ApiRequest, services: ApiServices) -> ApiResponse:
    """Answer a request; whatever goes wrong is a problem document, never a stack trace."""
    response = _answer(route, request, services)
    return replace(response, headers={**_SAFE, **response.headers})


def _answer(route: Route, request: ApiRequest, services: ApiServices) -> ApiResponse:
    try:
        if request.method == "POST" and is_foreign(request, services):
            raise ApiError(
                403,
                "foreign-origin",
                "The request comes from a page of another site.",
                "Send it from Droptune's own page, or with a function key in x-functions-key.",
            )
        if route.query is not None:
            check_query(request, route.query)
        return route.handler(request, services)
    except DroptuneError as error:
        return _refuse(route, request, as_api_error(error), services)
    except Exception:
        _logger.exception("A route failed", extra={"route": route.name})
        return _refuse(route, request, unexpected(), services)


def _refuse(
    route: Route, request: ApiRequest, error: ApiError, services: ApiServices
) -> ApiResponse:
    if route.page:
        return pages.show_problem(error)
    path = urlsplit(request.path).path
    return problem_response(error, path, services.base(request.url))
